package store

import (
	"picday/internal/layout"
	"picday/internal/upload"
)

// Companion records a camera's RAW or sidecar file, of which no photo can be made. stem
// is its name without the extension. If its folder has a JPEG with the same stem, or had
// one whose grace is not over, the file is no problem, and hasJPEG is true; otherwise it is
// a problem with the reason NotJPEG. When such a JPEG comes or goes later, the triggers
// companion_joined and companion_left change that. No activity is added, because a camera
// often uploads the RAW file a moment before its JPEG.
func (tx *Tx) Companion(a Account, place Place, id upload.Identity, stem string) (hasJPEG bool, err error) {
	if err := tx.requireAccount(a); err != nil {
		return false, err
	}
	jobID, err := tx.jobID(a, place.Job)
	if err != nil {
		return false, err
	}
	dir, name := splitPath(place.Path)
	err = tx.queryRow(`SELECT EXISTS (SELECT 1 FROM upload WHERE account_id = ?1 AND dir = ?2 AND name > ?3 AND name < ?4 AND stem = ?5 AND gone_at IS NULL)
		OR EXISTS (SELECT 1 FROM upload WHERE account_id = ?1 AND dir = ?2 AND name > ?3 AND name < ?4 AND stem = ?5 AND gone_at IS NOT NULL)`, a.ID, dir, []byte(stem+"."), []byte(stem+"/"), []byte(stem)).Scan(&hasJPEG)
	if err != nil {
		return false, err
	}
	reason, outcome := layout.NotJPEG, Outcome("")
	if hasJPEG {
		reason, outcome = "", Sidecar
	}
	if err := tx.countArriving(a, jobID, outcome); err != nil {
		return false, err
	}
	if err := tx.record(a, place.Path, id, jobID, 0, reason, 0); err != nil {
		return false, err
	}
	return hasJPEG, tx.execOne(`UPDATE upload SET companion = ? WHERE account_id = ? AND dir = ? AND name = ? AND gone_at IS NULL`, []byte(stem), a.ID, dir, name)
}

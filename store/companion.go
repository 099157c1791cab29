package store

// Companion enters a camera's RAW or side file, which no photo can be made of.
// While a JPEG of the same stem is in its folder, or has been missing for less
// than the grace, it is set aside: known, and no problem. The triggers
// companion_joined and companion_left see to what comes and goes later. It
// leaves no trace in the activity, because a camera's RAW file often arrives a
// moment before its JPEG.
func (tx *Tx) Companion(a Account, place Place, id Identity, stem string) (aside bool, err error) {
	if err := tx.remains(a); err != nil {
		return false, err
	}
	jobID, err := tx.jobID(a, place.Job)
	if err != nil {
		return false, err
	}
	dir, name := splitPath(place.Path)
	err = tx.QueryRow(`SELECT EXISTS (SELECT 1 FROM upload WHERE account_id = ?1 AND dir = ?2 AND name > ?3 AND name < ?4 AND stem = ?5 AND gone_at IS NULL)
		OR EXISTS (SELECT 1 FROM upload WHERE account_id = ?1 AND dir = ?2 AND name > ?3 AND name < ?4 AND stem = ?5 AND gone_at IS NOT NULL)`, a.ID, dir, []byte(stem+"."), []byte(stem+"/"), []byte(stem)).Scan(&aside)
	if err != nil {
		return false, err
	}
	reason := NotJPEG
	if aside {
		reason = ""
	}
	if err := tx.record(a, place.Path, id, jobID, 0, reason, 0); err != nil {
		return false, err
	}
	return aside, tx.change(`UPDATE upload SET companion = ? WHERE account_id = ? AND dir = ? AND name = ? AND gone_at IS NULL`, []byte(stem), a.ID, dir, name)
}

package store

import (
	"cmp"
	"database/sql"
	"path"
	"strings"
	"time"
)

// insertOriginal inserts an original and its renditions, if they are new.
func (tx *Tx) insertOriginal(o Original) error {
	c := o.Camera
	_, seconds := c.TakenAt.Zone()
	added, err := tx.execCount(`INSERT INTO original (sha256, bytes, width, height, taken_local, taken_zone, make, model, serial, unusual, codes)
		VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?) ON CONFLICT DO NOTHING`,
		o.SHA[:], o.Bytes, o.Width, o.Height, wall(c.TakenAt), sql.NullInt64{Int64: int64(seconds / 60), Valid: c.Zoned},
		c.Make, c.Model, c.Serial, o.Unusual, codesText(o.Codes))
	if err != nil {
		return err
	}
	if added == 0 {
		if err := tx.SetCodes(o.SHA, o.Codes); err != nil {
			return err
		}
	}
	changed, err := tx.insertRenditions(o.SHA, o.Renditions)
	if err == nil && changed && added == 0 {
		err = tx.lookChanged(o.SHA) // of the photos that showed it before
	}
	return err
}

type photoRow struct {
	accountID, jobID int64
	place            Place
	sha              SHA
	flags            string
	now              time.Time
}

// insertPhoto inserts a photo and returns its ID. If an operator has withdrawn this
// picture at this place, the new photo is withdrawn too, and the outcome is StillWithdrawn.
func (tx *Tx) insertPhoto(p photoRow) (id int64, outcome Outcome, err error) {
	stamp, err := tx.stamp()
	if err != nil {
		return 0, "", err
	}
	generation := int64(1)
	if p.place.Person != "" {
		if generation, err = tx.generation(p.accountID, p.place.Person); err != nil {
			return 0, "", err
		}
	}
	operator, err := tx.withdrawnByOperator(p)
	if err != nil {
		return 0, "", err
	}
	outcome = Added
	var withdrawn sql.NullInt64
	if operator != "" {
		outcome, withdrawn = StillWithdrawn, nullMillis(p.now)
	}
	// The link is made from the ID, which is known only after the insert. Until then
	// the row has 'new', which no link can be.
	res, err := tx.exec(`INSERT INTO photo (account_id, job_id, album, area, person, path, path_shown, file, sort, sha256, flags, link, ingested_at, generation, changed_at, withdrawn_at, withdrawn_by)
		VALUES (?, nullif(?, 0), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, ?, 'new', ?, ?, ?, ?, nullif(?, ''))`,
		p.accountID, p.jobID, p.place.Album, p.place.Area, p.place.Person, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown),
		p.place.sortKey(), p.sha[:], p.flags, millis(p.now), generation, stamp, withdrawn, operator)
	if err != nil {
		return 0, "", err
	}
	if id, err = res.LastInsertId(); err != nil {
		return 0, "", err
	}
	if err := tx.findBy(id, p, ""); err != nil {
		return 0, "", err
	}
	_, err = tx.setLink(id, p.accountID, p.place.Person, generation)
	if err == nil && outcome == StillWithdrawn {
		err = tx.photoEvent(id, EventWithdrawn, "", operator)
	}
	return id, outcome, err
}

// updatePhoto changes the row of a photo to what its file is now. was is the path before.
func (tx *Tx) updatePhoto(id int64, p photoRow) (outcome Outcome, was string, err error) {
	var sha []byte
	var withdrawn sql.NullInt64
	var operator string
	if err := tx.queryRow(`SELECT sha256, withdrawn_at, coalesce(withdrawn_by, ''), path_shown FROM photo WHERE id = ?`, id).
		Scan(&sha, &withdrawn, &operator, &was); err != nil {
		return "", "", err
	}
	same := asSHA(sha) == p.sha
	// Do not ask for a published photo whose picture stays the same: it stays published,
	// even if an operator has withdrawn the same picture at another path of the job.
	if !same || withdrawn.Valid {
		by, err := tx.withdrawnByOperator(p)
		if err != nil {
			return "", "", err
		}
		if !same {
			operator = ""
		}
		operator = cmp.Or(by, operator)
	}
	outcome = Unchanged
	switch {
	case operator != "":
		outcome = StillWithdrawn
	case withdrawn.Valid:
		outcome = Restored
	case !same:
		outcome = Replaced
	}
	if !same {
		if err := tx.addToHistory(id); err != nil {
			return "", "", err
		}
	}
	stamp, err := tx.stamp()
	if err != nil {
		return "", "", err
	}
	// A new picture's ingested_at is at least a second after the old one's, whatever the
	// clock says, because it becomes Last-Modified, which has whole seconds only.
	_, err = tx.exec(`UPDATE photo SET job_id = nullif(?1, 0), album = nullif(?2, ''), area = nullif(?3, ''), path = ?4, path_shown = ?5, file = ?6, sort = ?14,
		ingested_at = CASE WHEN sha256 = ?7 THEN ingested_at ELSE max(?8, ingested_at + 1000) END, sha256 = ?7, flags = ?9,
		withdrawn_at = CASE WHEN ?10 THEN coalesce(withdrawn_at, ?8) END, withdrawn_by = CASE WHEN ?10 THEN ?13 END, changed_at = ?11 WHERE id = ?12`,
		p.jobID, p.place.Album, p.place.Area, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown), p.sha[:], millis(p.now),
		strings.TrimSpace(p.flags), outcome == StillWithdrawn, stamp, id, operator, p.place.sortKey())
	if err == nil {
		err = tx.findBy(id, p, path.Base(was))
	}
	if err == nil && !same {
		err = tx.updateOtherShot(id, asSHA(sha), p, outcome)
	}
	if err == nil && outcome == StillWithdrawn {
		err = tx.noteWithdrawnByOperator(id, operator) // again, because the photo may have moved to another job
		if err == nil && !(same && withdrawn.Valid) {
			err = tx.photoEvent(id, EventWithdrawn, "", operator)
		}
	}
	return outcome, was, err
}

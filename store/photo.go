package store

import (
	"cmp"
	"database/sql"
	"path"
	"strings"
	"time"
)

func (tx *Tx) keepOriginal(o Original) error {
	c := o.Camera
	_, seconds := c.TakenAt.Zone()
	_, err := tx.Exec(`INSERT INTO original (sha256, bytes, width, height, taken_local, taken_zone, make, model, serial, unusual)
		VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''), nullif(?, ''), ?) ON CONFLICT DO NOTHING`,
		o.SHA[:], o.Bytes, o.Width, o.Height, wall(c.TakenAt), sql.NullInt64{Int64: int64(seconds / 60), Valid: c.Zoned},
		c.Make, c.Model, c.Serial, o.Unusual)
	if err != nil {
		return err
	}
	return tx.insertRenditions(o.SHA, o.Renditions)
}

type photoRow struct {
	accountID, jobID int64
	place            Place
	sha              SHA
	flags            string
	now              time.Time
}

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
	operator, err := tx.withheld(p)
	if err != nil {
		return 0, "", err
	}
	outcome = Added
	var withdrawn sql.NullInt64
	if operator != "" {
		outcome, withdrawn = Withheld, nullMillis(p.now)
	}
	// The link needs the id, the id needs the row: a name no link can have
	// stands in for the blink of the transaction.
	res, err := tx.Exec(`INSERT INTO photo (account_id, job_id, album, area, person, path, path_shown, file, sha256, flags, link, ingested_at, generation, changed_at, withdrawn_at, withdrawn_by)
		VALUES (?, nullif(?, 0), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, 'new', ?, ?, ?, ?, nullif(?, ''))`,
		p.accountID, p.jobID, p.place.Album, p.place.Area, p.place.Person, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown),
		p.sha[:], p.flags, millis(p.now), generation, stamp, withdrawn, operator)
	if err != nil {
		return 0, "", err
	}
	if id, err = res.LastInsertId(); err != nil {
		return 0, "", err
	}
	_, err = tx.setLink(id, p.accountID, p.place.Person, generation)
	if err == nil && outcome == Withheld {
		err = tx.photoEvent(id, EventWithdrawn, "", operator)
	}
	return id, outcome, err
}

// updatePhoto makes the row of a photo say what its file is now, and tells
// the path it had before.
func (tx *Tx) updatePhoto(id int64, p photoRow) (outcome Outcome, was string, err error) {
	var sha []byte
	var withdrawn sql.NullInt64
	var operator string
	if err := tx.QueryRow(`SELECT sha256, withdrawn_at, coalesce(withdrawn_by, ''), path_shown FROM photo WHERE id = ?`, id).
		Scan(&sha, &withdrawn, &operator, &was); err != nil {
		return "", "", err
	}
	same := asSHA(sha) == p.sha
	// What is published goes on being so, whatever was decided elsewhere.
	if !same || withdrawn.Valid {
		by, err := tx.withheld(p)
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
		outcome = Withheld
	case withdrawn.Valid:
		outcome = Restored
	case !same:
		outcome = Replaced
	}
	if !same {
		if err := tx.toHistory(id); err != nil {
			return "", "", err
		}
	}
	stamp, err := tx.stamp()
	if err != nil {
		return "", "", err
	}
	// At least a second later than the picture before, whatever the clock says:
	// HTTP tells versions apart by whole seconds (Last-Modified).
	_, err = tx.Exec(`UPDATE photo SET job_id = nullif(?1, 0), album = nullif(?2, ''), area = nullif(?3, ''), path = ?4, path_shown = ?5, file = ?6,
		ingested_at = CASE WHEN sha256 = ?7 THEN ingested_at ELSE max(?8, ingested_at + 1000) END, sha256 = ?7, flags = ?9,
		withdrawn_at = CASE WHEN ?10 THEN coalesce(withdrawn_at, ?8) END, withdrawn_by = CASE WHEN ?10 THEN ?13 END, changed_at = ?11 WHERE id = ?12`,
		p.jobID, p.place.Album, p.place.Area, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown), p.sha[:], millis(p.now),
		strings.TrimSpace(p.flags), outcome == Withheld, stamp, id, operator)
	if err == nil && !same {
		err = tx.notice(id, asSHA(sha), p, outcome)
	}
	if err == nil && outcome == Withheld {
		err = tx.withhold(id, operator) // it may have come to another job
		if err == nil && !(same && withdrawn.Valid) {
			err = tx.photoEvent(id, EventWithdrawn, "", operator)
		}
	}
	return outcome, was, err
}

package store

import (
	"database/sql"
	"errors"
	"path"
	"strings"
	"time"
)

func (tx *Tx) keepOriginal(o Original) error {
	c := o.Camera
	_, minutes := c.TakenAt.Zone()
	_, err := tx.Exec(`INSERT INTO original (sha256, bytes, width, height, taken_at, taken_zone, make, model, serial)
		VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''), nullif(?, ''), nullif(?, '')) ON CONFLICT DO NOTHING`,
		o.SHA[:], o.Bytes, o.Width, o.Height, nullMillis(c.TakenAt), sql.NullInt64{Int64: int64(minutes / 60), Valid: c.Zoned},
		c.Make, c.Model, c.Serial)
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

func (tx *Tx) insertPhoto(p photoRow) (int64, error) {
	stamp, err := tx.stamp()
	if err != nil {
		return 0, err
	}
	generation := int64(1)
	if p.place.Person != "" {
		if generation, err = tx.generation(p.accountID, p.place.Person); err != nil {
			return 0, err
		}
	}
	// The link needs the id, the id needs the row: a name no link can have
	// stands in for the blink of the transaction.
	res, err := tx.Exec(`INSERT INTO photo (account_id, job_id, album, area, person, path, path_shown, file, sha256, flags, link, ingested_at, generation, changed_at)
		VALUES (?, nullif(?, 0), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, 'new', ?, ?, ?)`,
		p.accountID, p.jobID, p.place.Album, p.place.Area, p.place.Person, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown),
		p.sha[:], p.flags, millis(p.now), generation, stamp)
	if err != nil {
		return 0, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return 0, err
	}
	_, err = tx.setLink(id, p.accountID, p.place.Person, generation)
	return id, err
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
	same := SHA(sha) == p.sha
	outcome = Unchanged
	switch {
	case withdrawn.Valid && operator != "" && same:
		// Somebody has decided that this picture is not to be seen; that its
		// file is touched, moved or uploaded once more changes nothing.
		outcome = Withheld
	case withdrawn.Valid:
		outcome = Restored
	case !same:
		outcome = Replaced
	}
	if !same {
		if _, err := tx.Exec(`INSERT INTO history SELECT id, sha256, ingested_at, max(?, ingested_at + 1000), withdrawn_by FROM photo WHERE id = ?`, millis(p.now), id); err != nil {
			return "", "", err
		}
		// The decision is about a picture: it holds again when that one comes back.
		err := tx.QueryRow(`SELECT withdrawn_by FROM history WHERE photo_id = ? AND sha256 = ? AND withdrawn_by IS NOT NULL`, id, p.sha[:]).Scan(&operator)
		switch {
		case err == nil:
			outcome = Withheld
			if err := tx.photoEvent(id, EventWithdrawn, "", operator); err != nil {
				return "", "", err
			}
		case !errors.Is(err, sql.ErrNoRows):
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
	return outcome, was, err
}

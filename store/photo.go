package store

import (
	"database/sql"
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
	// The link needs the id, the id needs the row: a name no link can have
	// stands in for the blink of the transaction.
	res, err := tx.Exec(`INSERT INTO photo (account_id, job_id, album, area, person, path, path_shown, file, sha256, flags, link, ingested_at)
		VALUES (?, nullif(?, 0), nullif(?, ''), nullif(?, ''), nullif(?, ''), ?, ?, ?, ?, ?, 'new', ?)`,
		p.accountID, p.jobID, p.place.Album, p.place.Area, p.place.Person, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown),
		p.sha[:], p.flags, millis(p.now))
	if err != nil {
		return 0, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return 0, err
	}
	subject := photoSubject(id)
	if p.place.Person != "" {
		subject = personSubject(p.place.Person)
	}
	link, err := tx.s.link(p.accountID, subject, 1)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(`UPDATE photo SET link = ? WHERE id = ?`, link, id)
	return id, err
}

func (tx *Tx) updatePhoto(id int64, p photoRow) (Outcome, error) {
	var sha []byte
	var withdrawn sql.NullInt64
	if err := tx.QueryRow(`SELECT sha256, withdrawn_at FROM photo WHERE id = ?`, id).Scan(&sha, &withdrawn); err != nil {
		return "", err
	}
	outcome := Unchanged
	if withdrawn.Valid {
		outcome = Restored
	}
	if SHA(sha) != p.sha {
		if _, err := tx.Exec(`INSERT INTO history SELECT id, sha256, ingested_at, ? FROM photo WHERE id = ?`, millis(p.now), id); err != nil {
			return "", err
		}
		if outcome == Unchanged {
			outcome = Replaced
		}
	}
	// At least a second later than the picture before, whatever the clock says:
	// HTTP tells versions apart by whole seconds (Last-Modified).
	_, err := tx.Exec(`UPDATE photo SET job_id = nullif(?1, 0), album = nullif(?2, ''), area = nullif(?3, ''), path = ?4, path_shown = ?5, file = ?6,
		ingested_at = CASE WHEN sha256 = ?7 THEN ingested_at ELSE max(?8, ingested_at + 1000) END, sha256 = ?7, flags = ?9, withdrawn_at = NULL WHERE id = ?10`,
		p.jobID, p.place.Album, p.place.Area, []byte(p.place.Path), p.place.Shown, path.Base(p.place.Shown), p.sha[:], millis(p.now),
		strings.TrimSpace(p.flags), id)
	return outcome, err
}

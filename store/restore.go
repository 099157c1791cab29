package store

import (
	"context"
	"database/sql"
	"errors"

	"picday/internal/upload"
)

// Blank tells whether the catalogue has no accounts, photos, operators and tokens. Only
// such a catalogue may be replaced by a restore.
func (s *Store) Blank(ctx context.Context) (blank bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM account) AND NOT EXISTS (SELECT 1 FROM photo)
		AND NOT EXISTS (SELECT 1 FROM original) AND NOT EXISTS (SELECT 1 FROM operator) AND NOT EXISTS (SELECT 1 FROM token)`).Scan(&blank)
	return blank, err
}

// ForgetUploads prepares a catalogue for another upload volume. It deletes all upload
// rows and returns, by account ID, the IDs of the photos whose files have to be put
// back. Until EnterFile is called for a photo, its missing file is not taken for a
// deletion. If several photos share a path, it moves those without an upload row to the
// trash, and returns their number as trashed.
func (tx *Tx) ForgetUploads() (photos map[int64][]int64, trashed int, err error) {
	const file = `EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id AND gone_at IS NULL)`
	doubles, err := column[int64](tx.ctx, tx.t, `SELECT id FROM photo WHERE withdrawn_at IS NULL AND NOT `+file+`
		AND EXISTS (SELECT 1 FROM photo p WHERE p.account_id = photo.account_id AND p.path = photo.path AND p.withdrawn_at IS NULL AND p.id <> photo.id
			AND (p.id > photo.id OR EXISTS (SELECT 1 FROM upload WHERE photo_id = p.id AND gone_at IS NULL)))`)
	if err != nil {
		return nil, 0, err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return nil, 0, err
	}
	for _, id := range doubles {
		if err := tx.execOne(`UPDATE photo SET withdrawn_at = ?, changed_at = ? WHERE id = ?`, millis(tx.now), stamp, id); err != nil {
			return nil, 0, err
		}
		if err := tx.photoEvent(id, EventWithdrawn, "", ""); err != nil {
			return nil, 0, err
		}
	}
	// A withdrawn photo with a file was withdrawn by an operator, and stays so.
	rows, err := collect(tx.ctx, tx.t, func(r *sql.Rows) (v [2]int64, err error) {
		return v, r.Scan(&v[0], &v[1])
	}, `SELECT account_id, id FROM photo WHERE withdrawn_at IS NULL OR `+file+` ORDER BY path`)
	if err != nil {
		return nil, 0, err
	}
	photos = map[int64][]int64{}
	for _, r := range rows {
		photos[r[0]] = append(photos[r[0]], r[1])
	}
	if _, err := tx.exec(`DELETE FROM upload`); err != nil {
		return nil, 0, err
	}
	// The time in the trash begins again, because some of these photos get no file.
	if _, err := tx.exec(`UPDATE photo SET withdrawn_at = ? WHERE withdrawn_by IS NOT NULL`, millis(tx.now)); err != nil {
		return nil, 0, err
	}
	return photos, len(doubles), tx.BeginAgain()
}

// BeginAgain prepares an earlier copy of the catalogue to be used: what was done after it was
// made is not known.
func (tx *Tx) BeginAgain() error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	// Followers cannot be told which photos that concerns.
	if _, err := tx.exec(`UPDATE tally SET forgotten = ?`, stamp); err != nil {
		return err
	}
	if err := startIDsAfter(tx.ctx, tx.t, unusedID(tx.now)); err != nil {
		return err
	}
	// What was found to be a card since must not be shown again.
	if _, err := tx.exec(`UPDATE original SET held = 1 WHERE codes IS NULL`); err != nil {
		return err
	}
	// A session that was ended since must not be valid again.
	if _, err := tx.exec(`DELETE FROM session`); err != nil {
		return err
	}
	// What waited in the outbox has been delivered since, or is of no use on another
	// machine; and files that are put back are no uploads.
	for _, q := range []string{
		`UPDATE delivery SET state = 'given-up', at = ? WHERE state = 'waiting'`,
		`DELETE FROM lane WHERE ?`, `DELETE FROM told WHERE ?`, `DELETE FROM arriving WHERE ?`,
	} {
		if _, err := tx.exec(q, millis(tx.now)); err != nil {
			return err
		}
	}
	// Undo activations that were running when the copy was made.
	_, err = tx.exec(`UPDATE job SET state = 'planned' WHERE state = 'activating'`)
	return err
}

// PhotoByID finds one photo of an account, to put its file back. Only its path, job,
// hash and size are set, and only they can be flawed: a flawed link keeps no file away.
func (s *Store) PhotoByID(ctx context.Context, a Account, id int64) (p Photo, err error) {
	p = Photo{ID: id, Account: a.Name}
	var path, sha []byte
	err = s.read.QueryRowContext(ctx, `SELECT p.path, p.path_shown, coalesce(j.name, ''), p.sha256, o.bytes
		FROM photo p JOIN original o USING (sha256) LEFT JOIN job j ON j.id = p.job_id WHERE p.id = ? AND p.account_id = ?`, id, a.ID).
		Scan(&path, &p.Path, &p.Job, &sha, &p.Bytes)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNotFound
	}
	if err != nil {
		return p, err
	}
	p.RawPath = string(path)
	p.parse(sha)
	return p, p.Flawed()
}

// EnterFile records the file that was put back for a photo.
func (tx *Tx) EnterFile(a Account, p Photo, id upload.Identity) error {
	jobID, err := tx.jobID(a, p.Job)
	if err != nil {
		return err
	}
	return tx.record(a, p.RawPath, id, jobID, p.ID, "", 0)
}

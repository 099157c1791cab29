package store

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Trashed finds the withdrawn photo that an uploader calls path, the newest if
// there are several, and only one whose SHA-256 begins with sha.
func (s *Store) Trashed(ctx context.Context, account, path, sha string) (Photo, error) {
	var found []Photo
	err := s.Photos(ctx, PhotoFilter{Account: account, Withdrawn: true, Path: path}, func(p Photo) error {
		if strings.HasPrefix(p.SHA.String(), sha) {
			found = append(found, p)
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("nothing in the trash of %q was called %q: %w", account, path, ErrNotFound)
	}
	if err != nil {
		return Photo{}, err
	}
	newest := found[0]
	for _, p := range found {
		if p.WithdrawnAt.After(newest.WithdrawnAt) {
			newest = p
		}
	}
	return newest, nil
}

// Restore publishes a withdrawn photo again, as the file with that identity.
// The daemon may have seen the file and done so already; that is as good.
func (tx *Tx) Restore(a Account, p Photo, id Identity) error {
	if err := tx.putBack(p.ID, ""); err != nil {
		return err
	}
	jobID, err := tx.jobID(a, p.Job)
	if err != nil {
		return err
	}
	// Another photo that was here until its file went, which nobody has told
	// us yet: it must go on waiting for its end, not lose its file to this one.
	live, isLive, err := uploadAt(context.Background(), tx, a.ID, p.RawPath)
	if err == nil && isLive && live.PhotoID != 0 && live.PhotoID != p.ID {
		err = tx.markGone(live.ID)
	}
	if err != nil {
		return err
	}
	return tx.record(a, p.RawPath, id, jobID, p.ID, "", 0)
}

// Empty ends the photos in the trash of one account, or (zero) of all, and
// tells how many. Their files go when the daemon collects.
func (tx *Tx) Empty(accountID int64) (int64, error) {
	return tx.count(`DELETE FROM photo WHERE withdrawn_at IS NOT NULL AND (?1 = 0 OR account_id = ?1)`+ended, accountID)
}

// ended: what an operator has withdrawn while its file is there is kept. If
// its row went, the next touch of the file would publish it as a new photo.
const ended = ` AND NOT (withdrawn_by IS NOT NULL AND EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id))`

// Expire ends the photos withdrawn, and the pictures replaced, longer ago
// than keep.
func (tx *Tx) Expire(keep time.Duration) (int64, error) {
	before := millis(tx.now.Add(-keep))
	n, err := tx.count(`DELETE FROM photo WHERE withdrawn_at < ?`+ended, before)
	if err != nil {
		return n, err
	}
	if _, err := tx.Exec(`DELETE FROM activity WHERE at < ?`, millis(tx.now.Add(-activityKeep))); err != nil {
		return n, err
	}
	m, err := tx.count(`DELETE FROM history WHERE replaced_at < ?`, before)
	return n + m, err
}

// Expired tells whether Expire or Collect would find something to do.
func (s *Store) Expired(ctx context.Context, keep time.Duration) (yes bool, err error) {
	before := millis(time.Now().Add(-keep))
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM photo WHERE withdrawn_at < ?1`+ended+`)
		OR EXISTS (SELECT 1 FROM activity WHERE at < ?2)
		OR EXISTS (SELECT 1 FROM history WHERE replaced_at < ?1)
		OR EXISTS (SELECT 1 FROM original o WHERE NOT EXISTS (SELECT 1 FROM photo WHERE sha256 = o.sha256)
			AND NOT EXISTS (SELECT 1 FROM history WHERE sha256 = o.sha256))`, before, millis(time.Now().Add(-activityKeep))).Scan(&yes)
	return yes, err
}

func (tx *Tx) count(query string, args ...any) (int64, error) {
	res, err := tx.Exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

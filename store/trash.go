package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
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
	return newest, newest.Flawed()
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
// tells how many; at most limit are looked at, from the first one behind the
// cursor. Their files go when the daemon collects.
func (tx *Tx) Empty(accountID int64, from Cursor, limit int) (int64, Cursor, error) {
	return tx.end(accountID, math.MaxInt64, from, limit)
}

// end ends photos that were withdrawn before a moment, in milliseconds. What an operator has
// withdrawn while its file is there is kept: if its row went, the next touch
// of the file would publish it as a new photo.
func (tx *Tx) end(accountID int64, before int64, from Cursor, limit int) (n int64, to Cursor, err error) {
	type row struct {
		id, at int64
		kept   bool
	}
	var w where
	w.number("account_id = ?", accountID)
	w.add("(withdrawn_at, id) > (?, ?) AND withdrawn_at < ?", from.At, from.ID, before)
	all, err := collect(context.Background(), tx, func(r *sql.Rows) (v row, err error) {
		return v, r.Scan(&v.id, &v.at, &v.kept)
	}, `SELECT id, withdrawn_at, withdrawn_by IS NOT NULL AND EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id)
		FROM photo `+w.sql()+` ORDER BY withdrawn_at, id LIMIT ?`, append(w.args, limit)...)
	to = Cursor{At: from.At, ID: from.ID}
	for _, v := range all {
		to.At, to.ID = v.at, v.id
		if v.kept {
			continue
		}
		if err := tx.change(`DELETE FROM photo WHERE id = ?`, v.id); err != nil {
			return n, to, err
		}
		n++
	}
	to.More = len(all) == limit
	return n, to, err
}

// Expire ends the photos withdrawn, and the pictures replaced, longer ago
// than keep, and activity that is too old: at most limit of each, photos from
// the first one behind the cursor. It tells how many photos and pictures.
func (tx *Tx) Expire(keep time.Duration, from Cursor, limit int) (n int64, to Cursor, err error) {
	before := millis(tx.now.Add(-keep))
	n, to, err = tx.end(0, before, from, limit)
	if err != nil {
		return n, to, err
	}
	old, err := tx.count(`DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE at < ? ORDER BY at LIMIT ?)`,
		millis(tx.now.Add(-activityKeep)), limit)
	if err != nil {
		return n, to, err
	}
	replaced, err := tx.count(`DELETE FROM history WHERE rowid IN (SELECT rowid FROM history WHERE replaced_at < ? ORDER BY replaced_at LIMIT ?)`,
		before, limit)
	to.More = to.More || old == int64(limit) || replaced == int64(limit)
	return n + replaced, to, err
}

// TrimActivity takes away what an account has beyond the most lines of
// activity, the oldest first, at most limit of each account. more: there are
// more left.
func (tx *Tx) TrimActivity(most, limit int) (more bool, err error) {
	type over struct {
		account int64
		n       int
	}
	all, err := collect(context.Background(), tx, func(r *sql.Rows) (v over, err error) {
		return v, r.Scan(&v.account, &v.n)
	}, `SELECT account_id, activity - ?1 FROM tally WHERE activity > ?1`, most)
	for _, v := range all {
		if _, err := tx.Exec(`DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE account_id = ? ORDER BY id LIMIT ?)`,
			v.account, min(v.n, limit)); err != nil {
			return false, err
		}
		more = more || v.n > limit
	}
	return more, err
}

// Expired tells whether Expire, TrimActivity or Collect might find something to
// do.
func (s *Store) Expired(ctx context.Context, keep time.Duration, mostActivity int) (yes bool, err error) {
	before := millis(time.Now().Add(-keep))
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM photo WHERE withdrawn_at < ?1)
		OR EXISTS (SELECT 1 FROM activity WHERE at < ?2)
		OR EXISTS (SELECT 1 FROM history WHERE replaced_at < ?1)
		OR EXISTS (SELECT 1 FROM tally WHERE activity > ?3)
		OR EXISTS (SELECT 1 FROM original WHERE refs = 0)`, before, millis(time.Now().Add(-activityKeep)), mostActivity).Scan(&yes)
	return yes, err
}

func (tx *Tx) count(query string, args ...any) (int64, error) {
	res, err := tx.Exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

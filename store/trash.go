package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"picday/internal/upload"
)

// Trashed finds the withdrawn photo at a path (shown form) of an account whose SHA-256
// begins with sha (hex), the newest if there are several.
func (v View) Trashed(ctx context.Context, account, path, sha string) (Photo, error) {
	all, err := v.Photos(ctx, PhotoQuery{Account: account, Show: ShowWithdrawn, Path: path})
	if err != nil {
		return Photo{}, err
	}
	all = slices.DeleteFunc(all, func(p Photo) bool { return !strings.HasPrefix(p.SHA.String(), sha) })
	if len(all) == 0 {
		return Photo{}, fmt.Errorf("nothing in the trash of %q was called %q: %w", account, path, ErrNotFound)
	}
	newest := slices.MaxFunc(all, func(a, b Photo) int { return a.WithdrawnAt.Compare(b.WithdrawnAt) })
	return newest, newest.Flawed()
}

// Restore publishes a withdrawn photo again and records the file with that identity. It
// also succeeds if the daemon has processed the file already. operator is who did it on the
// pages, "" = root's tool.
func (tx *Tx) Restore(a Account, p Photo, id upload.Identity, operator string) error {
	if err := tx.publishAgain(p.ID, operator); err != nil {
		return err
	}
	jobID, err := tx.jobID(a, p.Job)
	if err != nil {
		return err
	}
	// If another photo had a file at this path, and that file is gone without the
	// catalogue knowing, that photo must wait for its grace and not get this file.
	live, isLive, err := uploadAt(tx.ctx, tx.t, a.ID, p.RawPath)
	if err == nil && isLive && live.PhotoID != 0 && live.PhotoID != p.ID {
		err = tx.markMissing(live.ID)
	}
	if err != nil {
		return err
	}
	return tx.record(a, p.RawPath, id, jobID, p.ID, "", 0)
}

// EmptyTrash ends the photos in the trash of one account, or (zero) of all, and returns how
// many. It reads at most limit rows after from. Collect deletes their files later.
func (tx *Tx) EmptyTrash(accountID int64, from SweepPosition, limit int) (int64, SweepPosition, error) {
	return tx.deleteWithdrawn(accountID, math.MaxInt64, from, limit)
}

// deleteWithdrawn deletes the rows of photos that were withdrawn before a time, in milliseconds. It
// keeps a photo that an operator has withdrawn while its file exists: without the row,
// the next change of the file would publish it as a new photo.
func (tx *Tx) deleteWithdrawn(accountID int64, before int64, from SweepPosition, limit int) (n int64, to SweepPosition, err error) {
	type row struct {
		id, at, account int64
		file            string
		kept            bool
	}
	var w where
	w.number("account_id = ?", accountID)
	w.add("(withdrawn_at, id) > (?, ?) AND withdrawn_at < ?", from.At, from.ID, before)
	all, err := collect(tx.ctx, tx.t, func(r *sql.Rows) (v row, err error) {
		return v, r.Scan(&v.id, &v.at, &v.account, &v.file, &v.kept)
	}, `SELECT id, withdrawn_at, account_id, file, withdrawn_by IS NOT NULL AND EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id)
		FROM photo `+w.sql()+` ORDER BY withdrawn_at, id LIMIT ?`, append(w.args, limit)...)
	to = SweepPosition{At: from.At, ID: from.ID}
	for _, v := range all {
		to.At, to.ID = v.at, v.id
		if v.kept {
			continue
		}
		if err := tx.findNoMore(v.id, v.account, v.file); err != nil {
			return n, to, err
		}
		if err := tx.execOne(`DELETE FROM photo WHERE id = ?`, v.id); err != nil {
			return n, to, err
		}
		n++
	}
	to.More = len(all) == limit
	return n, to, err
}

// Expire ends the photos that were withdrawn, and the pictures that were replaced,
// longer ago than keep, and deletes activity that is too old: at most limit of each,
// photos after from. n is the number of photos and pictures.
func (tx *Tx) Expire(keep time.Duration, from SweepPosition, limit int) (n int64, to SweepPosition, err error) {
	before := millis(tx.now.Add(-keep))
	n, to, err = tx.deleteWithdrawn(0, before, from, limit)
	if err != nil {
		return n, to, err
	}
	old, err := tx.execCount(`DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE at < ? ORDER BY at LIMIT ?)`,
		millis(tx.now.Add(-activityKeep)), limit)
	if err != nil {
		return n, to, err
	}
	replaced, err := tx.execCount(`DELETE FROM history WHERE rowid IN (SELECT rowid FROM history WHERE replaced_at < ? ORDER BY replaced_at LIMIT ?)`,
		before, limit)
	to.More = to.More || old == int64(limit) || replaced == int64(limit)
	return n + replaced, to, err
}

// TrimActivity deletes the oldest activity of each account beyond most entries, at most
// limit per account. more tells that some is left.
func (tx *Tx) TrimActivity(most, limit int) (more bool, err error) {
	type over struct {
		account int64
		n       int
	}
	all, err := collect(tx.ctx, tx.t, func(r *sql.Rows) (v over, err error) {
		return v, r.Scan(&v.account, &v.n)
	}, `SELECT account_id, activity - ?1 FROM tally WHERE activity > ?1`, most)
	for _, v := range all {
		if _, err := tx.exec(`DELETE FROM activity WHERE id IN (SELECT id FROM activity WHERE account_id = ? ORDER BY id LIMIT ?)`,
			v.account, min(v.n, limit)); err != nil {
			return false, err
		}
		more = more || v.n > limit
	}
	return more, err
}

// Expired tells whether Expire, TrimActivity or Collect may have something to do.
func (s *Store) Expired(ctx context.Context, keep time.Duration, mostActivity int) (yes bool, err error) {
	before := millis(time.Now().Add(-keep))
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM photo WHERE withdrawn_at < ?1)
		OR EXISTS (SELECT 1 FROM activity WHERE at < ?2)
		OR EXISTS (SELECT 1 FROM history WHERE replaced_at < ?1)
		OR EXISTS (SELECT 1 FROM tally WHERE activity > ?3)
		OR EXISTS (SELECT 1 FROM original WHERE refs = 0)`, before, millis(time.Now().Add(-activityKeep)), mostActivity).Scan(&yes)
	return yes, err
}

package store

import (
	"context"
	"database/sql"
	"errors"

	"picday/internal/layout"
	"picday/internal/upload"
)

// FilesLeft is how many files more an account may have; 0 or less: none. Those of
// active jobs do not count, because their uploader can delete none of them, nor
// do those that are listed because they wait.
func (s *Store) FilesLeft(ctx context.Context, accountID int64, most int) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, `SELECT files FROM tally WHERE account_id = ?`, accountID).Scan(&n)
	if err != nil || n < most/2 {
		return most - n, err // close enough; this runs for every new file
	}
	err = s.read.QueryRowContext(ctx, `SELECT t.files - (SELECT coalesce(sum(files), 0) FROM job WHERE account_id = ?1 AND state = 'active')
		- (SELECT coalesce(sum(files), 0) FROM problem_tally WHERE account_id = ?1 AND reason IN (?2, ?3)) FROM tally t WHERE t.account_id = ?1`, accountID, layout.TooManyFiles, layout.TooManyFolders).Scan(&n)
	return most - n, err
}

// KnownFile tells whether a file was processed before: an upload with its path, also a
// missing one, or with its inode exists.
func (s *Store) KnownFile(ctx context.Context, accountID int64, path string, id upload.Identity) (known bool, err error) {
	dir, name := splitPath(path)
	low := id.Bytes()[:16]
	high := upload.Identity{Volume: id.Volume, Ino: id.Ino, Size: -1, Ctime: -1}.Bytes()
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM upload WHERE account_id = ?1 AND dir = ?2 AND name = ?3 AND gone_at IS NULL AND reason IS NOT ?6)
		OR EXISTS (SELECT 1 FROM upload WHERE account_id = ?1 AND dir = ?2 AND name = ?3 AND gone_at IS NOT NULL)
		OR EXISTS (SELECT 1 FROM upload WHERE identity >= ?4 AND identity <= ?5 AND +account_id = ?1 AND +reason IS NOT ?6)`,
		accountID, dir, name, low, high, layout.TooManyFiles).Scan(&known)
	return known, err
}

// Holds tells whether a folder has processed files, in it or below it.
func (s *Store) Holds(ctx context.Context, accountID int64, dir string) (bool, error) {
	found, err := column[int](ctx, s.read, `SELECT 1 FROM upload WHERE account_id = ? AND gone_at IS NULL AND dir = ? LIMIT 1`, accountID, []byte(dir))
	if err == nil && len(found) == 0 {
		// 0x30 is the byte after '/'.
		found, err = column[int](ctx, s.read, `SELECT 1 FROM upload WHERE account_id = ? AND gone_at IS NULL AND dir > ? AND dir < ? LIMIT 1`,
			accountID, []byte(dir+"/"), []byte(dir+"0"))
	}
	return len(found) > 0, err
}

// HasWaiting tells whether a file or folder of the account is listed as waiting for
// the limit that the reason names.
func (s *Store) HasWaiting(ctx context.Context, accountID int64, reason layout.Reason) (yes bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT files > 0 FROM problem_tally WHERE account_id = ? AND reason = ?`, accountID, reason).Scan(&yes)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return yes, err
}

// AccountsWaiting lists the accounts in which something waits for that limit.
func (s *Store) AccountsWaiting(ctx context.Context, reason layout.Reason) ([]string, error) {
	return column[string](ctx, s.read, `SELECT a.name FROM problem_tally t JOIN account a ON a.id = t.account_id
		WHERE t.reason = ? AND t.files > 0 AND a.state IN ('enabled', 'disabled') ORDER BY a.name`, reason)
}

// AddWaiting enters a file or folder that waits for the limit that the reason names,
// as the only one of its account: of files the first stays, of folders the last,
// which is the one that the watcher gives out.
func (tx *Tx) AddWaiting(a Account, place Place, id upload.Identity, reason layout.Reason, disk Disk) error {
	dir, name := splitPath(place.Path)
	others, err := column[int64](tx.ctx, tx.t, `SELECT id FROM upload WHERE account_id = ? AND reason = ? AND gone_at IS NULL AND NOT (dir = ? AND name = ?) LIMIT 2`,
		a.ID, reason, dir, name)
	if err != nil {
		return err
	}
	for _, other := range others {
		if reason == layout.TooManyFiles {
			return nil
		}
		if _, err := tx.exec(`DELETE FROM upload WHERE id = ?`, other); err != nil {
			return err
		}
	}
	return tx.Problem(a, place, id, reason, 0, disk)
}

// RemoveWaiting forgets the files of an account that are listed as waiting.
func (tx *Tx) RemoveWaiting(a Account) error {
	_, err := tx.exec(`DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE account_id = ? AND reason = ? AND gone_at IS NULL LIMIT 2)`, a.ID, layout.TooManyFiles)
	return err
}

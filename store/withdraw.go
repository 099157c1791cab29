package store

import (
	"bytes"
	"context"
	"database/sql"
	"path"
	"slices"
	"strings"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

// markMissing starts the grace of a missing file. If its photo shows an earlier picture
// after Revert, the photo does not depend on this file: it stays, and the upload row is
// deleted.
func (tx *Tx) markMissing(id int64) error {
	photos, err := column[int64](tx.ctx, tx.t, `DELETE FROM upload WHERE id = ? AND reason IS NOT NULL
		AND EXISTS (SELECT 1 FROM photo WHERE id = upload.photo_id AND declined IS NOT NULL) RETURNING photo_id`, id)
	if err != nil {
		return err
	}
	for _, photo := range photos {
		return tx.restartTrashTime(photo)
	}
	_, err = tx.exec(`UPDATE upload SET gone_at = ? WHERE id = ?`, millis(tx.now), id)
	return err
}

// restartTrashTime restarts the time in the trash of a photo that an operator has withdrawn,
// if it has no upload row left. Until then its file kept it from expiring.
func (tx *Tx) restartTrashTime(photoID int64) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	_, err = tx.exec(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE id = ?2 AND withdrawn_by IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?2)`, millis(tx.now), photoID, stamp)
	return err
}

// below lists at most limit present uploads at a path and anywhere below it, in the order
// of their directories and names, beginning after the path from ("" = all). It makes three
// queries, each with a range of one index, because SQLite would scan all uploads of the
// account for one query with OR. The directories below path are between path+"/" and
// path+"0", because '0' is the byte after '/'.
func (tx *Tx) below(accountID int64, path, from string, limit int) (all []Upload, err error) {
	ctx := tx.ctx
	dir, name := splitPath(from)
	if from == "" || from == path {
		if u, found, err := uploadAt(ctx, tx.t, accountID, path); err != nil {
			return nil, err
		} else if found && from == "" {
			all = append(all, u)
		}
		dir, name = []byte(path), nil
	}
	if string(dir) == path {
		inside, err := collect(ctx, tx.t, scanUpload, uploadColumns+`WHERE account_id = ? AND gone_at IS NULL AND dir = ? AND name > ? ORDER BY name LIMIT ?`,
			accountID, dir, append([]byte{}, name...), limit-len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, inside...)
		dir, name = []byte(path+"/"), nil
	}
	deeper, err := collect(ctx, tx.t, scanUpload, uploadColumns+`WHERE account_id = ? AND gone_at IS NULL AND (dir, name) > (?, ?) AND dir < ? ORDER BY dir, name LIMIT ?`,
		accountID, dir, append([]byte{}, name...), []byte(path+"0"), limit-len(all))
	return append(all, deeper...), err
}

// Missing checks the uploads at and below a path that seems to be gone. For each whose
// file is absent it starts the grace, or deletes the row if it has no photo. It withdraws
// nothing. It returns the paths of those uploads. It checks at most limit uploads,
// beginning after the path from ("" = all); next is the last that it checked, "" if there
// are no more.
func (tx *Tx) Missing(a Account, path, from string, limit int, disk Disk) (paths []string, next string, err error) {
	uploads, err := tx.below(a.ID, path, from, limit)
	if err != nil {
		return nil, "", err
	}
	if len(uploads) == limit {
		next = uploads[limit-1].Path
	}
	for i, u := range uploads {
		if tx.budget.beyond(9) && i > 0 {
			next = uploads[i-1].Path
			break
		}
		if presence, _ := disk.Look(tx.ctx, a.Name, u.Path); presence != Absent && u.Reason != layout.TooManyFolders {
			// The row of TooManyFolders is of a folder, not of a file. The caller asks
			// because the watcher has listed that folder by now, so the row is obsolete.
			continue
		}
		if u.PhotoID == 0 {
			_, err = tx.exec(`DELETE FROM upload WHERE id = ?`, u.ID)
		} else {
			err = tx.markMissing(u.ID)
		}
		if err != nil {
			return nil, "", err
		}
		paths = append(paths, u.Path)
	}
	if len(paths) == 0 {
		return nil, next, nil
	}
	return paths, next, disk.Verify(tx.ctx)
}

// A Withdrawal describes a photo that Withdraw has unpublished.
type Withdrawal struct {
	Account, Path string // Path is the shown one
	Person        string
}

// A SweepPosition is how far a sweep has come. A sweep goes through rows in the order of a
// time and their ID, with a limit per transaction, so that each transaction is short and a
// row that cannot be processed now does not block those after it. The zero position is the
// start.
type SweepPosition struct {
	At   int64 // milliseconds since 1970, of the last row
	ID   int64 // of the last row
	More bool  // the sweep stopped at its limit, so there may be more rows
}

// Overdue tells whether Withdraw would check any file, so that the caller needs no write
// transaction to find out.
func (s *Store) Overdue(ctx context.Context, grace time.Duration, from SweepPosition) (yes bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM upload WHERE (gone_at, id) > (?, ?) AND gone_at <= ?)`,
		from.At, from.ID, millis(time.Now().Add(-grace))).Scan(&yes)
	return yes, err
}

// Withdraw unpublishes the photos whose files have been missing for longer than the
// grace. It checks at most limit files after from, and returns the position of the
// last one. It checks again, inside the transaction, that the file is absent, that the
// upload volume is the known one, and that the job is planned. A photo for which this is
// in doubt stays published until the next sweep.
func (tx *Tx) Withdraw(grace time.Duration, from SweepPosition, limit int, disk Disk) (done []Withdrawal, to SweepPosition, err error) {
	ctx := tx.ctx
	uploads, err := collect(ctx, tx.t, scanUpload, uploadColumns+`WHERE (gone_at, id) > (?, ?) AND gone_at <= ? ORDER BY gone_at, id LIMIT ?`,
		from.At, from.ID, millis(tx.now.Add(-grace)), limit)
	if err != nil {
		return nil, from, err
	}
	to = SweepPosition{At: from.At, ID: from.ID}
	to.More = len(uploads) == limit
	for i, u := range uploads {
		if tx.budget.beyond(9) && i > 0 {
			to.More = true
			break
		}
		w, ok, err := tx.withdraw(u, disk)
		if err != nil {
			return nil, from, err
		}
		if ok {
			done = append(done, w)
		}
		to.At, to.ID = millis(u.GoneAt), u.ID
	}
	if len(done) > 0 {
		return done, to, disk.Verify(ctx)
	}
	return nil, to, nil
}

// mayWithdraw tells whether the absence of a file may withdraw its photo: the account must
// exist, and its job be planned. Activating a job moves its files away, which is no
// deletion.
func (tx *Tx) mayWithdraw(u Upload) (yes bool, err error) {
	err = tx.queryRow(`SELECT a.state IN ('enabled', 'disabled') AND coalesce(j.state, 'planned') = 'planned'
		FROM upload u JOIN account a ON a.id = u.account_id LEFT JOIN job j ON j.id = u.job_id WHERE u.id = ?`, u.ID).Scan(&yes)
	return yes, err
}

// withdraw unpublishes the photo of a file whose grace is over. ok is false if the photo
// stays published or was withdrawn before.
func (tx *Tx) withdraw(u Upload, disk Disk) (w Withdrawal, ok bool, err error) {
	if may, err := tx.mayWithdraw(u); err != nil || !may {
		return w, false, err
	}
	a, err := scanAccount(tx.queryRow(accountColumns+`WHERE id = (SELECT account_id FROM upload WHERE id = ?)`, u.ID))
	if err != nil {
		return w, false, err
	}
	w.Account = a.Name
	switch presence, id := disk.Look(tx.ctx, w.Account, u.Path); presence {
	case Unknown:
		return w, false, nil
	case There:
		// Another file has this path now. If it was processed already, the missing
		// file is deleted for good, even if the new file is no photo. If not, wait,
		// because it may turn out to be this photo.
		now, isLive, err := uploadAt(tx.ctx, tx.t, a.ID, u.Path)
		if err != nil || !isLive || id != now.Identity {
			return w, false, err
		}
	}
	// A renamed file can wait in a long queue for longer than the grace. A portrait
	// need not wait: under the name of another ID it does not belong to this photo.
	if a.Layout == layout.Jobs {
		if moved, err := tx.movedUnprocessed(a, u, disk); err != nil || moved {
			return w, false, err
		}
	}
	if _, err := tx.exec(`DELETE FROM upload WHERE id = ?`, u.ID); err != nil {
		return w, false, err
	}
	// Withdraw the photo only if no other file belongs to it.
	stamp, err := tx.stamp()
	if err != nil {
		return w, false, err
	}
	n, err := tx.execCount(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE id = ?2 AND withdrawn_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?2)`, millis(tx.now), u.PhotoID, stamp)
	if err == nil && n == 0 {
		err = tx.restartTrashTime(u.PhotoID)
	}
	if err != nil || n == 0 {
		return w, false, err
	}
	if err := tx.photoEvent(u.PhotoID, EventWithdrawn, "", ""); err != nil {
		return w, false, err
	}
	err = tx.queryRow(`SELECT path_shown, coalesce(person, '') FROM photo WHERE id = ?`, u.PhotoID).Scan(&w.Path, &w.Person)
	return w, err == nil, err
}

// movedUnprocessed tells whether the missing file was moved, and was not processed at its
// new path yet. It is also true if the disk cannot tell.
func (tx *Tx) movedUnprocessed(a Account, u Upload, disk Disk) (bool, error) {
	var sha []byte
	if err := tx.queryRow(`SELECT sha256 FROM photo WHERE id = ?`, u.PhotoID).Scan(&sha); err != nil {
		return false, err
	}
	presence, at := disk.Find(tx.ctx, a.Name, u.Path, u.Identity, asSHA(sha))
	if presence != There {
		return presence == Unknown, nil
	}
	there, known, err := uploadAt(tx.ctx, tx.t, a.ID, at)
	return !known || !there.Identity.SameInode(u.Identity), err
}

// Duplicates lists an account's files that are problems because a newer file has the same
// person's ID. They are processed again when that file goes. If like is a path, it lists
// only files whose path differs from it in the extension.
func (s *Store) Duplicates(ctx context.Context, a Account, like string) ([]Upload, error) {
	const lost = uploadColumns + `WHERE account_id = ? AND reason = ? AND gone_at IS NULL`
	if like == "" {
		return collect(ctx, s.read, scanUpload, lost, a.ID, layout.DuplicateID)
	}
	dir, name := splitPath(strings.TrimSuffix(like, path.Ext(like)))
	// '/' is the byte after '.', so names between "NAME." and "NAME/" begin with "NAME.".
	return collect(ctx, s.read, scanUpload, uploadColumns+`WHERE account_id = ? AND dir = ? AND name > ? AND name < ? AND +reason = ? AND gone_at IS NULL`,
		a.ID, dir, append(name, '.'), append(bytes.Clone(name), '/'), layout.DuplicateID)
}

// A Stray is a badly named file among portraits whose time to be deleted has come.
type Stray struct {
	Account string
	Upload
}

// Strays reads at most limit files after from that were to be deleted before now.
// It returns those that are still strays of an existing account, and the position of the
// last file.
func (s *Store) Strays(ctx context.Context, now time.Time, from SweepPosition, limit int) ([]Stray, SweepPosition, error) {
	to := SweepPosition{At: from.At, ID: from.ID}
	n := 0
	all, err := collect(ctx, s.read, func(r *sql.Rows) (v Stray, err error) {
		var dir, name, identity []byte
		n++
		err = r.Scan(&v.Account, &v.ID, &dir, &name, &identity, &to.At)
		v.Path, v.Identity, v.Reason = joinPath(dir, name), upload.IdentityFrom(identity), layout.BadName
		to.ID = v.ID
		return v, err
	}, `SELECT CASE WHEN u.reason = ? AND u.gone_at IS NULL AND a.state IN ('enabled', 'disabled') THEN a.name ELSE '' END, u.id, u.dir, u.name, u.identity, u.delete_after
		FROM upload u CROSS JOIN account a ON a.id = u.account_id
		WHERE (u.delete_after, u.id) > (?, ?) AND u.delete_after <= ? ORDER BY u.delete_after, u.id LIMIT ?`, layout.BadName, from.At, from.ID, millis(now), limit)
	to.More = n == limit
	return slices.DeleteFunc(all, func(v Stray) bool { return v.Account == "" }), to, err
}

// Forget deletes the row of an upload, so that the file is processed again as a new one.
func (tx *Tx) Forget(u Upload) error {
	_, err := tx.exec(`DELETE FROM upload WHERE id = ? AND identity = ?`, u.ID, u.Identity.Bytes())
	return err
}

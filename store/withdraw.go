package store

import (
	"bytes"
	"context"
	"database/sql"
	"path"
	"slices"
	"strings"
	"time"
)

// markGone lets the grace of a missing file run. Where a photo shows an earlier
// picture that somebody has put back, and the file is another one, there is no file
// to miss: what is known of it is forgotten, and the photo stays.
func (tx *Tx) markGone(id int64) error {
	photos, err := column[int64](tx, `DELETE FROM upload WHERE id = ? AND reason IS NOT NULL
		AND EXISTS (SELECT 1 FROM photo WHERE id = upload.photo_id AND declined IS NOT NULL) RETURNING photo_id`, id)
	if err != nil {
		return err
	}
	for _, photo := range photos {
		return tx.trashFromNow(photo)
	}
	_, err = tx.Exec(`UPDATE upload SET gone_at = ? WHERE id = ?`, millis(tx.now), id)
	return err
}

// trashFromNow lets the days in the trash begin of a photo that an operator has
// withdrawn before, and that has no file any more.
func (tx *Tx) trashFromNow(photoID int64) error {
	stamp, err := tx.stamp()
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE id = ?2 AND withdrawn_by IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?2)`, millis(tx.now), photoID, stamp)
	return err
}

// below lists the live uploads at a path and anywhere below it, at most limit,
// in the order of their directories and names, from the first one behind the
// path from. 0x30 is the byte after '/', so the last range is exactly the
// directories below. Three look-ups in one index; with OR it would be a scan
// of the whole account.
func (tx *Tx) below(accountID int64, path, from string, limit int) (all []Upload, err error) {
	ctx := context.Background()
	dir, name := splitPath(from)
	if from == "" || from == path {
		if u, found, err := uploadAt(ctx, tx, accountID, path); err != nil {
			return nil, err
		} else if found && from == "" {
			all = append(all, u)
		}
		dir, name = []byte(path), nil
	}
	if string(dir) == path {
		inside, err := collect(ctx, tx, scanUpload, uploadColumns+`WHERE account_id = ? AND gone_at IS NULL AND dir = ? AND name > ? ORDER BY name LIMIT ?`,
			accountID, dir, append([]byte{}, name...), limit-len(all))
		if err != nil {
			return nil, err
		}
		all = append(all, inside...)
		dir, name = []byte(path+"/"), nil
	}
	deeper, err := collect(ctx, tx, scanUpload, uploadColumns+`WHERE account_id = ? AND gone_at IS NULL AND (dir, name) > (?, ?) AND dir < ? ORDER BY dir, name LIMIT ?`,
		accountID, dir, append([]byte{}, name...), []byte(path+"0"), limit-len(all))
	return append(all, deeper...), err
}

// Missing looks at what is known at or below a path that seems to be gone,
// and notes what really is. From then on its grace runs; nothing is withdrawn
// yet. A problem that is gone is simply forgotten. It returns the paths of all
// that is. At most limit files are looked at, from the first one behind the
// path from (""= all); then next is the last of them, else "".
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
		if presence, _ := disk.Look(a.Name, u.Path); presence != Absent && u.Reason != TooManyFolders {
			continue // a folder that waits: there, and looked into by now
		}
		if u.PhotoID == 0 {
			_, err = tx.Exec(`DELETE FROM upload WHERE id = ?`, u.ID)
		} else {
			err = tx.markGone(u.ID)
		}
		if err != nil {
			return nil, "", err
		}
		paths = append(paths, u.Path)
	}
	if len(paths) == 0 {
		return nil, next, nil
	}
	return paths, next, disk.Sure(context.Background())
}

// A Withdrawal is a photo that was taken back.
type Withdrawal struct {
	Account, Path string // Path is the shown one
	Person        string
}

// Overdue tells whether files behind the cursor have been missing for longer
// than the grace, so that a caller need not open a transaction in vain.
func (s *Store) Overdue(ctx context.Context, grace time.Duration, from Cursor) (yes bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM upload WHERE (gone_at, id) > (?, ?) AND gone_at <= ?)`,
		from.At, from.ID, millis(time.Now().Add(-grace))).Scan(&yes)
	return yes, err
}

// Withdraw unpublishes the photos whose files have been missing for longer
// than the grace. It looks at no more than limit of them, from the first one
// behind the cursor, and returns the cursor of the last one. Everything that
// could make a missing file a misunderstanding is asked once more, inside the
// transaction: is the file gone, is the volume the one we know, is the job
// planned. What cannot be proven waits until a caller begins anew.
func (tx *Tx) Withdraw(grace time.Duration, from Cursor, limit int, disk Disk) (done []Withdrawal, to Cursor, err error) {
	ctx := context.Background()
	uploads, err := collect(ctx, tx, scanUpload, uploadColumns+`WHERE (gone_at, id) > (?, ?) AND gone_at <= ? ORDER BY gone_at, id LIMIT ?`,
		from.At, from.ID, millis(tx.now.Add(-grace)), limit)
	if err != nil {
		return nil, from, err
	}
	to = Cursor{At: from.At, ID: from.ID}
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
		return done, to, disk.Sure(ctx)
	}
	return nil, to, nil
}

// mayEnd tells whether a missing file is of an account that is there, and of a
// job that is planned: whoever activates a job takes its files away, and that
// is no deletion.
func (tx *Tx) mayEnd(u Upload) (yes bool, err error) {
	err = tx.QueryRow(`SELECT a.state IN ('enabled', 'disabled') AND coalesce(j.state, 'planned') = 'planned'
		FROM upload u JOIN account a ON a.id = u.account_id LEFT JOIN job j ON j.id = u.job_id WHERE u.id = ?`, u.ID).Scan(&yes)
	return yes, err
}

func (tx *Tx) withdraw(u Upload, disk Disk) (w Withdrawal, ok bool, err error) {
	if may, err := tx.mayEnd(u); err != nil || !may {
		return w, false, err
	}
	a, err := scanAccount(tx.QueryRow(accountColumns+`WHERE id = (SELECT account_id FROM upload WHERE id = ?)`, u.ID))
	if err != nil {
		return w, false, err
	}
	w.Account = a.Name
	switch presence, id := disk.Look(w.Account, u.Path); presence {
	case Unknown:
		return w, false, nil
	case There:
		// The name is taken again. By a file that has been decided upon: ours is
		// gone for good, also if what is there now is no photo. By one still
		// being uploaded: ours stays until that is through.
		now, isLive, err := uploadAt(context.Background(), tx, a.ID, u.Path)
		if err != nil || !isLive || id != now.Identity {
			return w, false, err
		}
	}
	// Behind a long queue a renamed file may wait for longer than any grace.
	// Not so a portrait: what has another ID's name is nobody else's.
	if a.Layout == Jobs {
		if turn, err := tx.waitsElsewhere(a, u, disk); err != nil || turn {
			return w, false, err
		}
	}
	if _, err := tx.Exec(`DELETE FROM upload WHERE id = ?`, u.ID); err != nil {
		return w, false, err
	}
	// Only if no other file is this photo now.
	stamp, err := tx.stamp()
	if err != nil {
		return w, false, err
	}
	n, err := tx.count(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE id = ?2 AND withdrawn_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?2)`, millis(tx.now), u.PhotoID, stamp)
	if err == nil && n == 0 {
		err = tx.trashFromNow(u.PhotoID)
	}
	if err != nil || n == 0 {
		return w, false, err
	}
	if err := tx.photoEvent(u.PhotoID, EventWithdrawn, "", ""); err != nil {
		return w, false, err
	}
	err = tx.QueryRow(`SELECT path_shown, coalesce(person, '') FROM photo WHERE id = ?`, u.PhotoID).Scan(&w.Path, &w.Person)
	return w, err == nil, err
}

// waitsElsewhere tells whether the missing file was only moved, and has not
// been looked at where it is now; or that may be so.
func (tx *Tx) waitsElsewhere(a Account, u Upload, disk Disk) (bool, error) {
	var sha []byte
	if err := tx.QueryRow(`SELECT sha256 FROM photo WHERE id = ?`, u.PhotoID).Scan(&sha); err != nil {
		return false, err
	}
	presence, at := disk.Elsewhere(a.Name, u.Path, u.Identity, asSHA(sha))
	if presence != There {
		return presence == Unknown, nil
	}
	there, known, err := uploadAt(context.Background(), tx, a.ID, at)
	return !known || !there.Identity.SameInode(u.Identity), err
}

// Duplicates lists an account's files that lost against a newer picture of the
// same person. When that one goes, they get their chance. like narrows them to
// the names that differ from a path in their ending only; "" = all.
func (s *Store) Duplicates(ctx context.Context, a Account, like string) ([]Upload, error) {
	const lost = uploadColumns + `WHERE account_id = ? AND reason = ? AND gone_at IS NULL`
	if like == "" {
		return collect(ctx, s.read, scanUpload, lost, a.ID, DuplicateID)
	}
	dir, name := splitPath(strings.TrimSuffix(like, path.Ext(like)))
	// '/' is the byte after '.', so these are the names that begin with "name.".
	return collect(ctx, s.read, scanUpload, uploadColumns+`WHERE account_id = ? AND dir = ? AND name > ? AND name < ? AND +reason = ? AND gone_at IS NULL`,
		a.ID, dir, append(name, '.'), append(bytes.Clone(name), '/'), DuplicateID)
}

// A Stray is a badly named file whose days are over.
type Stray struct {
	Account string
	Upload
}

// Strays lists the files to be deleted by now, at most limit, from the first
// one behind the cursor, and returns the cursor of the last one.
func (s *Store) Strays(ctx context.Context, now time.Time, from Cursor, limit int) ([]Stray, Cursor, error) {
	to := Cursor{At: from.At, ID: from.ID}
	n := 0
	all, err := collect(ctx, s.read, func(r *sql.Rows) (v Stray, err error) {
		var dir, name, identity []byte
		n++
		err = r.Scan(&v.Account, &v.ID, &dir, &name, &identity, &to.At)
		v.Path, v.Identity, v.Reason = joinPath(dir, name), identityOf(identity), BadName
		to.ID = v.ID
		return v, err
	}, `SELECT CASE WHEN u.reason = ? AND u.gone_at IS NULL AND a.state IN ('enabled', 'disabled') THEN a.name ELSE '' END, u.id, u.dir, u.name, u.identity, u.delete_after
		FROM upload u CROSS JOIN account a ON a.id = u.account_id
		WHERE (u.delete_after, u.id) > (?, ?) AND u.delete_after <= ? ORDER BY u.delete_after, u.id LIMIT ?`, BadName, from.At, from.ID, millis(now), limit)
	to.More = n == limit
	return slices.DeleteFunc(all, func(v Stray) bool { return v.Account == "" }), to, err
}

// Forget drops what is known of a path, so that the next look starts anew.
func (tx *Tx) Forget(u Upload) error {
	_, err := tx.Exec(`DELETE FROM upload WHERE id = ? AND identity = ?`, u.ID, u.Identity.bytes())
	return err
}

package store

import (
	"context"
	"database/sql"
	"time"
)

func (tx *Tx) markGone(id int64) error {
	_, err := tx.Exec(`UPDATE upload SET gone_at = ? WHERE id = ?`, millis(tx.now), id)
	return err
}

// below selects the live uploads at a path or anywhere below it. 0x30 is the
// byte after '/', so the range is exactly the paths that begin with dir/. Three
// look-ups in one index; with OR it would be a scan of the whole account.
const below = uploadColumns + `WHERE account_id = ?1 AND gone_at IS NULL AND dir = ?2 AND name = ?3
	UNION ALL ` + uploadColumns + `WHERE account_id = ?1 AND gone_at IS NULL AND dir = ?4
	UNION ALL ` + uploadColumns + `WHERE account_id = ?1 AND gone_at IS NULL AND dir > ?5 AND dir < ?6`

// Missing looks at what is known at or below a path that seems to be gone,
// and notes what really is. From then on its grace runs; nothing is withdrawn
// yet. A problem that is gone is simply forgotten. It returns the paths of all.
func (tx *Tx) Missing(a Account, path string, disk Disk) (paths []string, err error) {
	dir, name := splitPath(path)
	uploads, err := collect(context.Background(), tx, scanUpload, below,
		a.ID, dir, name, []byte(path), []byte(path+"/"), []byte(path+"0"))
	if err != nil {
		return nil, err
	}
	for _, u := range uploads {
		if presence, _ := disk.Look(a.Name, u.Path); presence != Absent {
			continue
		}
		if u.PhotoID == 0 {
			_, err = tx.Exec(`DELETE FROM upload WHERE id = ?`, u.ID)
		} else {
			err = tx.markGone(u.ID)
		}
		if err != nil {
			return nil, err
		}
		paths = append(paths, u.Path)
	}
	if len(paths) == 0 {
		return nil, nil
	}
	return paths, disk.Sure(context.Background())
}

// A Withdrawal is a photo that was taken back.
type Withdrawal struct {
	Account, Path string // Path is the shown one
	Person        string
}

// Overdue counts the files missing for longer than the grace, so that a
// caller need not open a transaction in vain.
func (s *Store) Overdue(ctx context.Context, grace time.Duration) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM upload WHERE gone_at <= ?`, millis(time.Now().Add(-grace))).Scan(&n)
	return n, err
}

// Withdraw unpublishes the photos whose files have been missing for longer
// than the grace, at most limit. Everything that could make a missing file a
// misunderstanding is asked once more, inside the transaction: is the file
// gone, is the volume the one we know, is the job planned. What cannot be
// proven waits.
func (tx *Tx) Withdraw(grace time.Duration, limit int, disk Disk) ([]Withdrawal, error) {
	ctx := context.Background()
	uploads, err := collect(ctx, tx, scanUpload, uploadColumns+`WHERE gone_at <= ?
		AND account_id IN (SELECT id FROM account WHERE state IN ('enabled', 'disabled'))
		AND (job_id IS NULL OR job_id IN (SELECT id FROM job WHERE state = 'planned')) ORDER BY gone_at`,
		millis(tx.now.Add(-grace)))
	if err != nil {
		return nil, err
	}
	var done []Withdrawal
	for _, u := range uploads {
		// What cannot be proven does not count: it may be there for days, and
		// must not keep the others from their turn.
		if len(done) == limit {
			break
		}
		w, ok, err := tx.withdraw(u, disk)
		if err != nil {
			return nil, err
		}
		if ok {
			done = append(done, w)
		}
	}
	if len(done) > 0 {
		return done, disk.Sure(ctx)
	}
	return nil, nil
}

func (tx *Tx) withdraw(u Upload, disk Disk) (w Withdrawal, ok bool, err error) {
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
		// Withdrawn by an operator before: its days in the trash begin now.
		_, err = tx.Exec(`UPDATE photo SET withdrawn_at = ?1, changed_at = ?3 WHERE id = ?2 AND withdrawn_by IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = ?2)`, millis(tx.now), u.PhotoID, stamp)
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
// been looked at where it is now.
func (tx *Tx) waitsElsewhere(a Account, u Upload, disk Disk) (bool, error) {
	var sha []byte
	if err := tx.QueryRow(`SELECT sha256 FROM photo WHERE id = ?`, u.PhotoID).Scan(&sha); err != nil {
		return false, err
	}
	at, found := disk.Elsewhere(a.Name, u.Path, u.Identity, asSHA(sha))
	if !found {
		return false, nil
	}
	there, known, err := uploadAt(context.Background(), tx, a.ID, at)
	return !known || !there.Identity.SameInode(u.Identity), err
}

// Duplicates lists the paths of an account's files that lost against a newer
// picture of the same person. When that one goes, they get their chance.
func (s *Store) Duplicates(ctx context.Context, a Account) ([]Upload, error) {
	return collect(ctx, s.read, scanUpload, uploadColumns+`WHERE account_id = ? AND reason = ? AND gone_at IS NULL`, a.ID, DuplicateID)
}

// A Stray is a badly named file whose days are over.
type Stray struct {
	Account string
	Upload
}

// Strays lists the files to be deleted by now.
func (s *Store) Strays(ctx context.Context, now time.Time) ([]Stray, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (v Stray, err error) {
		var dir, name, identity []byte
		err = r.Scan(&v.Account, &v.ID, &dir, &name, &identity)
		v.Path, v.Identity, v.Reason = joinPath(dir, name), identityOf(identity), BadName
		return v, err
	}, `SELECT a.name, u.id, u.dir, u.name, u.identity FROM upload u JOIN account a ON a.id = u.account_id
		WHERE u.delete_after <= ? AND u.reason = ? AND u.gone_at IS NULL AND a.state IN ('enabled', 'disabled')`, millis(now), BadName)
}

// Forget drops what is known of a path, so that the next look starts anew.
func (tx *Tx) Forget(u Upload) error {
	_, err := tx.Exec(`DELETE FROM upload WHERE id = ? AND identity = ?`, u.ID, u.Identity.bytes())
	return err
}

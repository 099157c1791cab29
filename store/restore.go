package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"picday/internal/durable"
	"picday/internal/fsuid"
)

// Blank tells whether nothing was ever entered, so that a backup may take the
// catalogue's place.
func (s *Store) Blank(ctx context.Context) (blank bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM account) AND NOT EXISTS (SELECT 1 FROM photo)
		AND NOT EXISTS (SELECT 1 FROM original) AND NOT EXISTS (SELECT 1 FROM operator) AND NOT EXISTS (SELECT 1 FROM token)`).Scan(&blank)
	return blank, err
}

// Fetch copies the pictures of a backup into the data directory. What is there
// already and right is not copied again. It returns what the backup has not or
// has damaged; the others are whole and durable.
func (s *Store) Fetch(ctx context.Context, from *Store, progress func(done, of int)) (lost []PictureFile, err error) {
	of, _, err := from.PictureCount(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards lost and done
	done := 0
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(copiers)
	err = from.eachPicture(gctx, func(o Original) error {
		g.Go(func() error {
			missing, err := s.fetch(gctx, from, o)
			mu.Lock()
			defer mu.Unlock()
			lost = append(lost, missing...)
			if done++; progress != nil {
				progress(done, of)
			}
			return err
		})
		return nil
	})
	if werr := g.Wait(); werr != nil {
		err = werr // the cause of the other
	}
	if err != nil {
		return lost, err
	}
	return lost, fsuid.In(s.dir, func() error {
		for _, d := range []string{originalsDir, renditionsDir} {
			for i := range 256 {
				if err := durable.SyncDir(filepath.Join(s.dir, d, fmt.Sprintf("%02x", i))); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// fetch copies one picture, and tells what of it the backup has not.
func (s *Store) fetch(ctx context.Context, from *Store, o Original) (lost []PictureFile, err error) {
	for _, f := range o.Files() {
		to := filepath.Join(s.dir, f.Path)
		if f.Examine(ctx, to, nil) == nil {
			continue
		}
		err := keepCopy(ctx, filepath.Join(from.dir, f.Path), s.TempDir(), to, f, 0o440)
		if errors.Is(err, errVanished) || errors.Is(err, ErrDamaged) {
			lost = append(lost, f)
		} else if err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// stageDir, in the data directory, holds the catalogue of a backup until it
// fits this machine. A run that was killed leaves it; the next begins anew.
const stageDir = "restoring"

// Stage copies a catalogue, and the link key from a backup's folder, to where
// they can be made to fit this machine, at the newest schema. Renditions that
// were lost are forgotten, and so made anew.
func (s *Store) Stage(ctx context.Context, catalogue, folder string, lost []PictureFile) (*Store, error) {
	dir := filepath.Join(s.dir, stageDir)
	if err := fsuid.In(s.dir, func() error {
		return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700))
	}); err != nil {
		return nil, err
	}
	for to, from := range map[string]string{CatalogueFile: catalogue, linkKeyFile: filepath.Join(folder, linkKeyFile)} {
		if err := s.copyWhole(ctx, from, filepath.Join(dir, to)); err != nil {
			return nil, err
		}
	}
	staged, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	var renditions []PictureFile
	for _, f := range lost {
		if !f.Original() {
			renditions = append(renditions, f)
		}
	}
	if err := staged.Update(ctx, func(tx *Tx) error { return tx.ForgetRenditions(renditions) }); err != nil {
		return nil, errors.Join(err, staged.Close())
	}
	return staged, nil
}

func (s *Store) copyWhole(ctx context.Context, from, to string) error {
	in, err := openRoots(from, stateFiles[filepath.Base(to)])
	if err != nil {
		return err
	}
	defer in.Close()
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	var room syscall.Statfs_t
	if err := syscall.Statfs(s.dir, &room); err == nil && fi.Size() > int64(room.Bavail)*room.Bsize {
		return fmt.Errorf("%s has %d bytes, and there is less room in %s: %w", from, fi.Size(), s.dir, syscall.ENOSPC)
	}
	var out *os.File
	if err := fsuid.In(filepath.Dir(to), func() (err error) {
		out, err = os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return err
	}); err != nil {
		return err
	}
	_, err = io.Copy(out, &interruptible{ctx, in})
	return errors.Join(err, out.Sync(), out.Close())
}

// ReplaceBy ends this store and puts the staged one in its place: the moment in
// which a restore is done. The key comes first: without its catalogue it is
// replaced again.
func (s *Store) ReplaceBy(staged *Store) error {
	// The last one to close writes everything into the one file.
	if err := errors.Join(staged.Close(), s.Close()); err != nil {
		return err
	}
	return fsuid.In(s.dir, func() error { return s.takePlace(staged.dir) })
}

func (s *Store) takePlace(staged string) error {
	// What SQLite may have left beside the blank catalogue is not for this one.
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := remove(filepath.Join(s.dir, CatalogueFile+suffix)); err != nil {
			return err
		}
	}
	for _, file := range []struct {
		name string
		mode fs.FileMode
	}{{linkKeyFile, 0o400}, {CatalogueFile, 0o640}} {
		from := filepath.Join(staged, file.name)
		f, err := fsuid.Open(from)
		if err != nil {
			return err
		}
		err = errors.Join(f.Chmod(file.mode), f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(from, filepath.Join(s.dir, file.name))
		}
		if err == nil {
			err = durable.SyncDir(s.dir)
		}
		if err != nil {
			return err
		}
	}
	return os.RemoveAll(staged)
}

// Kept lists the accounts that were removed while their photos stay.
func (s *Store) Kept(ctx context.Context) ([]Account, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (Account, error) { return scanAccount(r) },
		accountColumns+`WHERE state = 'kept' ORDER BY name`)
}

// Uproot forgets everything that was known of the upload volume, which was left
// behind, and returns, by account, the photos whose files belong on the new one. Until a
// photo's file is known again, nothing can be taken for its deletion. Of
// several photos at one path, all but the one whose file was there go to the
// trash: their files were gone and their name had been taken.
func (tx *Tx) Uproot() (photos map[int64][]int64, trashed int, err error) {
	const file = `EXISTS (SELECT 1 FROM upload WHERE photo_id = photo.id AND gone_at IS NULL)`
	doubles, err := column[int64](tx, `SELECT id FROM photo WHERE withdrawn_at IS NULL AND NOT `+file+`
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
		if err := tx.change(`UPDATE photo SET withdrawn_at = ?, changed_at = ? WHERE id = ?`, millis(tx.now), stamp, id); err != nil {
			return nil, 0, err
		}
		if err := tx.photoEvent(id, EventWithdrawn, "", ""); err != nil {
			return nil, 0, err
		}
	}
	// A withdrawn photo with a file was withdrawn by an operator, and stays so.
	rows, err := collect(context.Background(), tx, func(r *sql.Rows) (v [2]int64, err error) {
		return v, r.Scan(&v[0], &v[1])
	}, `SELECT account_id, id FROM photo WHERE withdrawn_at IS NULL OR `+file+` ORDER BY path`)
	if err != nil {
		return nil, 0, err
	}
	photos = map[int64][]int64{}
	for _, r := range rows {
		photos[r[0]] = append(photos[r[0]], r[1])
	}
	if _, err := tx.Exec(`DELETE FROM upload`); err != nil {
		return nil, 0, err
	}
	// Those whose files do not come back have their days in the trash from now.
	if _, err := tx.Exec(`UPDATE photo SET withdrawn_at = ? WHERE withdrawn_by IS NOT NULL`, millis(tx.now)); err != nil {
		return nil, 0, err
	}
	if err := number(tx, unused(tx.now)); err != nil {
		return nil, 0, err
	}
	// Whoever has logged out since must not be logged in again.
	if _, err := tx.Exec(`DELETE FROM session`); err != nil {
		return nil, 0, err
	}
	// An activation that was under way when the backup was made.
	_, err = tx.Exec(`UPDATE job SET state = 'planned' WHERE state = 'activating'`)
	return photos, len(doubles), err
}

// PhotoByID finds one photo of an account: where it is and what it is, no more.
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

// HasFile enters the file that a photo has again.
func (tx *Tx) HasFile(a Account, p Photo, id Identity) error {
	jobID, err := tx.jobID(a, p.Job)
	if err != nil {
		return err
	}
	return tx.record(a, p.RawPath, id, jobID, p.ID, "", 0)
}

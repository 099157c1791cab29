package backup

import (
	"context"
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
	"picday/store"
	"picday/store/pictures"
)

// CopyPictures copies the pictures of the catalogue from to the data directory of
// live, except those that are there already and whole. It returns the files that
// are missing or damaged in the backup. If there is no error, all others are whole
// and durable. progress may be nil.
func CopyPictures(ctx context.Context, live, from *store.Store, progress func(done, of int)) (lost []pictures.File, err error) {
	of, _, err := from.PictureCount(ctx)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards lost and done
	done := 0
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(copiers)
	for o, err := range from.Pictures(gctx) {
		g.Go(func() error {
			if err != nil {
				return err
			}
			missing, err := copyPicture(gctx, live, from, o)
			mu.Lock()
			defer mu.Unlock()
			lost = append(lost, missing...)
			if done++; progress != nil {
				progress(done, of)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return lost, err
	}
	return lost, live.Files().SyncAll() // also what a run that was killed has copied
}

// copyPicture copies the files of one picture, and returns those that the backup
// does not have.
func copyPicture(ctx context.Context, live, from *store.Store, o store.Original) (lost []pictures.File, err error) {
	for _, f := range o.Files() {
		if live.Files().Read(ctx, f, io.Discard) == nil {
			continue
		}
		err := live.Files().Copy(ctx, from.Files(), f)
		if errors.Is(err, pictures.ErrMissing) || errors.Is(err, pictures.ErrDamaged) {
			lost = append(lost, f)
		} else if err != nil {
			return lost, err
		}
	}
	return lost, nil
}

// stageDir, in the data directory, holds the restored catalogue until Replace. A run
// that was killed leaves it, and the next one begins with an empty one.
const stageDir = "restoring"

// Stage copies a catalogue, and the link key from a backup's folder, to a directory
// below the data directory of live, where they can be made to fit this machine, and
// opens them at the newest schema. Renditions that were lost are forgotten, so that
// picdayd makes them anew.
func Stage(ctx context.Context, live *store.Store, catalogue, folder string, lost []pictures.File) (*store.Store, error) {
	dir := filepath.Join(live.DataDir(), stageDir)
	if err := fsuid.In(live.DataDir(), func() error {
		return errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700))
	}); err != nil {
		return nil, err
	}
	for to, from := range map[string]string{store.CatalogueFile: catalogue, store.LinkKeyFile: filepath.Join(folder, store.LinkKeyFile)} {
		if err := copyState(ctx, from, filepath.Join(dir, to)); err != nil {
			return nil, err
		}
	}
	staged, err := store.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := staged.Update(ctx, func(tx *store.Tx) error { return tx.ForgetRenditions(lost) }); err != nil {
		return nil, errors.Join(err, staged.Close())
	}
	return staged, nil
}

// copyState copies one of the stateFiles to a new file.
func copyState(ctx context.Context, from, to string) error {
	in, err := openRootOwned(from, stateFiles[filepath.Base(to)])
	if err != nil {
		return err
	}
	defer in.Close()
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	var room syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(to), &room); err == nil && fi.Size() > int64(room.Bavail)*room.Bsize {
		return fmt.Errorf("%s has %d bytes, and there is less room in %s: %w", from, fi.Size(), filepath.Dir(to), syscall.ENOSPC)
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

// Replace closes both catalogues and puts the staged one in the place of the live
// one. It is the last step of a restore. The key is replaced first: if the catalogue
// cannot be replaced after it, the next run replaces the key again.
func Replace(live, staged *store.Store) error {
	// Closing the last connection moves the WAL into the catalogue's file.
	if err := errors.Join(staged.Close(), live.Close()); err != nil {
		return err
	}
	return fsuid.In(live.DataDir(), func() error { return replace(live.DataDir(), staged.DataDir()) })
}

func replace(dataDir, staged string) error {
	// These may be left from the empty catalogue, and SQLite must not apply them to
	// the new one.
	for _, suffix := range []string{"-wal", "-shm"} {
		err := os.Remove(filepath.Join(dataDir, store.CatalogueFile+suffix))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, file := range []struct {
		name string
		mode fs.FileMode
	}{{store.LinkKeyFile, 0o400}, {store.CatalogueFile, 0o640}} {
		from := filepath.Join(staged, file.name)
		f, err := fsuid.Open(from)
		if err != nil {
			return err
		}
		err = errors.Join(f.Chmod(file.mode), f.Sync(), f.Close())
		if err == nil {
			err = os.Rename(from, filepath.Join(dataDir, file.name))
		}
		if err == nil {
			err = durable.SyncDir(dataDir)
		}
		if err != nil {
			return err
		}
	}
	return os.RemoveAll(staged)
}

// An interruptible fails to read when its context has ended.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r *interruptible) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}

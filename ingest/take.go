package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"picday/internal/durable"
	"picday/photo"
	"picday/store"
)

// take reads one settled file and does everything that comes before the
// commit. The gate is closed behind it: if the file is open for writing, or
// not the one that was settled, before or after it was read, nothing of what
// was read is used.
func (in *Ingester) take(ctx context.Context, f File) verdict {
	a, ok := in.account(f.Account)
	if !ok {
		return verdict{}
	}
	meaning := a.rules.Of(f.Path)
	place := placeOf(f.Path, meaning)
	file, err := openUpload(filepath.Join(in.Config.UploadDir, a.Name), f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EAGAIN):
		return verdict{again: true} // the watcher finds out what became of it, or who holds it
	case ourFault(err):
		return in.failed(f, err)
	case err != nil:
		in.Log.Warn().Err(err).Str("account", f.Account).Str("path", place.Shown).Msg("cannot be opened")
		return in.problem(a, f, place, store.Unreadable)
	}
	defer file.Close()
	if !in.still(file, f) {
		return verdict{again: true}
	}
	if v, ok := in.recognise(ctx, a, f, place, file); ok {
		return v
	}
	if err := in.Room(allocated(file)); err != nil {
		return in.failed(f, err)
	}
	c, err := in.copy(file)
	if reason := reasonOf(err); reason != "" && in.still(file, f) {
		in.Log.Info().Err(err).Str("account", f.Account).Str("path", place.Shown).Msg("not read to its end")
		return in.problem(a, f, place, reason)
	} else if reason != "" {
		return verdict{again: true}
	}
	if err != nil {
		return in.failed(f, err)
	}
	// From here on only the copy is read: the uploader may do with his file
	// what he likes.
	keep := false
	defer func() {
		if !keep {
			durable.Discard(c.temp)
		}
	}()
	if !in.still(file, f) {
		return verdict{again: true}
	}
	bare := false
	c.facts, bare = c.facts.Bare()
	reason, err := in.judge(ctx, a, f, c)
	if err != nil {
		return in.failed(f, err)
	}
	if reason != "" {
		return in.problem(a, f, place, reason)
	}
	if bare {
		if v, ok := in.waitFor(ctx, a, f, place, c); ok {
			return v
		}
	}
	release := in.hold(c.sha)
	a.decoding <- struct{}{}
	original, err := in.derive(ctx, a.Name, c)
	<-a.decoding
	if err == nil {
		err, keep = in.settleOriginal(c), true
	}
	if err != nil {
		release()
		if reason := reasonOf(err); reason != "" {
			return in.problem(a, f, place, reason)
		}
		return in.failed(f, err)
	}
	return in.publish(a, f, place, original, release)
}

// allocated is how much of the disk a file takes, which for one with holes is less
// than its size. An error is found by who reads it.
func allocated(file *os.File) int64 {
	fi, err := file.Stat()
	if err != nil {
		return 0
	}
	return fi.Sys().(*syscall.Stat_t).Blocks * 512
}

// openUpload opens below the account's root only, and never waits: a pipe put
// in the place of the settled file would otherwise hold a worker for good.
func openUpload(base, path string) (*os.File, error) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.OpenFile(path, os.O_RDONLY|openNoFollow, 0)
}

// ourFault tells errors in opening that say nothing about the file, such as
// too many open ones: it must be tried again, not be called unreadable.
func ourFault(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false // os.Root: a link leads out of the account's folder
	}
	switch errno {
	case syscall.ELOOP, syscall.ENXIO, syscall.EACCES, syscall.EPERM:
		return false
	}
	return true
}

// still tells whether the open file is the one that was settled, and nobody
// writes to it. Where the file system has no leases the watcher has waited
// longer instead.
func (in *Ingester) still(file *os.File, f File) bool {
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() || in.identityOf(fi, f.Account, f.Path) != f.Identity {
		return false
	}
	held, err := in.Held(file)
	return err != nil || !held
}

// recognise spares the copy of a file whose inode we know with a picture:
// renamed, touched, or given another mode. Hashing costs a twentieth of
// decoding, and only the hash proves that the content is the same.
func (in *Ingester) recognise(ctx context.Context, a account, f File, place store.Place, file *os.File) (verdict, bool) {
	candidates, err := in.Store.PicturesOfInode(ctx, a.ID, f.Identity)
	if err != nil {
		return in.failed(f, err), true
	}
	if len(candidates) == 0 {
		return verdict{}, false
	}
	// Hashing is for a file that can be the same: one may have been made endless.
	for n := range candidates {
		o, _, err := in.Store.Original(ctx, candidates[n])
		if err != nil {
			return in.failed(f, err), true
		}
		if o.Bytes == f.Identity.Size {
			break
		}
		if n == len(candidates)-1 {
			return verdict{}, false
		}
	}
	h := sha256.New()
	_, err = io.Copy(h, file)
	if _, serr := file.Seek(0, io.SeekStart); err != nil || serr != nil {
		return in.failed(f, errors.Join(err, serr)), true
	}
	sha := sumOf(h)
	for _, c := range candidates {
		if c != sha {
			continue
		}
		release := in.Store.Pin(sha)
		if original, ok := in.ready(ctx, sha); ok && in.still(file, f) {
			return in.publish(a, f, place, original, release), true
		}
		release()
	}
	return verdict{}, false
}

func sumOf(h hash.Hash) (sha store.SHA) {
	h.Sum(sha[:0])
	return sha
}

// judge looks at what the bytes say before anything is decoded.
func (in *Ingester) judge(ctx context.Context, a account, f File, c *copied) (store.Reason, error) {
	if err := photo.Check(c.facts, in.Limits); err != nil {
		return reasonOf(err), nil
	}
	half, err := in.halfOverwritten(ctx, a, f, c)
	if half {
		return store.Incomplete, err
	}
	return "", err
}

// reasonOf tells errors about the picture from errors about the machine, for
// which it has no reason.
func reasonOf(err error) store.Reason {
	switch {
	case errors.Is(err, photo.ErrNotJPEG):
		return store.NotJPEG
	case errors.Is(err, photo.ErrIncomplete):
		return store.Incomplete
	case errors.Is(err, photo.ErrDamaged):
		return store.Damaged
	case errors.Is(err, errTrailing):
		return store.TrailingData
	case errors.Is(err, photo.ErrTooComplex):
		return store.TooComplex
	}
	return ""
}

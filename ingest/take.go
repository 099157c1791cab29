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

	"picday/internal/layout"
	"picday/internal/photo"
	"picday/internal/upload"
	"picday/store"
)

const changedMeanwhile = "it has changed, or was opened for writing, while it was read"

// take reads one settled file and does everything before the commit. It checks before
// and after reading that the file is not open for writing and still has the settled
// identity; otherwise it discards what it has read.
func (in *Ingester) take(ctx context.Context, sent upload.File) verdict {
	f, ok := in.settled(sent)
	if !ok {
		return verdict{}
	}
	file, err := openUpload(filepath.Join(in.Config.UploadDir, f.Account), f.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EAGAIN):
		return sendAgain("it is gone, or held for writing")
	case isSystemError(err):
		return in.retryLater(f, err)
	case err != nil:
		in.Log.Warn().Err(err).Str("account", f.Account).Str("path", f.place.Shown).Msg("cannot be opened")
		return in.problem(f, layout.Unreadable)
	}
	defer file.Close()
	if !in.unchanged(file, f) {
		return sendAgain("it has changed, or was opened for writing, before it was read")
	}
	if v, ok := in.publishKnown(ctx, f, file); ok {
		return v
	}
	if f.Early && !endsInEOI(file, f.Identity.Size) {
		return sendAgain("its last two bytes are no end of a JPEG: it is looked at again after the whole quiet time")
	}
	if err := in.Room(allocated(file)); err != nil {
		return in.retryLater(f, err)
	}
	c, err := in.copy(file)
	if reason := reasonOf(err); reason != "" && in.unchanged(file, f) {
		in.Log.Info().Err(err).Str("account", f.Account).Str("path", f.place.Shown).Msg("not read to its end")
		return in.problem(f, reason)
	} else if reason != "" {
		return sendAgain(changedMeanwhile)
	}
	if err != nil {
		return in.retryLater(f, err)
	}
	// From here on only the copy is read, so that a change of the upload does not matter.
	keep := false
	defer func() {
		if !keep {
			in.Store.Files().Discard(c.temp)
		}
	}()
	if !in.unchanged(file, f) {
		return sendAgain(changedMeanwhile)
	}
	lacksEOI := false
	c.facts, lacksEOI = c.facts.AssumeEOI()
	reason, err := in.checkCopy(ctx, f, c)
	if err != nil {
		return in.retryLater(f, err)
	}
	if reason != "" {
		return in.problem(f, reason)
	}
	if lacksEOI && f.Early {
		return sendAgain("only its end is missing: it is looked at again after the whole quiet time")
	}
	if lacksEOI {
		if v, ok := in.awaitEOI(ctx, f, c); ok {
			return v
		}
	}
	release := in.hold(ctx, c.sha)
	f.owner.decoding <- struct{}{}
	original, err := in.derive(ctx, f.Account, c)
	<-f.owner.decoding
	if err == nil {
		err, keep = in.putOriginal(c), true
	}
	if err != nil {
		release()
		reason := reasonOf(err)
		if reason == "" {
			return in.retryLater(f, err)
		}
		if cerr := c.check(); cerr != nil && !f.Early {
			return in.retryLater(f, cerr)
		}
		return in.problem(f, reason)
	}
	return in.publish(f, original, release)
}

// endsInEOI tells whether the last two bytes of a file are an EOI marker. That proves
// nothing, but most files that are cut off have none, and need not be read to know it.
func endsInEOI(file *os.File, size int64) bool {
	var end [2]byte
	_, err := file.ReadAt(end[:], max(0, size-2))
	return err == nil && end == [2]byte{0xff, 0xd9}
}

// allocated returns the bytes that a file takes on disk, which is less than its size if
// it has holes. It returns 0 after an error, which the caller meets again when it reads.
func allocated(file *os.File) int64 {
	fi, err := file.Stat()
	if err != nil {
		return 0
	}
	return fi.Sys().(*syscall.Stat_t).Blocks * 512
}

// openUpload opens a file below the account's root. It does not block, so that a FIFO in
// the place of the settled file does not block a worker for ever.
func openUpload(base, path string) (*os.File, error) {
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return upload.Open(root, path)
}

// unchanged tells whether the open file has the settled identity and is not open for
// writing. Where the file system has no leases, the watcher's longer quiet time has
// to suffice.
func (in *Ingester) unchanged(file *os.File, f settled) bool {
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() || in.identityOf(fi, f.Account, f.Path) != f.Identity {
		return false
	}
	held, err := in.held(file)
	return err != nil || !held
}

// publishKnown handles a file whose inode had a known picture before (renamed, touched or
// given another mode) without a copy and a decode. It hashes the file, at a twentieth
// of the cost of decoding, because only the hash proves that the content is the same.
func (in *Ingester) publishKnown(ctx context.Context, f settled, file *os.File) (verdict, bool) {
	candidates, err := in.Store.PicturesOfInode(ctx, f.owner.ID, f.Identity)
	if err != nil {
		return in.retryLater(f, err), true
	}
	if len(candidates) == 0 {
		return verdict{}, false
	}
	// Hash only a file of a matching size, because a sparse file can be very long.
	for n := range candidates {
		o, _, err := in.Store.Original(ctx, candidates[n])
		if err != nil {
			return in.retryLater(f, err), true
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
		return in.retryLater(f, errors.Join(err, serr)), true
	}
	sha := sumOf(h)
	for _, c := range candidates {
		if c != sha {
			continue
		}
		release := in.Store.Hold(sha)
		if original, ok := in.pictureOnDisk(ctx, sha); ok && in.unchanged(file, f) {
			return in.publish(f, original, release), true
		}
		release()
	}
	return verdict{}, false
}

func sumOf(h hash.Hash) (sha store.SHA) {
	h.Sum(sha[:0])
	return sha
}

// checkCopy checks the copy before it is decoded. It returns "" if nothing is wrong.
func (in *Ingester) checkCopy(ctx context.Context, f settled, c *copied) (layout.Reason, error) {
	if err := photo.Check(c.facts, in.Limits); err != nil {
		return reasonOf(err), nil
	}
	half, err := in.partlyOverwritten(ctx, f, c)
	if half {
		return layout.Incomplete, err
	}
	return "", err
}

// reasonOf returns the reason for an error about the picture, "" for any other error.
func reasonOf(err error) layout.Reason {
	switch {
	case errors.Is(err, photo.ErrNotJPEG):
		return layout.NotJPEG
	case errors.Is(err, photo.ErrIncomplete):
		return layout.Incomplete
	case errors.Is(err, photo.ErrDamaged):
		return layout.Damaged
	case errors.Is(err, errTrailing):
		return layout.TrailingData
	case errors.Is(err, photo.ErrTooComplex):
		return layout.TooComplex
	}
	return ""
}

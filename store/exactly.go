package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"picday/internal/fsuid"
)

// ErrDamaged wraps how a file differs from what the catalogue says of it.
var ErrDamaged = errors.New("damaged")

// Examine reads a file and tells, with an ErrDamaged, how it differs from what
// the catalogue says. also, if not nil, is given the bytes too.
func (f PictureFile) Examine(ctx context.Context, name string, also io.Writer) error {
	in, err := fsuid.Open(name)
	if errors.Is(err, fsuid.ErrNotPlain) {
		return fmt.Errorf("%w: %w", ErrDamaged, fsuid.ErrNotPlain)
	}
	if err != nil {
		return err
	}
	defer in.Close()
	if also == nil {
		also = io.Discard
	}
	return copyExactly(ctx, also, in, f)
}

// WriteOriginal writes a photo's original, and fails with an ErrDamaged if it is
// not the bytes that were uploaded. Then what was written is worth nothing.
func (s *Store) WriteOriginal(ctx context.Context, p Photo, to io.Writer) error {
	f := PictureFile{Path: originalName(p.SHA), Picture: p.SHA, Bytes: p.Bytes, Hash: p.SHA}
	err := f.Examine(ctx, filepath.Join(s.dir, f.Path), to)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: it is missing", ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("the original %s is not to be had: %w", f.Path, err)
	}
	return nil
}

func copyExactly(ctx context.Context, out io.Writer, in *os.File, want PictureFile) error {
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	if fi.Size() != want.Bytes {
		return fmt.Errorf("%w: it has %d bytes instead of %d", ErrDamaged, fi.Size(), want.Bytes)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, out), &interruptible{ctx, in})
	switch {
	case err != nil:
		return err
	case n != want.Bytes:
		return fmt.Errorf("%w: it has %d bytes instead of %d", ErrDamaged, n, want.Bytes)
	case SHA(h.Sum(nil)) != want.Hash && want.Original():
		return fmt.Errorf("%w: its bytes are not those that were uploaded", ErrDamaged)
	case SHA(h.Sum(nil)) != want.Hash:
		return fmt.Errorf("%w: its bytes are not those that were made of the original", ErrDamaged)
	}
	return nil
}

// interruptible ends the reading of a large file with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r *interruptible) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err) // the disk's fault, and no reason to stop
	}
	return n, err
}

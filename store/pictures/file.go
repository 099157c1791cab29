package pictures

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"picday/internal/fsuid"
	"picday/internal/rendition"
)

// A File says what a file has to be.
type File struct {
	Name    Name
	Picture SHA // of the original
	Bytes   int64
	Hash    SHA            // of the file's own bytes; for an original the same as Picture
	Spec    rendition.Spec // zero: the original itself
	// Width and Height are a rendition's, in pixels.
	Width, Height int
}

// OriginalFile is the File of an original with so many bytes.
func OriginalFile(h SHA, bytes int64) File {
	return File{Name: Original(h), Picture: h, Bytes: bytes, Hash: h}
}

// IsOriginal tells an original from a rendition.
func (want File) IsOriginal() bool { return want.Spec == rendition.Spec{} }

// Read writes the bytes of a file to to, and fails with an ErrDamaged if they are
// not what they should be. What was written is then not to be used.
func (f *Files) Read(ctx context.Context, want File, to io.Writer) error {
	in, err := f.Open(want.Name)
	if err != nil {
		return err
	}
	defer in.Close()
	return want.copy(ctx, to, in)
}

// Copy puts a file of other Files here, if it is what it should be. The name is
// not durable before Sync. The errors of reading are those of Read.
func (f *Files) Copy(ctx context.Context, from *Files, want File) error {
	in, err := from.Open(want.Name)
	if err != nil {
		return err
	}
	defer in.Close()
	temp, err := f.Temp()
	if err != nil {
		return err
	}
	if err := want.copy(ctx, temp, in); err != nil {
		f.Discard(temp)
		return err
	}
	if err := fsuid.In(f.dir, func() error {
		_, err := f.mkdir(filepath.Dir(string(want.Name)))
		return err
	}); err != nil {
		f.Discard(temp)
		return err
	}
	return f.Put(temp, want.Name)
}

func (want File) copy(ctx context.Context, out io.Writer, in *os.File) error {
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	if fi.Size() != want.Bytes {
		return fmt.Errorf("%w: it has %d bytes instead of %d", ErrDamaged, fi.Size(), want.Bytes)
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, out), &reader{ctx, in})
	switch {
	case err != nil:
		return err
	case n != want.Bytes:
		return fmt.Errorf("%w: it has %d bytes instead of %d", ErrDamaged, n, want.Bytes)
	case SHA(h.Sum(nil)) != want.Hash && want.IsOriginal():
		return fmt.Errorf("%w: its bytes are not those that were uploaded", ErrDamaged)
	case SHA(h.Sum(nil)) != want.Hash:
		return fmt.Errorf("%w: its bytes are not those that were made of the original", ErrDamaged)
	}
	return nil
}

// A reader ends with its context, and tells errors in reading the file from
// those in writing the copy.
type reader struct {
	ctx context.Context
	in  io.Reader
}

func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.in.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err) // of this file; the others can be read on
	}
	return n, err
}

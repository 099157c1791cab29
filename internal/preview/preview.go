// Package preview makes a small picture of a file that cannot become a photo, for the
// operator who has to find out what it is: a photo in a wrong folder, or under a wrong
// name, mostly decodes.
//
// It promises that picdayd can be asked for any number of them: one is made at a time, so
// that uploads wait for one picture at most; each is bounded in the bytes that are read, in
// its decoder as every picture is, and in the time that it takes with all waiting. The file is opened by the
// path of its row, below the account's tree, without following links. It must be the very
// file that the row is about, and nobody may be writing it, before it is read and after.
package preview

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"picday/internal/photo"
	"picday/internal/rendition"
	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
)

const (
	// maxBytes is the size up to which a file is read. Photos of 24 megapixels have a tenth of it.
	maxBytes = 96 << 20
	// inTime is how long one may take, with waiting for its turn. Who waits has a connection,
	// of which the listener has a bounded number.
	inTime = 20 * time.Second
)

// Spec is the only size that is made.
var Spec = rendition.Spec{Name: "preview", Longest: 480, Quality: 75}

// Options are what a Maker works with.
type Options struct {
	UploadDir string
	Volumes   *upload.Volumes
	// Render decodes, as the one of package decoder, where a hostile picture can do no harm.
	Render func(ctx context.Context, account string, original *os.File, f photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error)
	Limits photo.Limits
	Within time.Duration // how long one may take; 0 = 20 s
}

// A Maker makes previews. Its methods may be called by many goroutines.
type Maker struct {
	Options
	turn chan struct{}
}

// New makes a Maker.
func New(o Options) *Maker {
	if o.Within == 0 {
		o.Within = inTime
	}
	return &Maker{Options: o, turn: make(chan struct{}, 1)}
}

// Make makes a JPEG of the problem's file. The error is store.ErrNotFound if there is
// none to show: the file is gone, or another one, or is being written, or does not decode,
// or it takes too long.
func (m *Maker) Make(ctx context.Context, acct store.Account, p store.Problem) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, m.Within)
	defer cancel()
	jpeg, err := m.inTurn(limited, acct, p)
	if none(err) || err != nil && limited.Err() != nil && ctx.Err() == nil {
		return nil, store.ErrNotFound
	}
	return jpeg, err
}

func (m *Maker) inTurn(ctx context.Context, acct store.Account, p store.Problem) ([]byte, error) {
	select {
	case m.turn <- struct{}{}:
		defer func() { <-m.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return m.make(ctx, acct, p)
}

// errOther means that the file is not, or no longer, the one of the row.
var errOther = errors.New("not the file of the problem")

// none tells whether an error is about the file, and not about the machine.
func none(err error) bool {
	for _, e := range []error{
		errOther, fs.ErrNotExist, syscall.ENOTDIR, syscall.ELOOP, syscall.EXDEV, syscall.EAGAIN, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ENXIO,
		photo.ErrNotJPEG, photo.ErrIncomplete, photo.ErrDamaged, photo.ErrTooComplex,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (m *Maker) make(ctx context.Context, acct store.Account, p store.Problem) ([]byte, error) {
	dir := trees.Dir(m.UploadDir).Of(acct, p.RawPath)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := upload.Open(root, p.RawPath)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if !m.same(file, dir, p) || p.Identity.Size > maxBytes {
		return nil, errOther
	}
	facts, err := scan(file, p.Identity.Size, m.Limits)
	if err != nil {
		return nil, err
	}
	// For nobody's account: the child ends with this picture, so that what has not been
	// taken in cannot spoil what will be.
	_, picture, err := m.Render(ctx, "", file, facts, []rendition.Spec{Spec})
	if err != nil {
		return nil, err
	}
	if !m.same(file, dir, p) || len(picture.Renditions) != 1 {
		return nil, errOther
	}
	return picture.Renditions[0].JPEG, nil
}

// same tells whether the open file is the one of the row, and nobody writes it. Where the
// file system has no leases, an equal ctime has to suffice.
func (m *Maker) same(file *os.File, dir string, p store.Problem) bool {
	fi, err := file.Stat()
	if err != nil || !fi.Mode().IsRegular() || m.Volumes.IdentityOf(fi, filepath.Join(dir, filepath.Dir(p.RawPath))) != p.Identity {
		return false
	}
	held, err := upload.Held(file)
	return err != nil || !held
}

// scan reads the file once. It stops where it can become no picture any more, because a
// long file with holes costs its uploader nothing.
func scan(file *os.File, size int64, limits photo.Limits) (photo.Facts, error) {
	var s photo.Scan
	buf := make([]byte, 256<<10)
	in := io.NewSectionReader(file, 0, size)
	for {
		n, err := in.Read(buf)
		_, _ = s.Write(buf[:n])
		if cerr := photo.CheckBeginning(s.Facts(), limits); cerr != nil {
			return s.Facts(), cerr
		}
		if errors.Is(err, io.EOF) || s.Facts().Whole {
			return s.Facts(), nil
		}
		if err != nil {
			return s.Facts(), err
		}
	}
}

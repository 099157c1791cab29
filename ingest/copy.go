package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"picday/internal/photo"
	"picday/store"
)

// A copied is a temporary copy of an upload in the data directory.
type copied struct {
	temp  *os.File
	sha   store.SHA
	facts photo.Facts
}

// errCopyChanged means that the disk does not give back what was written.
var errCopyChanged = errors.New("the copy differs from what was written")

// check reads the copy again. What a decoder says against the picture is the uploader's
// problem only if the copy has the bytes that were uploaded.
func (c *copied) check() error {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(c.temp, 0, c.facts.Bytes)); err != nil {
		return err
	}
	if sumOf(h) != c.sha {
		return errCopyChanged
	}
	return nil
}

// errTrailing means that more bytes follow the picture than the configuration allows.
var errTrailing = errors.New("too much follows the picture")

// copyChunk is the number of bytes read at a time. It is more than a JPEG segment can
// hold, so that a longer hole is never the content of a segment.
const copyChunk = 1 << 18

// A copier reads an upload once to copy, hash and scan it. It fails as soon as the
// bytes read so far cannot become a photo, whatever follows, because a sparse file of
// a terabyte costs its uploader nothing. Holes stay holes in the copy.
type copier struct {
	in, out  *os.File
	limits   photo.Limits
	trailing int64 // the greatest number of bytes that may follow the picture

	h    hash.Hash
	scan photo.Scan
	at   int64 // number of bytes processed
	buf  []byte
}

func (in *Ingester) copy(file *os.File) (*copied, error) {
	temp, err := in.Store.Files().Temp()
	if err != nil {
		return nil, err
	}
	c := newCopier(file, temp, in.Limits, int64(in.Config.Images.MaxTrailerMegabytes)<<20)
	if err := c.run(); err != nil {
		in.Store.Files().Discard(temp)
		return nil, err
	}
	return &copied{temp, sumOf(c.h), c.scan.Facts()}, nil
}

func newCopier(in, out *os.File, limits photo.Limits, trailing int64) *copier {
	return &copier{in: in, out: out, limits: limits, trailing: trailing, h: sha256.New(), buf: make([]byte, copyChunk)}
}

func (c *copier) run() error {
	for {
		data, hole, err := c.extent()
		if err != nil {
			return err
		}
		if data > c.at {
			if err := c.hole(data, hole == data); err != nil {
				return err
			}
		}
		if hole == data { // nothing but a hole was left
			return c.out.Truncate(c.at)
		}
		for c.at < hole {
			n, err := c.in.ReadAt(c.buf[:min(copyChunk, hole-c.at)], c.at)
			if _, werr := c.out.WriteAt(c.buf[:n], c.at); werr != nil {
				return werr
			}
			if ferr := c.feed(c.buf[:n]); ferr != nil {
				return ferr
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
}

// extent returns the start and the end of the next data at or after c.at. Both are
// the size of the file if only a hole is left. On a file system without SEEK_DATA the
// whole file counts as data.
func (c *copier) extent() (data, hole int64, err error) {
	fd := int(c.in.Fd())
	data, err = unix.Seek(fd, c.at, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		fi, err := c.in.Stat()
		if err != nil {
			return 0, 0, err
		}
		end := max(c.at, fi.Size())
		return end, end, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EOPNOTSUPP):
		return c.at, 1<<63 - 1, nil
	case err != nil:
		return 0, 0, &os.PathError{Op: "seek", Path: c.in.Name(), Err: err}
	}
	hole, err = unix.Seek(fd, data, unix.SEEK_HOLE)
	if err != nil || hole <= data {
		return data, 1<<63 - 1, nil // the file was truncated meanwhile; reading notices that
	}
	return data, hole, nil
}

// hole hashes and scans zeros up to end. A long hole inside the picture is an error
// at once: an interrupted upload leaves one, and no camera writes one.
func (c *copier) hole(end int64, last bool) error {
	clear(c.buf)
	length := end - c.at
	for first := true; c.at < end; first = false {
		if !first && !c.scan.Facts().Whole {
			if last {
				return fmt.Errorf("%w: %d bytes are missing at its end", photo.ErrIncomplete, length)
			}
			return fmt.Errorf("%w: %d bytes are missing in it", photo.ErrDamaged, length)
		}
		if err := c.feed(c.buf[:min(copyChunk, end-c.at)]); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) feed(b []byte) error {
	c.h.Write(b)
	_, _ = c.scan.Write(b)
	c.at += int64(len(b))
	f := c.scan.Facts()
	if f.Trailing > c.trailing {
		return fmt.Errorf("%w: more than %d megabytes", errTrailing, c.trailing>>20)
	}
	return photo.CheckBeginning(f, c.limits)
}

package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"picday/internal/durable"
	"picday/photo"
	"picday/store"
)

// A copied is our own copy of an upload, not yet under its name.
type copied struct {
	temp  *os.File
	sha   store.SHA
	facts photo.Facts
}

// errTrailing: more follows the picture than is kept with it.
var errTrailing = errors.New("too much follows the picture")

// copyChunk is read at a time; a longer hole in a JPEG is no segment's content.
const copyChunk = 1 << 18

// A copier reads an upload once: it copies, hashes and scans. It stops with the
// reason as soon as what it has read can become no photo, whatever follows, for
// to ask for a file of a terabyte costs its uploader nothing. Holes stay holes.
type copier struct {
	in, out  *os.File
	limits   photo.Limits
	trailing int64 // the most that may follow the picture

	h    hash.Hash
	scan photo.Scan
	at   int64 // so far
	buf  []byte
}

func (in *Ingester) copy(file *os.File) (*copied, error) {
	temp, err := durable.Temp(in.Store.TempDir())
	if err != nil {
		return nil, err
	}
	c := &copier{
		in: file, out: temp, limits: in.Limits, trailing: int64(in.Config.Images.MaxTrailerMegabytes) << 20,
		h: sha256.New(), buf: make([]byte, copyChunk),
	}
	if err := c.run(); err != nil {
		durable.Discard(temp)
		return nil, err
	}
	return &copied{temp, sumOf(c.h), c.scan.Facts()}, nil
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

// extent is where data begins, at or behind the place reached, and where it ends;
// both are the size of the file when only a hole is left. Where the file system
// does not know, all is data.
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
		return data, 1<<63 - 1, nil // cut off meanwhile: reading finds out
	}
	return data, hole, nil
}

// hole takes zeros up to end. A hole in a picture is what an upload that did not
// come whole leaves, or nobody's photo: it is not read to its end either.
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
	return photo.Hopeless(f, c.limits)
}

package export

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// zips writes files into zips of a limited size: one name after another, "-2" and so on.
type zips struct {
	out   Output
	most  int64
	n     int
	file  io.WriteCloser
	w     *zip.Writer
	bytes int64
	end   func(*zips) error // writes what a zip ends with
	tail  int64             // how many bytes that will have
}

// overhead is what a file costs in a zip beside its bytes, with the longest name.
const overhead = 300

func (z *zips) add(name string, data []byte, tail int64) error {
	size := int64(len(data)) + overhead
	if z.w != nil && z.bytes+size+z.tail+tail+overhead > z.most {
		if err := z.close(); err != nil {
			return err
		}
	}
	if z.w == nil {
		z.n++
		name := "1.zip"
		if z.n > 1 {
			name = fmt.Sprintf("%d.zip", z.n)
		}
		f, err := z.out.Create(name)
		if err != nil {
			return err
		}
		z.file, z.w, z.bytes = f, zip.NewWriter(f), 0
	}
	z.bytes += size
	z.tail += tail
	return z.put(name, data)
}

func (z *zips) put(name string, data []byte) error {
	// Without a time, so that the same pictures give the same bytes; JPEGs do not shrink.
	w, err := z.w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

func (z *zips) close() error {
	if z.w == nil {
		return nil
	}
	var err error
	if z.end != nil {
		err = z.end(z)
	}
	err = errors.Join(err, z.w.Close(), z.file.Close())
	z.w, z.tail = nil, 0
	return err
}

// finish closes the last zip, or discards it after an error.
func (z *zips) finish(err error) error {
	if err == nil {
		return z.close()
	}
	if d, ok := z.file.(interface{ Discard() }); ok && z.w != nil {
		d.Discard()
	}
	return err
}

// writeFlat writes ID.jpg for everybody.
func writeFlat(ctx context.Context, x *run) error {
	z := &zips{out: x.Out, most: x.ZipBytes}
	err := x.each(ctx, func(i int, pictures [][]byte) error { return z.add(x.people[i].ID+".jpg", pictures[0], 0) })
	return z.finish(err)
}

// writePowerSchool writes ID.jpg for everybody, and the map of numbers to files.
func writePowerSchool(ctx context.Context, x *run) error {
	return x.withIndex(ctx, "map.txt", func(_ int, p Person) (name, line string) {
		return p.ID + ".jpg", p.ID + "\t" + p.ID + ".jpg\r\n"
	})
}

// writeDestiny writes numbered pictures, and idlink.txt, which says whose they are.
func writeDestiny(ctx context.Context, x *run) error {
	return x.withIndex(ctx, "idlink.txt", func(i int, p Person) (name, line string) {
		name = fmt.Sprintf("%05d.jpg", i+1)
		return name, fmt.Sprintf("%q,%q\r\n", p.ID, name)
	})
}

// withIndex writes pictures, and at the end of each zip a text with a line for each of its
// pictures.
func (x *run) withIndex(ctx context.Context, index string, entry func(i int, p Person) (name, line string)) error {
	var text strings.Builder
	z := &zips{out: x.Out, most: x.ZipBytes, end: func(z *zips) error {
		defer text.Reset()
		return z.put(index, []byte(text.String()))
	}}
	err := x.each(ctx, func(i int, pictures [][]byte) error {
		name, line := entry(i, x.people[i])
		if err := z.add(name, pictures[0], int64(len(line))); err != nil {
			return err
		}
		text.WriteString(line)
		return nil
	})
	return z.finish(err)
}

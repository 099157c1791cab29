package ingest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/store"
)

// disk answers what is on the upload volume, for one transaction. Absence is
// claimed only with proof: the volume carries the marker we know, the folder
// that uploaders cannot remove is there, and the nearest directory that still
// exists can be read.
type disk struct {
	in     *Ingester
	inodes map[string]map[uint64][]string // by account/job: the names of each
	roots  map[string]*os.Root
	volume error
	asked  bool
}

// withDisk runs fn with fresh answers and lets go of what they opened.
func (in *Ingester) withDisk(fn func(store.Disk) error) error {
	d := &disk{in: in, roots: map[string]*os.Root{}, inodes: map[string]map[uint64][]string{}}
	defer func() {
		for _, r := range d.roots {
			if r != nil {
				r.Close()
			}
		}
	}()
	return fn(d)
}

// Look implements store.Disk.
func (d *disk) Look(name, path string) (store.Presence, store.Identity) {
	none := store.Identity{}
	a, ok := d.in.account(name)
	if !ok || d.unsure() {
		return store.Unknown, none
	}
	root := d.root(name)
	if root == nil {
		return store.Unknown, none
	}
	// What picday made and uploaders cannot remove: the job's folder, or
	// lincoln/user-pictures.
	fixed := 1
	if a.Layout == store.Portraits {
		fixed = 2
	}
	elements := strings.Split(path, "/")
	if len(elements) <= fixed {
		return store.Unknown, none
	}
	// From the top down, so that a folder replaced by a link or a file ends
	// the path there, and nothing is followed.
	for i := 1; i < len(elements); i++ {
		dir := strings.Join(elements[:i], "/")
		fi, err := root.Lstat(dir)
		gone := errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir()
		switch {
		case gone && i > fixed && d.readable(root, elements[:i-1]):
			return store.Absent, none
		case gone || err != nil:
			return store.Unknown, none
		}
	}
	fi, err := root.Lstat(path)
	switch {
	case err == nil:
		return store.There, d.in.identityOf(fi, name, path)
	case errors.Is(err, fs.ErrNotExist) && d.readable(root, elements[:len(elements)-1]):
		return store.Absent, none
	}
	return store.Unknown, none
}

// readable tells whether a directory can be listed.
func (d *disk) readable(root *os.Root, elements []string) bool {
	f, err := root.Open(strings.Join(elements, "/"))
	if err != nil {
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	return err == nil || errors.Is(err, io.EOF)
}

func (d *disk) root(name string) *os.Root {
	if r, ok := d.roots[name]; ok {
		return r
	}
	r, err := os.OpenRoot(filepath.Join(d.in.Config.UploadDir, name))
	if err != nil {
		r = nil
	}
	d.roots[name] = r
	return r
}

// unsure asks for the volume's marker once, before the first answer.
func (d *disk) unsure() bool {
	if !d.asked {
		d.asked = true
		d.volume = d.in.Store.CheckVolume(context.Background(), d.in.Config.UploadDir)
	}
	return d.volume != nil
}

// Sure implements store.Disk: the marker is still there after the answers were
// given. Between two looks at it a volume cannot have come and gone unless it
// was there in between.
func (d *disk) Sure(ctx context.Context) error {
	return d.in.Store.CheckVolume(ctx, d.in.Config.UploadDir)
}

package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"picday/store"
)

// disk answers what is on the upload volume, for one transaction. Absence is
// claimed only with proof: the volume carries the marker we know, the folder
// that uploaders cannot remove is there, and the nearest directory that still
// exists can be read.
//
// Some answers are Unknown for good, such as those about a job that is hidden.
// doubt says that one was so for a reason that will pass: a fault of the
// machine, another volume, or a question too dear for the transaction.
type disk struct {
	in     *Ingester
	budget *store.Budget
	listed map[string]*listing // by account/job
	roots  map[string]*os.Root
	volume error
	asked  bool

	doubt  error
	faults int    // so many times
	wants  []want // what was too dear
}

// withDisk runs fn, which decides by the answers it gets. If one of them is in
// doubt nothing is decided: the error is an ErrUnsure.
func (in *Ingester) withDisk(budget *store.Budget, fn func(store.Disk) error) error {
	doubt, err := in.askDisk(budget, fn)
	if err == nil {
		err = doubt
	}
	return err
}

// askDisk runs fn with fresh answers, lets go of what they opened, and tells
// whether one of them is in doubt.
func (in *Ingester) askDisk(budget *store.Budget, fn func(store.Disk) error) (doubt, err error) {
	d := &disk{in: in, budget: budget, roots: map[string]*os.Root{}, listed: map[string]*listing{}}
	defer func() {
		for _, r := range d.roots {
			if r != nil {
				r.Close()
			}
		}
		for _, l := range d.listed {
			in.dear.putBack(l)
		}
	}()
	err = fn(d)
	switch {
	case len(d.wants) > 0:
		doubt = &tooDear{d.wants}
	case d.doubt != nil:
		doubt = fmt.Errorf("%w: %w", store.ErrUnsure, d.doubt)
	}
	return doubt, err
}

// fault remembers an error that says nothing about what was asked, and tells
// whether err is one.
func (d *disk) fault(err error) bool {
	if !isFault(err) {
		return false
	}
	d.doubt = err
	d.faults++
	return true
}

func isFault(err error) bool {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return false
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		switch errno {
		case syscall.ENOTDIR, syscall.ELOOP, syscall.EACCES, syscall.EPERM, syscall.ENAMETOOLONG, syscall.ENXIO:
			return false
		}
		return true
	}
	return errors.Is(err, store.ErrUnsure) // anything else is os.Root's: a link leads out of the account's folder
}

// Look implements store.Disk.
func (d *disk) Look(name, path string) (store.Presence, store.Identity) {
	d.budget.Begin()
	defer d.budget.End()
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
	// os.Root goes from folder to folder.
	if d.fault(d.budget.Spend(len(elements)*(len(elements)+3), 0)) {
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
			d.fault(err)
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
	d.fault(err)
	return store.Unknown, none
}

// readable tells whether a directory can be listed.
func (d *disk) readable(root *os.Root, elements []string) bool {
	f, err := root.Open(strings.Join(elements, "/"))
	if err != nil {
		d.fault(err)
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	if err == nil || errors.Is(err, io.EOF) {
		return true
	}
	d.fault(err)
	return false
}

func (d *disk) root(name string) *os.Root {
	if r, ok := d.roots[name]; ok {
		return r
	}
	r, err := os.OpenRoot(filepath.Join(d.in.Config.UploadDir, name))
	if err != nil {
		d.fault(err)
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
	if d.volume != nil {
		d.doubt = d.volume
	}
	return d.volume != nil
}

// Sure implements store.Disk: the marker is still there after the answers were
// given. Between two looks at it a volume cannot have come and gone unless it
// was there in between.
func (d *disk) Sure(ctx context.Context) error {
	return d.in.Store.CheckVolume(ctx, d.in.Config.UploadDir)
}

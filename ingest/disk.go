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

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// disk is the store.Disk of one transaction. It answers Absent only with proof: the
// upload volume has the marker that the catalogue knows, the folder that uploaders
// cannot remove exists, and the nearest existing parent directory can be read.
//
// Some Unknown answers are permanent, such as those about a hidden job. err is set if an
// answer was Unknown for a temporary reason: an error of the system, another volume, or a
// question too expensive for the transaction.
type disk struct {
	in            *Ingester
	budget        *store.Budget
	listings      map[string]*listing // by account/job
	roots         map[string]*os.Root
	volumeErr     error
	volumeChecked bool

	err          error
	systemErrors int        // number of system errors in err
	questions    []question // those that were too expensive
}

// withDisk runs fn, which decides by the answers of the disk. If one of them was
// Unknown for a temporary reason, it returns an ErrUnsure, so that the transaction is
// rolled back.
func (in *Ingester) withDisk(budget *store.Budget, fn func(store.Disk) error) error {
	diskErr, err := in.askDisk(budget, fn)
	if err == nil {
		err = diskErr
	}
	return err
}

// askDisk runs fn with a new disk and closes it. diskErr is an ErrUnsure if an answer was
// Unknown for a temporary reason; err is the error of fn.
func (in *Ingester) askDisk(budget *store.Budget, fn func(store.Disk) error) (diskErr, err error) {
	d := &disk{in: in, budget: budget, roots: map[string]*os.Root{}, listings: map[string]*listing{}}
	defer func() {
		for _, r := range d.roots {
			if r != nil {
				r.Close()
			}
		}
		for _, l := range d.listings {
			in.diskCache.putListing(l)
		}
	}()
	err = fn(d)
	switch {
	case len(d.questions) > 0:
		diskErr = &overBudget{d.questions}
	case d.err != nil:
		diskErr = fmt.Errorf("%w: %w", store.ErrUnsure, d.err)
	}
	return diskErr, err
}

// noteSystemError tells whether err is a system error, and then records it.
func (d *disk) noteSystemError(err error) bool {
	if !isSystemError(err) {
		return false
	}
	d.err = err
	d.systemErrors++
	return true
}

// isSystemError tells whether err is an error of the system, such as too many open files,
// which says nothing about the file at the path. A later try may succeed.
func isSystemError(err error) bool {
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
	return errors.Is(err, store.ErrUnsure) // other errors come from os.Root: a link leads out of the account's folder
}

// Look implements store.Disk.
func (d *disk) Look(ctx context.Context, name, path string) (store.Presence, upload.Identity) {
	d.budget.Begin()
	defer d.budget.End()
	none := upload.Identity{}
	a, ok := d.in.account(name)
	if !ok || d.otherVolume(ctx) {
		return store.Unknown, none
	}
	root := d.root(name)
	if root == nil {
		return store.Unknown, none
	}
	// The number of path elements that uploaders cannot remove: the job's folder, or
	// ACCOUNT/user-pictures.
	fixed := 1
	if a.Layout == layout.Portraits {
		fixed = 2
	}
	elements := strings.Split(path, "/")
	if len(elements) <= fixed {
		return store.Unknown, none
	}
	// os.Root opens each folder on the way, for each of the calls below.
	if d.noteSystemError(d.budget.Spend(len(elements)*(len(elements)+3), 0)) {
		return store.Unknown, none
	}
	// Check from the top down, so that no link is followed: a folder that was
	// replaced by a link or a file ends the path.
	for i := 1; i < len(elements); i++ {
		dir := strings.Join(elements[:i], "/")
		fi, err := root.Lstat(dir)
		gone := errors.Is(err, fs.ErrNotExist) || err == nil && !fi.IsDir()
		switch {
		case gone && i > fixed && d.readable(root, elements[:i-1]):
			return store.Absent, none
		case gone || err != nil:
			d.noteSystemError(err)
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
	d.noteSystemError(err)
	return store.Unknown, none
}

// readable tells whether a directory can be listed.
func (d *disk) readable(root *os.Root, elements []string) bool {
	f, err := root.Open(strings.Join(elements, "/"))
	if err != nil {
		d.noteSystemError(err)
		return false
	}
	defer f.Close()
	_, err = f.Readdirnames(1)
	if err == nil || errors.Is(err, io.EOF) {
		return true
	}
	d.noteSystemError(err)
	return false
}

func (d *disk) root(name string) *os.Root {
	if r, ok := d.roots[name]; ok {
		return r
	}
	r, err := os.OpenRoot(filepath.Join(d.in.Config.UploadDir, name))
	if err != nil {
		d.noteSystemError(err)
		r = nil
	}
	d.roots[name] = r
	return r
}

// otherVolume tells whether the upload volume is not the known one. It reads the volume's
// marker once, before the first answer.
func (d *disk) otherVolume(ctx context.Context) bool {
	if !d.volumeChecked {
		d.volumeChecked = true
		d.volumeErr = d.in.Store.CheckVolume(ctx, d.in.Config.UploadDir)
	}
	if d.volumeErr != nil {
		d.err = d.volumeErr
	}
	return d.volumeErr != nil
}

// Verify implements store.Disk. It checks that the volume's marker is still there
// after the answers were given.
func (d *disk) Verify(ctx context.Context) error {
	return d.in.Store.CheckVolume(ctx, d.in.Config.UploadDir)
}

package activation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"picday/internal/filestate"
	"picday/internal/layout"
	"picday/store"
)

// busy returns the first reason why the job is not quiet, the zero Busy if it is.
func (a Activation) busy(ctx context.Context) (busy Busy, err error) {
	missing, err := a.Store.MissingInJob(ctx, a.Job)
	if err != nil {
		return busy, err
	}
	err = a.walk(ctx, func(string) {}, func(found Busy) error {
		if busy = found; busy != (Busy{}) {
			return fs.SkipAll
		}
		return nil
	})
	if err == nil && busy == (Busy{}) && missing > 0 {
		busy = Busy{Why: NotWithdrawn, Count: missing}
	}
	return busy, err
}

// walk calls folder for every directory of the job, with its raw path from the root of
// the SFTP view, and file for every file. fs.SkipAll ends the walk.
func (a Activation) walk(ctx context.Context, folder func(path string), file func(Busy) error) error {
	base := a.Trees.Base(a.Account.Name)
	if !a.shown() {
		base = a.Trees.ActiveBase(a.Account.Name)
	}
	everywhere := func(string) bool { return true } // temporary files may be in any folder
	err := filestate.Walk(base, a.Job.Name, everywhere, func(dir string, names []string, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch {
		case dir != a.Job.Name && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)):
			return file(Busy{Why: Changing})
		case err != nil:
			return err
		}
		folder(dir)
		known, err := a.Store.Known(ctx, a.Account.ID, dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			id, ok := known[name]
			path := dir + "/" + name
			state := filestate.Look(base, path, a.Volumes)
			if err := file(busyWith(path, state, filestate.Record{Known: ok, Identity: id})); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, fs.SkipAll) {
		err = nil
	}
	return err
}

func busyWith(name string, f filestate.File, r filestate.Record) Busy {
	// Also a temporary name: it is renamed when the upload is complete. A file that
	// cannot be asked about counts as open, unless the kernel tells that of no file:
	// then the daemon has waited until the file was quiet for long.
	if f.Writing == filestate.Yes || f.Writing == filestate.NotKnown {
		return Busy{Why: Uploading, Path: layout.Shown(name)}
	}
	switch state := filestate.Of(name, f, r); {
	case f.Err != nil || state == filestate.Waiting:
		return Busy{Why: NotTaken, Path: layout.Shown(name)}
	case state == filestate.Folder && !layout.Deepest(name), !f.Exists:
		return Busy{Why: Changing} // it was a file when the directory was listed
	}
	return Busy{}
}

// A Busy says why a job is not quiet. The zero value means that it is.
type Busy struct {
	Why   Why
	Path  string // of the file, in shown form
	Count int
}

// Why is a kind of Busy.
type Why int

// The kinds.
const (
	_            Why = iota
	Uploading        // somebody is writing Path
	NotTaken         // picdayd has not dealt with Path as it is now
	Changing         // files are coming and going
	NotWithdrawn     // Count photos were deleted, and the grace after that still runs
)

func (b Busy) String() string {
	switch b.Why {
	case Uploading:
		return b.Path + " is being uploaded"
	case NotTaken:
		return b.Path + " has not been taken in yet"
	case Changing:
		return "files are coming and going"
	case NotWithdrawn:
		return fmt.Sprintf("%d deleted photos are not withdrawn yet", b.Count)
	}
	return ""
}

// A BusyError is returned for a job that was not quiet in time.
type BusyError struct{ Busy Busy }

func (e *BusyError) Error() string { return "the job is still receiving uploads: " + e.Busy.String() }

// Objections are what stands against activating a job, for whoever decides about it.
type Objections struct {
	Problems     int      // files that could not become photos
	Busy         []Busy   // why the job is not quiet, at most MaxListed of them
	BusyCount    int      // how many there are
	EmptyFolders []string // folders of which no photo is published, in shown form
}

// MaxListed bounds Objections.Busy.
const MaxListed = 20

// None tells whether nothing stands against it.
func (o Objections) None() bool {
	return o.Problems == 0 && o.BusyCount == 0 && len(o.EmptyFolders) == 0
}

// Objections looks at every file of the job.
func (a Activation) Objections(ctx context.Context) (o Objections, err error) {
	view := a.Store.View(a.Account.ID)
	job, err := view.Job(ctx, a.Account.Name, a.Job.Name)
	if err != nil {
		return o, err
	}
	o.Problems = job.Problems
	albums, err := view.Albums(ctx, store.AlbumQuery{Account: a.Account.Name, Job: a.Job.Name})
	if err != nil {
		return o, err
	}
	filled := map[string]bool{}
	for _, al := range albums {
		filled[al.Name] = al.Individuals+al.Group > 0
	}
	empty := func(path string) {
		name, ok := strings.CutPrefix(path, a.Job.Name+"/")
		if !ok || strings.Contains(name, "/") || filestate.NoiseOf(path) != filestate.NoNoise {
			return // the job itself, a folder in an album, or a system folder
		}
		if name = layout.Shown(name); !filled[name] && !slices.Contains(o.EmptyFolders, name) {
			o.EmptyFolders = append(o.EmptyFolders, name)
		}
	}
	err = a.walk(ctx, empty, func(busy Busy) error {
		if busy != (Busy{}) {
			o.add(busy)
		}
		return nil
	})
	if err != nil {
		return o, err
	}
	missing, err := a.Store.MissingInJob(ctx, a.Job)
	if err == nil && missing > 0 {
		o.add(Busy{Why: NotWithdrawn, Count: missing})
	}
	return o, err
}

func (o *Objections) add(b Busy) {
	if len(o.Busy) < MaxListed {
		o.Busy = append(o.Busy, b)
	}
	o.BusyCount++
}

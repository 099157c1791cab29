// Package verify compares the uploads, the catalogue, and the originals and
// renditions on disk. The daemon may go on working meanwhile: what it has in hand
// is no difference, and what changes is looked at again.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"picday/internal/bytesize"
	"picday/internal/contract"
	"picday/internal/failure"
	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// Options are what a Verification works on.
type Options struct {
	Store     *store.Store
	DataDir   string // of the store
	UploadDir string
	Volumes   *upload.Volumes
	Settle    time.Duration // the daemon leaves a file alone until it has not changed for so long

	// Rescan has the daemon look at everything, and returns when that is done. It
	// returns control.ErrNotRunning if there is no daemon.
	Rescan   func(context.Context) error
	Rate     float64               // megabytes per second to read at most; 0 = no limit
	Progress func(done, total int) // called as pictures are read, by one goroutine at a time
	Found    func(Finding)         // called for each finding at once, by one goroutine at a time
}

// A Report is what was compared and found. The Findings are in the order in which
// they were found.
type Report struct {
	Originals  int
	Renditions int
	Bytes      int64 // read
	Uploads    int   // that the catalogue knows as they are
	Waiting    int   // that picdayd has not dealt with yet, which is no difference
	Findings   []Finding

	Removed int // files that nothing pointed to, by Repair
	Remade  int // renditions that the daemon makes anew when it starts, by Repair
}

// Repaired is how many of the findings Repair has dealt with.
func (r Report) Repaired() int { return r.Removed + r.Remade }

// JSON is the report for programs.
func (r Report) JSON() contract.Verification {
	v := contract.Verification{
		Originals: r.Originals, Renditions: r.Renditions, Bytes: r.Bytes, Uploads: r.Uploads, Waiting: r.Waiting,
		Repaired: r.Repaired(), Differences: []contract.Difference{},
	}
	for _, f := range r.Findings {
		v.Differences = append(v.Differences, f.JSON())
	}
	return v
}

// A Verification is one run.
type Verification struct {
	Options
	trees trees.Dir
	limit *rate.Limiter // nil = none

	mu     sync.Mutex // guards what follows
	report Report
	remake []pictures.File // damaged renditions whose originals are right
}

// New prepares a run.
func New(o Options) *Verification {
	v := &Verification{Options: o, trees: trees.Dir(o.UploadDir)}
	if o.Rate > 0 {
		v.limit = rate.NewLimiter(rate.Limit(o.Rate*1e6), burst)
	}
	return v
}

// Run compares everything.
func (v *Verification) Run(ctx context.Context) (Report, error) {
	for _, compare := range []func(context.Context) error{v.catalogue, v.pictures, v.orphans, v.uploads, v.photos} {
		if err := compare(ctx); err != nil {
			return v.report, err
		}
	}
	return v.report, nil
}

// CheckStopped refuses what Repair would refuse: a daemon that runs.
func (v *Verification) CheckStopped() error {
	unlock, err := v.lock()
	if err == nil {
		unlock()
	}
	return err
}

// lock keeps the daemon from starting.
func (v *Verification) lock() (unlock func(), err error) {
	unlock, err = store.LockDataDir(v.DataDir)
	if errors.Is(err, store.ErrInUse) {
		err = failure.Refusalf("picdayd is running, and could be about to use what would be deleted: stop it first with 'systemctl stop picdayd'")
	}
	return unlock, err
}

// Repair does, after Run, what risks nobody's photo: it deletes the files that
// nothing points to, and enters that the daemon has to make the damaged renditions
// anew. It returns Run's report with what it did.
func (v *Verification) Repair(ctx context.Context) (Report, error) {
	unlock, err := v.lock()
	if err != nil {
		return v.report, err
	}
	defer unlock()
	if v.report.Removed, err = v.Store.RemoveOrphans(ctx); err != nil {
		return v.report, err
	}
	if err = v.Store.Update(ctx, func(tx *store.Tx) error { return tx.ForgetRenditions(v.remake) }); err == nil {
		v.report.Remade = len(v.remake)
	}
	return v.report, err
}

func (v *Verification) found(f Finding) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Findings = append(v.report.Findings, f)
	if v.Found != nil {
		v.Found(f)
	}
}

func (v *Verification) catalogue(ctx context.Context) error {
	all, err := v.Store.Faults(ctx)
	for _, message := range all {
		v.found(Finding{What: UnsoundCatalogue, Message: message})
	}
	return err
}

func (v *Verification) orphans(ctx context.Context) error {
	return v.Store.Orphans(ctx, func(name pictures.Name, fi fs.FileInfo) error {
		if store.Orphaned(fi) {
			v.found(Finding{
				What: Orphan, File: v.Store.Files().Path(name),
				Message: fmt.Sprintf("nothing points to this file (%s)", bytesize.Format(fi.Size())),
			})
		}
		return nil
	})
}

// photos compares what is published with what the catalogue knows of the uploads,
// and every link with what the key makes.
func (v *Verification) photos(ctx context.Context) error {
	const most = 1000
	fileless, err := v.Store.PhotosWithoutFile(ctx, most)
	if err != nil {
		return err
	}
	for _, p := range fileless {
		v.found(Finding{
			What: PhotoWithoutFile, Account: p.Account, Path: p.Path,
			Message: "published, but no uploaded file stands for it there, so deleting cannot withdraw it",
		})
	}
	doubles, err := v.Store.SharedPaths(ctx, most)
	if err != nil {
		return err
	}
	for _, p := range doubles {
		v.found(Finding{What: DoublePhoto, Account: p.Account, Path: p.Path, Message: "more than one photo is published at this path"})
	}
	return v.Store.WrongLinks(ctx, func(p store.Photo) {
		v.found(Finding{
			What: WrongLink, Account: p.Account, Path: p.Path, Person: p.Person,
			Message: "its link is not the one that the key makes for it, and may have been given out for another photo",
		})
	})
}

// Package receipts tells uploaders what became of their files: picdayd writes a report for
// people and one for programs into the folder _picday of their own SFTP view, for each
// planned job, or for a school.
//
// It promises: a reader finds a whole report, the one before or the one after. Uploaders can
// neither change nor remove one: the folder is picdayd's, in a directory that is root's.
// picdayd never follows a link there, and writes only where it has made the folder itself.
// Losing a report costs nothing: the next change writes it again.
package receipts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/layout"
	"picday/internal/series"
	"picday/internal/trees"
	"picday/store"
	"picday/watcher"
)

// Options are what a Writer needs; all are required.
type Options struct {
	Enabled bool
	Store   *store.Store
	Trees   trees.Dir
	Volume  func(context.Context) error             // an error if the upload volume is not there
	Room    func() error                            // an error if nothing is taken, because the disk is full
	Waiting func() map[watcher.Tree]watcher.Backlog // the files that are still on their way
	Log     zerolog.Logger
}

// A Writer writes the receipts.
type Writer struct {
	Options
	jobs     map[key]*job
	accounts map[int64]string // what is written of an account, as of this mark
	failing  map[string]bool  // accounts of which it was said that nothing can be written
}

type key struct{ account, job int64 }

// job is what is known of one receipt.
type job struct {
	mark     string
	at       time.Time                  // when it was written
	counters map[string]series.Counters // by album
	upto     int64                      // changed_at up to which counters have all
}

const (
	every    = time.Second
	between  = 2 * time.Second // two versions of one receipt, so that an upload is not held up
	mostWait = 2 * time.Second // between two looks, if one takes long
)

// New makes a Writer.
func New(o Options) *Writer {
	return &Writer{Options: o, jobs: map[key]*job{}, accounts: map[int64]string{}, failing: map[string]bool{}}
}

// Run writes a receipt soon after something has changed that it says, until ctx ends. If
// receipts are switched off it removes those that are there. It logs its errors and always
// returns nil.
func (w *Writer) Run(ctx context.Context) error {
	wait := every
	for {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		began := time.Now()
		if err := w.look(ctx, began); err != nil && ctx.Err() == nil {
			w.Log.Error().Err(err).Msg("receipts are not written, will try again")
			wait = time.Minute
			continue
		}
		if wait = max(every, min(20*time.Since(began), mostWait)); !w.Enabled {
			wait = time.Minute
		}
	}
}

// look renews the receipts that are not up to date.
func (w *Writer) look(ctx context.Context, now time.Time) error {
	if w.Volume(ctx) != nil {
		return nil // its folders may be those below a mount point
	}
	accounts, err := w.Store.All().Accounts(ctx)
	if err != nil {
		return err
	}
	waiting := w.Waiting()
	for _, a := range accounts {
		if store.ValidName(a.Name) != nil || a.Layout != layout.Jobs && a.Layout != layout.Portraits {
			continue
		}
		err := w.account(ctx, a, waiting, now)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !w.failing[a.Name] {
			w.Log.Warn().Err(err).Str("account", a.Name).Msg("the receipts of an account cannot be written, will try again")
		}
		w.failing[a.Name] = err != nil
	}
	return nil
}

// place is the directory in which the folder of receipts is, and the tree that picdayd
// watches for a job.
func (w *Writer) place(a store.Account) string {
	if a.Layout == layout.Portraits {
		return filepath.Join(w.Trees.Base(a.Name), a.Name)
	}
	return w.Trees.Base(a.Name)
}

func tree(a store.Account, r store.ReceiptOf) watcher.Tree {
	if a.Layout == layout.Portraits {
		return watcher.Tree{Account: a.Name, Path: a.Name + "/" + layout.UserPictures}
	}
	return watcher.Tree{Account: a.Name, Path: r.Job}
}

func (w *Writer) account(ctx context.Context, a store.Account, waiting map[watcher.Tree]watcher.Backlog, now time.Time) error {
	if !w.Enabled {
		return remove(w.place(a))
	}
	mark, err := w.Store.View(a.ID).ChangeMark(ctx)
	if err != nil {
		return err
	}
	for t, b := range waiting {
		if t.Account == a.Name {
			mark += fmt.Sprint(len(t.Path), t.Path, b)
		}
	}
	full := w.Room() != nil
	if mark += fmt.Sprint(a.Language, full); w.accounts[a.ID] == mark {
		return nil
	}
	all, err := w.Store.Receipts(ctx, a)
	if err != nil {
		return err
	}
	dir, err := open(w.place(a))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the account is just being made, or removed
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	late := false
	names, there := map[string]bool{}, map[key]bool{}
	for _, r := range all {
		names[r.Job], there[key{a.ID, r.JobID}] = true, true
		done, err := w.renew(ctx, dir, a, r, waiting[tree(a, r)], full, now)
		if err != nil {
			return err
		}
		late = late || !done
	}
	if a.Layout == layout.Jobs {
		if err := dir.keep(names); err != nil {
			return err
		}
	}
	maps.DeleteFunc(w.jobs, func(k key, _ *job) bool { return k.account == a.ID && !there[k] })
	if !late {
		w.accounts[a.ID] = mark
	}
	return nil
}

// renew writes one receipt, unless it says already what it should; done is false if it was
// written a moment ago and has to be written again later.
func (w *Writer) renew(ctx context.Context, dir *folder, a store.Account, r store.ReceiptOf, waiting watcher.Backlog, full bool, now time.Time) (done bool, err error) {
	k := key{a.ID, r.JobID}
	j := w.jobs[k]
	if j == nil {
		j = &job{mark: dir.mark(r.Job), counters: map[string]series.Counters{}}
		w.jobs[k] = j
	}
	mark := markOf(format, a.Language, r.Mark, waiting, full)
	if mark == j.mark {
		return true, nil
	}
	if now.Sub(j.at) < between {
		return false, nil
	}
	f, err := w.facts(ctx, a, r, j)
	if err != nil {
		return false, err
	}
	f.waiting, f.uploading, f.full, f.at = waiting.Files, waiting.Uploading, full, now
	if err := dir.write(r.Job, f.text(), f.table(mark)); err != nil {
		return false, err
	}
	j.mark, j.at = mark, now
	return true, nil
}

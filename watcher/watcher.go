// Package watcher finds out which files below a set of directory trees are
// complete, and sends each of them once on a channel, taking the roots in turn.
//
// A regular file is sent only after three conditions hold: there was no event for
// the quiet time, two stats returned the same [upload.Identity], and the kernel says
// that no process has it open for writing. Where the kernel cannot say that, a longer
// quiet time stands in for it. The quiet time of a file that may become a photo is short
// at first, and such a file is marked as Early: its receiver takes it if it is whole, and
// else has it sent again after the whole time. No path is sent again before its Done. The
// next scan finds what events have missed; it compares files with the [Ledger], so
// that an unchanged file costs one stat. An [upload.Gone] is a hint: its receiver
// must check the path before it deletes anything.
//
// The watcher opens a file only to ask for a lease, and does not read it. It follows no
// symbolic link below [Root].Dir, in any element of a path.
//
// Ownership:
//
//   - the reader goroutine drains fsnotify into the inbox and does nothing
//     else, so that the kernel's queue overflows as late as possible;
//   - the event loop owns every entry, the trees and the queues of Settled and
//     Gone. All methods of Watcher reach it through the inbox;
//   - two walkers list directories, for scans and for new directories, and report
//     into the inbox. They call the Ledger; the event loop calls only its Unread;
//   - dirs holds the watched directories. Keeper and walkers use it, so it has a lock;
//   - one goroutine sleeps in poll(2) until the mount table changes.
//
// A renamed directory has events under both names (loop.go). Its watches end, and a walker
// lists the new name (walk.go); package ingest publishes its files without reading them.
//
// Known limit: when a directory above a tree is renamed or replaced (root can do that,
// an uploader cannot), inotify sends no event for the tree; the next scan notices it.
package watcher

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"picday/internal/upload"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Root is a directory that holds trees.
type Root struct {
	Account string   // unique name, not interpreted
	Dir     string   // absolute; every path sent is relative to it
	Trees   []string // relative to Dir; watched recursively
	// Generation is not interpreted. If it changes, the trees are scanned like new ones.
	Generation string
}

// Ledger tells which files were processed already. The two walkers call it at the same
// time, and do not change the maps it returns. Directories and paths are relative to
// Root.Dir.
type Ledger interface {
	// Known returns the processed files directly in dir, by name.
	Known(ctx context.Context, account, dir string) (map[string]upload.Identity, error)
	// Dirs returns every directory for which Known is not empty.
	Dirs(ctx context.Context, account string) ([]string, error)
	// Holds tells whether Known is not empty for dir or for a directory below it.
	Holds(ctx context.Context, account, dir string) (bool, error)
	// Skip tells whether to ignore a file that a scan found and that is not Known.
	Skip(ctx context.Context, account, path string, id upload.Identity) bool
	// Unread tells whether the receiver processes a file without reading it. Such
	// files have turns of their own. The event loop calls it, so it must not block.
	Unread(account, path string, regular bool) bool
}

// Options configure New. A zero duration means its default.
type Options struct {
	Settle       time.Duration // quiet time; default 1s
	SettleUnsure time.Duration // quiet time where the kernel grants no lease; default 30s
	Rescan       time.Duration // between scans of everything; default 1h
	Poll         time.Duration // between listings of directories without a watch; default 5s
	// Depth is the greatest number of elements of a path below Root.Dir; 0 means no
	// limit. A directory of that depth is sent like a file that is not regular, and
	// neither opened nor watched: everything below it is ignored.
	Depth int
	// MaxDirs is the greatest number of watched directories of a root; 0 means no
	// limit. A directory beyond it is neither watched nor listed, unless the ledger
	// has files in it, whose deletion would go unnoticed. The first such directory is
	// sent like a file that is not regular. All are tried again once the root is below the limit.
	MaxDirs int
	// Volume returns a key of a file system that stays the same when its device number
	// changes; fd is open on that file system. nil: the device number is the key.
	Volume upload.VolumeKey
	// Remounted is called when the mount table has changed, before any other check,
	// because device numbers may have changed. It may be nil.
	Remounted func()
	// Canary is a directory for files by which the watcher proves that events arrive. It is
	// removed and made. "": nothing is proven.
	Canary string
	Ignore func(name string) bool // tells whether to ignore a path element; nil ignores nothing
	Log    zerolog.Logger
}

// Scan describes a finished scan of whole trees.
type Scan struct {
	At    time.Time // when it started
	Took  time.Duration
	Files int
}

// Arriving is a file that is being uploaded, or was a moment ago.
type Arriving struct {
	Account, Path string
	Since         time.Time // of its first event
}

// maxArriving is the number of pending files up to which Status lists them.
const maxArriving = 50

// Backlog counts the files of one account that Done was not called for.
type Backlog struct {
	Files     int
	Uploading int // of these: see Status.Uploading
}

// A Tree is one of Root.Trees.
type Tree struct{ Account, Path string }

// Status is a snapshot of the watcher.
type Status struct {
	WatchedDirs    int
	PolledDirs     []string // absolute: without a watch or not readable, listed every Options.Poll
	Missing        []string // absolute: trees that are not there or not readable
	Unwatched      int      // directories that can be listed but not watched
	OutOfResources bool     // opening a file failed within the last minute, for want of descriptors or memory
	OutOfWatches   bool     // the kernel refused a watch because there are too many
	Pending        int      // files not yet sent on Settled
	Uploading      int      // pending files that are open for writing, or changed within the last minute
	InFlight       int      // files sent on Settled, not yet answered by Done
	OldestPending  time.Time
	Accounts       map[string]Backlog // of the accounts that have files pending or in flight
	Trees          map[Tree]Backlog   // of their trees
	Arriving       []Arriving         // the pending files that are not settled, if there are at most 50 pending
	LastScan       Scan
	Overflows      int64     // of the kernel's event queue, since the start
	Leaseless      []string  // accounts with files on a file system without leases
	LeaseRefused   []string  // accounts for whose files the kernel refused this process the last lease
	EventsProven   time.Time // when an event of the canary last arrived; zero: there is no canary or no inotify
	Rebuilt        int       // number of inotify instances that were replaced since the start
	WatchesMissing int       // that the last scan of everything found to be gone from the kernel
	OverDirLimit   []string  // accounts with more directories than Options.MaxDirs
}

// ErrStopped is returned by methods that wait for the event loop after Run has returned.
var ErrStopped = errors.New("watcher has stopped")

// Watcher watches the roots while Run runs. Use New.
type Watcher struct {
	opt     Options
	in      *inbox
	dirs    *dirs
	settled chan upload.File
	gone    chan upload.Gone
	started atomic.Bool
	stopped chan struct{}

	canaryEvery, canaryPatient time.Duration // tests have their own

	beforeEvent func() // lets tests stall the reader
}

// New opens an inotify instance. If the kernel has none left, every directory is polled.
func New(opt Options) (*Watcher, error) {
	orDefault(&opt.Settle, time.Second)
	orDefault(&opt.SettleUnsure, 30*time.Second)
	orDefault(&opt.Rescan, time.Hour)
	orDefault(&opt.Poll, 5*time.Second)
	if opt.Volume == nil {
		opt.Volume = func(dev uint64, _ int) uint64 { return dev }
	}
	if opt.Remounted == nil {
		opt.Remounted = func() {}
	}
	if opt.Ignore == nil {
		opt.Ignore = func(string) bool { return false }
	}
	if opt.Canary != "" {
		opt.Canary = filepath.Clean(opt.Canary)
	}
	fs, err := fsnotify.NewWatcher()
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		opt.Log.Warn().Err(err).Msg("no inotify instance left: polling every directory")
		fs = nil
	case err != nil:
		return nil, fmt.Errorf("start inotify: %w", err)
	}
	in := newInbox()
	return &Watcher{
		opt: opt, in: in, dirs: newDirs(fs, in, opt.MaxDirs, opt.Log),
		canaryEvery: canaryEvery, canaryPatient: canaryPatient,
		settled: make(chan upload.File), gone: make(chan upload.Gone), stopped: make(chan struct{}),
	}, nil
}

func orDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

// Run watches until ctx ends, then returns nil. It can be called once.
func (w *Watcher) Run(ctx context.Context, ledger Ledger) error {
	if w.started.Swap(true) {
		return errors.New("watcher runs already")
	}
	defer close(w.stopped)
	mounts, err := openMounts()
	if err != nil {
		return fmt.Errorf("watch the mount table: %w", err)
	}
	defer mounts.close()
	g, ctx := errgroup.WithContext(ctx)
	l := newLoop(w, ledger)
	l.startReader = func(inotify *fsnotify.Watcher) { g.Go(func() error { return w.read(ctx, inotify) }) }
	if w.dirs.inotify != nil {
		l.startReader(w.dirs.inotify)
	}
	for range walkers {
		g.Go(func() error { l.walker.work(ctx); return nil })
	}
	g.Go(func() error { return mounts.wait(func() { w.in.call((*loop).remounted) }) })
	g.Go(func() error { return l.run(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		l.walker.close()
		mounts.stop()
		return w.dirs.close()
	})
	return g.Wait()
}

// SetRoots replaces the watched roots. It may be called from any goroutine, also before
// Run. New trees are scanned at once; pending files of removed trees are dropped.
func (w *Watcher) SetRoots(roots []Root) {
	roots = append([]Root(nil), roots...)
	w.in.call(func(l *loop) { l.setRoots(roots) })
}

// maxInFlight is how many files of one lane may be sent and not yet answered. It is
// as many as the catalogue commits in one transaction, so that a renamed folder does
// not cost one fsync per file.
const maxInFlight = 256

// Settled returns the channel of complete files, which takes the roots in turn. The
// receiver must answer every file by Done.
func (w *Watcher) Settled() <-chan upload.File { return w.settled }

// Gone returns the channel of hints that a path is missing.
func (w *Watcher) Gone() <-chan upload.Gone { return w.gone }

// Done answers a file from Settled. If again is set, the file is sent once more after a
// new quiet time, or at the end of the whole one if it was sent early.
func (w *Watcher) Done(f upload.File, again bool) {
	w.in.call(func(l *loop) { l.done(f, again) })
}

// Look checks a file or directory as if it had just had an event; path "" scans the
// whole account.
func (w *Watcher) Look(account, path string) {
	w.in.call(func(l *loop) {
		if r, ok := l.roots[account]; ok && path == "" {
			l.rescan(account, nil)
		} else if ok {
			l.check(filepath.Join(r.Dir, path), pathEvents{op: opLook, at: l.now})
		}
	})
}

// Rescan scans an account, or all of them for "". It returns when every file that was
// there is answered by Done, is open for writing or waits for SettleUnsure, and every
// resulting Gone has been received. Events of before the call are handled before the scan. It
// fails for an unknown account, with ErrStopped, or with the error of ctx.
func (w *Watcher) Rescan(ctx context.Context, account string) error {
	if err := w.Flush(ctx); err != nil && !errors.Is(err, ErrNoEvents) {
		return err
	}
	wait := &waiter{account: account, done: make(chan struct{})}
	unknown := make(chan struct{})
	w.in.call(func(l *loop) {
		if _, ok := l.roots[account]; account != "" && !ok {
			close(unknown)
			return
		}
		l.rescan(account, wait)
	})
	select {
	case <-unknown:
		return fmt.Errorf("rescan: no root %q", account)
	case <-wait.done:
		return nil
	case <-w.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Alive returns nil once the event loop has answered, an ErrNoEvents if it answers and the
// kernel's events do not arrive, ErrStopped, or the error of ctx.
func (w *Watcher) Alive(ctx context.Context) error {
	answer := make(chan error, 1)
	w.in.call(func(l *loop) { answer <- l.canary.lastProven(l.dirs.hasInotify()) })
	select {
	case err := <-answer:
		return err
	case <-w.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status returns a snapshot, the zero Status before Run starts and after it returned.
func (w *Watcher) Status() Status {
	if !w.started.Load() {
		return Status{}
	}
	answer := make(chan Status, 1)
	w.in.call(func(l *loop) { answer <- l.status() })
	select {
	case s := <-answer:
		return s
	case <-w.stopped:
		return Status{}
	}
}

// Package watcher finds out which files below a set of directory trees are
// complete, and gives each of them out once, one of each root after the other.
//
// It promises: a regular file is given out only after nothing happened to it
// for the quiet time, two looks saw the same [Identity], and the kernel said
// that nobody has it open for writing. No path is given out twice at the same
// time. What is missed by an event is found by the next scan; what a scan
// finds is compared with the [Ledger], so unchanged files cost a stat and
// nothing else. A [Gone] is a hint: whoever deletes because of it must look
// for himself.
//
// It knows nothing of what is inside a file, and only ever opens one to ask
// for a lease. Symbolic links are never followed below [Root].Dir, not even in
// the middle of a path.
//
// Who owns what:
//
//   - the reader goroutine drains fsnotify into the inbox and does nothing
//     else: no system call, no waiting, so the kernel's queue overflows as
//     late as possible;
//   - the keeper goroutine (Run itself) owns every entry, the trees and what
//     waits to be given out. All methods of Watcher talk to it through the inbox;
//   - two walkers list directories, for scans and for directories that events
//     tell of, and report into the inbox. Only they call the Ledger;
//   - which directories are watched is touched by keeper and walkers, so it has
//     an owner with a lock of its own: dirs;
//   - one goroutine sleeps in poll(2) until the mount table changes.
//
// Hole that remains: when a directory above a tree is renamed or replaced (the
// uploader cannot do that, root can), inotify is silent about the tree itself; the
// next scan sees it.
package watcher

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Identity is what makes a file unchanged: equal identities, equal bytes.
// The mtime is not part of it, because clients set it at will.
type Identity struct {
	Volume, Ino uint64 // Volume is the key that Options.Volume gives the file system
	Size        int64
	Ctime       int64 // nanoseconds
}

// Root is a directory that holds trees.
type Root struct {
	Name  string   // opaque to the watcher
	Dir   string   // absolute; every path given out is relative to it
	Trees []string // relative to Dir; watched recursively
	// Generation tells Roots of the same name and place apart: with another one
	// everything is looked at anew. Opaque.
	Generation string
}

// Ledger knows what has been dealt with already. Walkers call it, two at a time.
// The maps it returns are only read.
type Ledger interface {
	// Known returns the names directly in dir, which is relative to Root.Dir.
	Known(ctx context.Context, root, dir string) (map[string]Identity, error)
	// Dirs returns every directory for which Known is not empty.
	Dirs(ctx context.Context, root string) ([]string, error)
	// Holds tells whether Known is not empty for dir, or for one below it.
	Holds(ctx context.Context, root, dir string) (bool, error)
}

// Options say how to watch. A zero duration means its default.
type Options struct {
	Ledger       Ledger
	Settle       time.Duration // quiet time; default 1s
	SettleUnsure time.Duration // the same where there are no leases; default 30s
	Rescan       time.Duration // between scans of everything; default 1h
	Poll         time.Duration // between listings of directories without a watch; default 5s
	// Depth is how many elements a path below Root.Dir may have; 0 is any number.
	// A directory that has so many is given out like a file that is not regular,
	// and neither opened nor watched: what is below it is not there.
	Depth int
	// MaxDirs is how many directories of a root are watched; 0 is any number. One
	// more is neither watched nor looked into, unless the ledger has files in it:
	// then a deletion there would not be noticed. The first of those is given out
	// like a file that is not regular, and they are looked at again once there is room.
	MaxDirs int
	// Skip tells of a file that a scan finds, and that the ledger does not know,
	// whether it is to be left alone; nil: none. Walkers call it, two at a time.
	Skip func(root, path string, id Identity) bool
	// Volume gives the file system with a device number a key that stays its own
	// when the number changes; fd is open on it. nil: the device number itself.
	Volume func(dev uint64, fd int) uint64
	// Remounted is called when the mount table has changed, before anything is
	// looked at: device numbers may be others' now. It may be nil.
	Remounted func()
	Ignore    func(name string) bool // noise: one path element of a file or directory; nil ignores nothing
	// Quick names what whoever receives it deals with in no time: it is given out
	// in a turn of its own beside the rest of its root. nil: nothing is.
	Quick func(root, path string, regular bool) bool
	Log   zerolog.Logger
}

// File is a settled file. What is not a regular file (a symbolic link, a FIFO,
// a socket, a device) is given out after the quiet time without ever being opened.
// A file that cannot be examined (no permission) is given out after SettleUnsure,
// so that its reader fails and says so.
type File struct {
	Root, Path string
	Identity   Identity
	Regular    bool
	Dir        bool // a directory that is not looked into: too deep, or one too many
}

// Gone hints that a file or directory, and whatever was below it, is no longer there.
// It may be there again when the hint is received. Who makes his ledger forget a file
// calls Look for it afterwards: if its directory came back between his looking
// and his forgetting, a walker has found the file just as the ledger knew it.
type Gone struct{ Root, Path string }

// Scan is a finished scan of whole trees.
type Scan struct {
	At    time.Time // its start
	Took  time.Duration
	Files int
}

// Arriving is a file that is being uploaded, or has just been.
type Arriving struct {
	Root, Path string
	Since      time.Time // first heard of
}

// maxArriving is how many pending files are worth naming.
const maxArriving = 50

// Status is a snapshot.
type Status struct {
	WatchedDirs   int
	PolledDirs    []string // absolute: without a watch or not readable, listed every Options.Poll
	Missing       []string // absolute: trees that are not there or not readable
	Unwatched     int      // directories that can be listed but not watched
	Starved       bool     // within the last minute no file could be opened, for want of descriptors or memory
	OutOfWatches  bool     // the kernel refused a watch because there are too many
	Pending       int      // known, not yet given out
	Uploading     int      // of these: held by a writer, or changed within the last minute
	Handed        int      // given out, not yet answered
	OldestPending time.Time
	Arriving      []Arriving // what is pending, as long as it is little
	LastScan      Scan
	Overflows     int64
	Unsure        []string // roots with files on a file system without leases
	Refused       []string // roots where the kernel refused us the last lease
	Full          []string // roots with more directories than Options.MaxDirs
}

// ErrStopped is returned by methods that wait for the keeper after Run has returned.
var ErrStopped = errors.New("watcher has stopped")

// Watcher is made by New and works while Run does.
type Watcher struct {
	opt     Options
	in      *inbox
	dirs    *dirs
	settled chan File
	gone    chan Gone
	started atomic.Bool
	stopped chan struct{}

	beforeEvent func() // tests stall the reader here
}

// New takes an inotify instance from the kernel. Where the kernel has none left
// every directory is polled.
func New(opt Options) (*Watcher, error) {
	if opt.Ledger == nil {
		return nil, errors.New("watcher needs a ledger")
	}
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
	if opt.Skip == nil {
		opt.Skip = func(string, string, Identity) bool { return false }
	}
	if opt.Quick == nil {
		opt.Quick = func(string, string, bool) bool { return false }
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
		settled: make(chan File), gone: make(chan Gone), stopped: make(chan struct{}),
	}, nil
}

func orDefault(d *time.Duration, def time.Duration) {
	if *d <= 0 {
		*d = def
	}
}

// Run watches until ctx ends, then returns nil. It can be called once.
func (w *Watcher) Run(ctx context.Context) error {
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
	k := newKeeper(w)
	if w.dirs.fs != nil {
		g.Go(func() error { return w.read(ctx) })
	}
	for range walkers {
		g.Go(func() error { k.walker.work(ctx); return nil })
	}
	g.Go(func() error { return mounts.wait(func() { w.in.call((*keeper).remounted) }) })
	g.Go(func() error { return k.run(ctx) })
	g.Go(func() error {
		<-ctx.Done()
		k.walker.close()
		mounts.stop()
		return w.dirs.close()
	})
	return g.Wait()
}

// SetRoots replaces what is watched, from any goroutine, also before Run. New
// trees are scanned at once; what was pending in trees that are no longer there
// is dropped without a word.
func (w *Watcher) SetRoots(roots []Root) {
	roots = append([]Root(nil), roots...)
	w.in.call(func(k *keeper) { k.setRoots(roots) })
}

// maxHanded is how many files of a root, and as many again of those that are quick,
// are given out before the first is answered. It is what one transaction of the
// catalogue takes, so that a folder renamed does not wait for one fsync a file.
const maxHanded = 256

// Settled gives out files, one of each root after the other. Every one must be
// answered by Done.
func (w *Watcher) Settled() <-chan File { return w.settled }

// Gone gives out hints.
func (w *Watcher) Gone() <-chan Gone { return w.gone }

// Done answers a File. With again it is looked at from the start: it changed under its reader.
func (w *Watcher) Done(f File, again bool) {
	w.in.call(func(k *keeper) { k.done(f, again) })
}

// Look treats the file or directory as if something had just happened to it;
// "" is everything in the root.
func (w *Watcher) Look(root, path string) {
	w.in.call(func(k *keeper) {
		if r, ok := k.roots[root]; ok && path == "" {
			k.rescan(root, nil)
		} else if ok {
			k.attend(filepath.Join(r.Dir, path), note{op: opLook, at: k.now})
		}
	})
}

// Rescan scans a root, or all of them for "". It returns when all that was there is
// answered by Done, or known to be held by a writer or to wait for SettleUnsure,
// and every Gone that came of it has been received.
func (w *Watcher) Rescan(ctx context.Context, root string) error {
	wait := &waiter{root: root, done: make(chan struct{})}
	unknown := make(chan struct{})
	w.in.call(func(k *keeper) {
		if _, ok := k.roots[root]; root != "" && !ok {
			close(unknown)
			return
		}
		k.rescan(root, wait)
	})
	select {
	case <-unknown:
		return fmt.Errorf("rescan: no root %q", root)
	case <-wait.done:
		return nil
	case <-w.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Alive returns once the keeper has answered.
func (w *Watcher) Alive(ctx context.Context) error {
	answer := make(chan struct{})
	w.in.call(func(*keeper) { close(answer) })
	select {
	case <-answer:
		return nil
	case <-w.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Status is empty before Run starts and after it returned.
func (w *Watcher) Status() Status {
	if !w.started.Load() {
		return Status{}
	}
	answer := make(chan Status, 1)
	w.in.call(func(k *keeper) { answer <- k.status() })
	select {
	case s := <-answer:
		return s
	case <-w.stopped:
		return Status{}
	}
}

package watcher

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// errNoInotify means that the kernel had no inotify instance left.
var errNoInotify = errors.New("no inotify instance")

func (d *dirs) hasInotify() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inotify != nil
}

// uses tells whether inotify is the instance in use.
func (d *dirs) uses(inotify *fsnotify.Watcher) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inotify == inotify
}

// watchOther watches a directory that is in no tree.
func (d *dirs) watchOther(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inotify == nil {
		return errNoInotify
	}
	return d.inotify.Add(dir)
}

// replace uses another inotify instance, which has no watch yet, or none.
func (d *dirs) replace(inotify *fsnotify.Watcher) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old := d.inotify; old != nil {
		go old.Close() // it may wait for a reader that is stuck
	}
	d.inotify = inotify
	for path, n := range d.byPath {
		n.watched = false
		d.setPolled(path, n)
	}
}

// censusAgain is the time after which a census that missed watches is repeated. Directories
// that were deleted lose their watch a moment before their event is handled.
const censusAgain = 10 * time.Second

// runCensus compares the watches that the kernel has with those that it should have, after a
// scan of everything. A second result in a row that misses some counts.
func (l *loop) runCensus() {
	if l.censusAt.IsZero() || l.censusAt.After(l.now) {
		return
	}
	l.censusAt = time.Time{}
	if l.canary.dir == "" {
		return
	}
	go func() { // the kernel's list of 50,000 watches takes some 0.1 s
		missing, err := l.dirs.census(l.canary.dir)
		l.in.call(func(l *loop) {
			switch {
			case err != nil:
				l.opt.Log.Debug().Err(err).Msg("watches not counted")
			case missing <= 0:
				l.watchesMissing = 0
			case l.watchesMissing == 0:
				l.watchesMissing, l.censusAt = missing, l.now.Add(censusAgain)
			default:
				l.watchesMissing = missing
				l.rebuild(fmt.Errorf("%d watches are gone from the kernel", missing))
			}
		})
	}()
}

// census returns how many of the watches the kernel does not have. It finds the descriptor of
// the inotify instance by the watch on the directory other.
func (d *dirs) census(other string) (missing int, err error) {
	fi, err := os.Stat(other)
	if err != nil {
		return 0, err
	}
	mark := fmt.Appendf(nil, " ino:%x ", inodeNumber(fi))
	d.mu.Lock()
	defer d.mu.Unlock()
	want := 1
	for _, n := range d.byPath {
		if n.watched {
			want++
		}
	}
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		return 0, err
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || to != "anon_inode:inotify" {
			continue
		}
		watches, err := os.ReadFile("/proc/self/fdinfo/" + filepath.Base(fd))
		if err == nil && bytes.Contains(watches, mark) {
			return want - bytes.Count(watches, []byte("inotify wd:")), nil
		}
	}
	return 0, errors.New("no inotify descriptor watches " + other)
}

func inodeNumber(fi os.FileInfo) uint64 { return fi.Sys().(*syscall.Stat_t).Ino }

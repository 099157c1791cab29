package watcher

import (
	"errors"
	"path/filepath"
	"sort"
	"sync"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"picday/layout"
)

// dirs knows every directory below the trees and which inode each watch is on.
//
// An inotify watch belongs to an inode, fsnotify names it by the path it was
// added under, and adding an inode a second time under another path changes
// nothing. So a renamed directory goes on reporting its old path, and a walker
// that meets the new path before the event of the old one is processed
// would add nothing at all. Therefore one inode has one path here, and taking
// an inode over drops the old path with all that is below it first.
//
// A directory is only in here while its parent is, unless it is a tree. A walker
// that is late (its directory was dropped meanwhile) is thereby refused,
// and whoever dropped the parent lists it anew.
type dirs struct {
	fs  *fsnotify.Watcher // nil: the kernel had no instance left
	in  *inbox
	log zerolog.Logger

	max int // directories of a root; 0 is any number

	mu     sync.Mutex
	count  map[string]int    // of directories, by root
	over   map[string]string // by root, one that was refused
	at     map[string]*dir
	paths  map[inode]string
	polled map[string]*tree
	short  bool // the kernel ran out of watches, and we said so
}

type dir struct {
	tree    *tree
	inode   inode  // zero: could not be opened
	mount   uint64 // of what is mounted where
	kids    map[string]bool
	watched bool
	failed  error // listing it did not work
}

var (
	errStale = errors.New("no longer wanted")
	errMoved = errors.New("moved meanwhile")
	errFull  = errors.New("too many directories")
)

func newDirs(fs *fsnotify.Watcher, in *inbox, most int, log zerolog.Logger) *dirs {
	return &dirs{
		fs: fs, in: in, log: log, max: most, count: map[string]int{}, over: map[string]string{},
		at: map[string]*dir{}, paths: map[inode]string{}, polled: map[string]*tree{},
	}
}

func (d *dirs) close() error {
	if d.fs == nil {
		return nil
	}
	return d.fs.Close()
}

// add watches a directory that the caller holds open, so that its inode number
// stays its own. What is added already is added again: after an overflow the
// watch may be gone and the inode number be another directory's. One too many
// of its root is an errFull, unless it must be added.
func (d *dirs) add(t *tree, path string, st *stat, must bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.at[path]; n != nil && n.inode != st.inode() {
		d.drop(path)
		d.in.note(path, opVanished, nil)
	}
	twin := d.takeOver(path, st.inode())
	if !d.wanted(t, path) {
		return errStale
	}
	if !must && !d.hasRoom(t, path) {
		return errFull
	}
	watched := false
	if !twin && d.fs != nil {
		err := d.fs.Add(path)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			d.drop(path)
			return errMoved
		}
		watched = err == nil
		d.complain(path, err)
	}
	n := d.put(t, path)
	n.inode, n.mount, n.watched = st.inode(), st.mount, watched
	if !twin {
		d.paths[n.inode] = path
	}
	d.setPolled(path, n)
	// Adding goes by name, so only now is it known what was added.
	if now, err := t.look(path); err != nil || now.inode() != st.inode() {
		d.drop(path)
		return errMoved
	}
	return nil
}

// takeOver drops the path an inode was watched under before. Where that path
// still shows the inode, it is mounted twice; the second path is polled.
func (d *dirs) takeOver(path string, id inode) (twin bool) {
	old, ok := d.paths[id]
	if !ok || old == path {
		return false
	}
	if st, err := d.at[old].tree.look(old); err == nil && st.inode() == id {
		return true
	}
	d.drop(old)
	d.in.note(old, opVanished, nil)
	return false
}

// fail remembers a directory that could not be listed; polling tries again.
func (d *dirs) fail(t *tree, path string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.at[path] != nil && d.at[path].failed != nil
	if isGone(err) {
		d.drop(path)
	}
	if !d.wanted(t, path) || !d.hasRoom(t, path) {
		return
	}
	n := d.put(t, path)
	if !known {
		// The error of a directory that was opened has its path in it.
		d.log.Warn().Str(zerolog.ErrorFieldName, layout.Shown(err.Error())).Str("dir", layout.Shown(path)).Msg("cannot list, trying again")
	}
	n.failed = err
	d.setPolled(path, n)
}

func (d *dirs) listed(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.at[path]; n != nil {
		n.failed = nil
		d.setPolled(path, n)
	}
}

// wanted is the rule that makes late walkers harmless.
func (d *dirs) wanted(t *tree, path string) bool {
	return !t.dead.Load() && (path == t.abs || d.at[filepath.Dir(path)] != nil)
}

func (d *dirs) put(t *tree, path string) *dir {
	n := d.at[path]
	if n == nil {
		n = &dir{tree: t, kids: map[string]bool{}}
		d.at[path] = n
		d.count[t.root]++
		if up := d.at[filepath.Dir(path)]; up != nil && path != t.abs {
			up.kids[path] = true
		}
	}
	return n
}

func (d *dirs) setPolled(path string, n *dir) {
	if n.watched && n.failed == nil {
		delete(d.polled, path)
	} else {
		d.polled[path] = n.tree
	}
}

// drop forgets path and everything below it, if it is in here.
func (d *dirs) drop(path string) bool {
	n := d.at[path]
	if n == nil {
		return false
	}
	for kid := range n.kids {
		d.drop(kid)
	}
	if n.watched {
		d.unwatch(path)
	}
	delete(d.at, path)
	d.count[n.tree.root]--
	delete(d.polled, path)
	if d.paths[n.inode] == path {
		delete(d.paths, n.inode)
	}
	if up := d.at[filepath.Dir(path)]; up != nil {
		delete(up.kids, path)
	}
	return true
}

// unwatch ignores errors: what it removes is often gone already.
//
// fsnotify 1.10 panics when Remove meets a path whose watch Add has lost: the
// path was watched, and when it was added again it named, for that moment, a
// directory watched under another path. Its maps are right again and its lock is
// released when it panics.
func (d *dirs) unwatch(path string) {
	defer func() { _ = recover() }()
	_ = d.fs.Remove(path)
}

// complain says once that watches ran out; Status names the directories.
func (d *dirs) complain(path string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENOMEM):
		if !d.short {
			d.log.Warn().Str("dir", layout.Shown(path)).Msg("out of inotify watches, polling: raise fs.inotify.max_user_watches")
		}
		d.short = true
	case d.at[path] == nil:
		d.log.Warn().Err(err).Str("dir", layout.Shown(path)).Msg("cannot watch, polling")
	}
}

// Drop is drop for those who do not hold the lock.
func (d *dirs) Drop(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.drop(path)
}

// retire ends a tree: nothing below it can be added any more.
func (d *dirs) retire(t *tree) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.dead.Store(true)
	d.drop(t.abs)
}

func (d *dirs) has(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at[path] != nil
}

// shows tells whether path is in here as this very inode.
func (d *dirs) shows(path string, id inode) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at[path] != nil && d.at[path].inode == id
}

func (d *dirs) mountOf(path string) (id inode, mount uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.at[path]; n != nil {
		return n.inode, n.mount
	}
	return inode{}, 0
}

func (d *dirs) kidsOf(path string) map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	kids := map[string]bool{}
	if n := d.at[path]; n != nil {
		for kid := range n.kids {
			kids[kid] = true
		}
	}
	return kids
}

func (d *dirs) toPoll() map[string]*tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]*tree, len(d.polled))
	for path, t := range d.polled {
		all[path] = t
	}
	return all
}

func (d *dirs) failed(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at[path] != nil && d.at[path].failed != nil
}

// lists tells whether path is in here and could be listed.
func (d *dirs) lists(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at[path] != nil && d.at[path].failed == nil
}

func (d *dirs) polls() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.polled) > 0
}

func (d *dirs) report(s *Status) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.OutOfWatches = d.short
	for path, n := range d.at {
		if n.watched {
			s.WatchedDirs++
		} else if n.failed == nil {
			s.Unwatched++
		}
		if d.polled[path] != nil {
			s.PolledDirs = append(s.PolledDirs, path)
		}
		if n.failed != nil && path == n.tree.abs {
			s.Missing = append(s.Missing, path)
		}
	}
	sort.Strings(s.PolledDirs)
	sort.Strings(s.Missing)
}

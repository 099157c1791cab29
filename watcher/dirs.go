package watcher

import (
	"errors"
	"path/filepath"
	"sort"
	"sync"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/internal/upload"
)

// dirs holds every known directory of the trees and the inode that each watch is on.
//
// An inotify watch belongs to an inode, fsnotify names it by the path it was
// added under, and adding an inode a second time under another path changes
// nothing. So a renamed directory goes on reporting its old path, and a walker
// that meets the new path before the event of the old one is processed
// would add no watch. Therefore dirs has one path per inode: takeOver drops the
// old path of an inode, and everything below it, before the new one is added.
//
// dirs holds a directory only while it holds its parent, unless it is a tree. So
// add refuses a late walker, one whose directory was dropped meanwhile; the code
// that dropped the parent has it listed again.
type dirs struct {
	inotify *fsnotify.Watcher // nil: the kernel had no inotify instance left
	in      *inbox
	log     zerolog.Logger

	max int // directories of a root; 0 means no limit

	mu           sync.Mutex
	count        map[string]int    // number of directories, by account
	refused      map[string]string // by account, the path of one directory that max excludes
	byPath       map[string]*dir   // by absolute path
	pathOf       map[inode]string  // the absolute path of each inode
	polled       map[string]*tree  // directories without a watch, or that could not be listed
	outOfWatches bool              // the kernel ran out of watches, and that was logged
}

type dir struct {
	tree     *tree
	inode    inode           // zero: could not be opened
	mount    uint64          // mount ID, from statx
	children map[string]bool // absolute paths of its subdirectories
	watched  bool
	failed   error // of the last listing, nil if it worked
}

var (
	errDropped  = errors.New("dropped meanwhile")
	errMoved    = errors.New("moved meanwhile")
	errDirLimit = errors.New("too many directories")
)

func newDirs(inotify *fsnotify.Watcher, in *inbox, max int, log zerolog.Logger) *dirs {
	return &dirs{
		inotify: inotify, in: in, log: log, max: max, count: map[string]int{}, refused: map[string]string{},
		byPath: map[string]*dir{}, pathOf: map[inode]string{}, polled: map[string]*tree{},
	}
}

func (d *dirs) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inotify == nil {
		return nil
	}
	return d.inotify.Close()
}

// add watches a directory that the caller holds open, so that its inode number
// is not reused. A known directory is added again, because after an overflow its
// watch may be gone and its path may name another inode. It returns errDirLimit for
// a directory beyond max, unless force is set, and errDropped if the directory's tree
// or parent was dropped meanwhile.
func (d *dirs) add(t *tree, path string, st *upload.Stat, force bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.byPath[path]; n != nil && n.inode != inodeOf(st) {
		d.drop(path)
		d.in.add(path, opVanished, nil)
	}
	mountedTwice := d.takeOver(path, inodeOf(st))
	if !d.wanted(t, path) {
		return errDropped
	}
	if !force && !d.belowLimit(t, path) {
		return errDirLimit
	}
	watched := false
	if !mountedTwice && d.inotify != nil {
		err := d.inotify.Add(path)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			d.drop(path)
			return errMoved
		}
		watched = err == nil
		d.logWatchError(path, err)
	}
	n := d.put(t, path)
	n.inode, n.mount, n.watched = inodeOf(st), st.Mount, watched
	if !mountedTwice {
		d.pathOf[n.inode] = path
	}
	d.setPolled(path, n)
	// fsnotify adds by path, so check that the path still names this inode.
	if now, err := t.look(path); err != nil || inodeOf(now) != inodeOf(st) {
		d.drop(path)
		return errMoved
	}
	return nil
}

// takeOver drops the path under which an inode was watched before. If that path
// still leads to the inode, the directory is mounted twice: mountedTwice is true, and
// the second path is polled.
func (d *dirs) takeOver(path string, id inode) (mountedTwice bool) {
	old, ok := d.pathOf[id]
	if !ok || old == path {
		return false
	}
	if st, err := d.byPath[old].tree.look(old); err == nil && inodeOf(st) == id {
		return true
	}
	d.drop(old)
	d.in.add(old, opVanished, nil)
	return false
}

// setFailed records a directory that could not be listed; polling tries it again.
func (d *dirs) setFailed(t *tree, path string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.byPath[path] != nil && d.byPath[path].failed != nil
	if isGone(err) {
		d.drop(path)
	}
	if !d.wanted(t, path) || !d.belowLimit(t, path) {
		return
	}
	n := d.put(t, path)
	if !known {
		// The error may contain the path, which must not reach the log unescaped.
		d.log.Warn().Str(zerolog.ErrorFieldName, layout.Shown(err.Error())).Str("dir", layout.Shown(path)).Msg("cannot list, trying again")
	}
	n.failed = err
	d.setPolled(path, n)
}

func (d *dirs) setListed(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.byPath[path]; n != nil {
		n.failed = nil
		d.setPolled(path, n)
	}
}

// wanted tells whether path may be added: its tree is in use and its parent is known.
func (d *dirs) wanted(t *tree, path string) bool {
	return !t.removed.Load() && (path == t.abs || d.byPath[filepath.Dir(path)] != nil)
}

func (d *dirs) put(t *tree, path string) *dir {
	n := d.byPath[path]
	if n == nil {
		n = &dir{tree: t, children: map[string]bool{}}
		d.byPath[path] = n
		d.count[t.account]++
		if up := d.byPath[filepath.Dir(path)]; up != nil && path != t.abs {
			up.children[path] = true
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

// drop removes path and everything below it. It returns false if path is not known.
func (d *dirs) drop(path string) bool {
	n := d.byPath[path]
	if n == nil {
		return false
	}
	for child := range n.children {
		d.drop(child)
	}
	if n.watched {
		d.unwatch(path)
	}
	delete(d.byPath, path)
	d.count[n.tree.account]--
	delete(d.polled, path)
	if d.pathOf[n.inode] == path {
		delete(d.pathOf, n.inode)
	}
	if up := d.byPath[filepath.Dir(path)]; up != nil {
		delete(up.children, path)
	}
	return true
}

// unwatch ignores errors, because the kernel has often removed the watch already.
//
// Remove of fsnotify 1.10 panics for a path that was added twice, if at the second
// Add the path named a directory that is watched under another path. By then its
// maps are consistent and its lock is released, so the panic can be ignored.
func (d *dirs) unwatch(path string) {
	defer func() { _ = recover() }()
	_ = d.inotify.Remove(path)
}

// logWatchError logs that a watch could not be added. It logs only once that watches
// ran out; Status lists the directories.
func (d *dirs) logWatchError(path string, err error) {
	switch {
	case err == nil:
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.ENOMEM):
		if !d.outOfWatches {
			d.log.Warn().Str("dir", layout.Shown(path)).Msg("out of inotify watches, polling: raise fs.inotify.max_user_watches")
		}
		d.outOfWatches = true
	case d.byPath[path] == nil:
		d.log.Warn().Err(err).Str("dir", layout.Shown(path)).Msg("cannot watch, polling")
	}
}

// Drop is drop for callers that do not hold the lock.
func (d *dirs) Drop(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.drop(path)
}

// removeTree marks a tree as no longer in use, so that add refuses everything in it.
func (d *dirs) removeTree(t *tree) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.removed.Store(true)
	d.drop(t.abs)
}

func (d *dirs) has(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byPath[path] != nil
}

// hasInode tells whether path is known with this inode.
func (d *dirs) hasInode(path string, id inode) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byPath[path] != nil && d.byPath[path].inode == id
}

func (d *dirs) mountOf(path string) (id inode, mount uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.byPath[path]; n != nil {
		return n.inode, n.mount
	}
	return inode{}, 0
}

func (d *dirs) childrenOf(path string) map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	children := map[string]bool{}
	if n := d.byPath[path]; n != nil {
		for child := range n.children {
			children[child] = true
		}
	}
	return children
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
	return d.byPath[path] != nil && d.byPath[path].failed != nil
}

// isListed tells whether path is known and was listed without an error.
func (d *dirs) isListed(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byPath[path] != nil && d.byPath[path].failed == nil
}

func (d *dirs) hasPolled() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.polled) > 0
}

func (d *dirs) report(s *Status) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.OutOfWatches = d.outOfWatches
	for path, n := range d.byPath {
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

package watcher

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// walkers is how many goroutines list directories. More do not help: two keep
// a disk or the dentry cache busy.
const walkers = 2

// scan is a set of directories that are listed, with all that is found below them.
type scan struct {
	whole bool    // descend everywhere, else only into what is not known yet
	trees []*tree // in the end compare these with the ledger's directories
	start time.Time
	done  func(k *keeper, s *scan)

	left  int // jobs not finished; guarded by walker.mu, as is files
	files int
}

type job struct {
	scan *scan
	tree *tree
	dir  string // absolute; "" lists nothing: the audit is all there is to the scan
}

// walker lists directories: watch first, list then. Whatever is made in between is
// seen by both, which is harmless; the other order sees it with neither. It opens no
// file, and what it finds goes into the inbox.
type walker struct {
	in     *inbox
	dirs   *dirs
	ledger Ledger
	ignore func(string) bool
	skip   func(root, path string, id Identity) bool
	log    zerolog.Logger

	mu     sync.Mutex
	cond   *sync.Cond
	jobs   []job // a stack: depth first keeps it short
	closed bool
}

func (w *walker) begin(s *scan, dirs map[string]*tree) {
	s.start = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for dir, t := range dirs {
		w.jobs = append(w.jobs, job{s, t, dir})
	}
	s.left = len(dirs)
	if s.left == 0 {
		w.finish(s)
	}
	w.cond.Broadcast()
}

func (w *walker) finish(s *scan) { w.in.call(func(k *keeper) { s.done(k, s) }) }

func (w *walker) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.cond.Broadcast()
}

func (w *walker) work(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.jobs) == 0 && !w.closed {
			w.cond.Wait()
		}
		if w.closed {
			return
		}
		j := w.jobs[len(w.jobs)-1]
		w.jobs = w.jobs[:len(w.jobs)-1]
		w.mu.Unlock()
		subdirs, files := w.visit(ctx, j)
		w.mu.Lock()
		for _, dir := range subdirs {
			w.jobs = append(w.jobs, job{j.scan, j.tree, dir})
		}
		if len(subdirs) > 1 {
			w.cond.Broadcast()
		}
		s := j.scan
		s.files += files
		s.left += len(subdirs) - 1
		if s.left == 0 {
			w.mu.Unlock() // nobody else touches a scan without jobs
			w.audit(ctx, s)
			w.finish(s)
			w.mu.Lock()
		}
	}
}

// visit watches and lists one directory.
func (w *walker) visit(ctx context.Context, j job) (subdirs []string, files int) {
	t, dir := j.tree, j.dir
	if dir == "" {
		return nil, 0
	}
	f, st, err := t.openDir(dir)
	if err != nil {
		w.miss(t, dir, err)
		return nil, 0
	}
	defer f.Close()
	if dir == t.abs && leaseless(int(f.Fd())) {
		t.leaseless.Store(true)
	}
	err = w.dirs.add(t, dir, st, false)
	if err == errFull {
		holds, lerr := w.ledger.Holds(ctx, t.root, t.rel(dir))
		if lerr == nil && !holds {
			w.dirs.refuse(t, dir)
			return nil, 0
		}
		err = w.dirs.add(t, dir, st, true)
	}
	if err != nil {
		w.miss(t, dir, err)
		return nil, 0
	}
	unseen := w.dirs.kidsOf(dir) // before listing: a directory made while we list is not unseen
	known, err := w.ledger.Known(ctx, t.root, t.rel(dir))
	if err != nil {
		w.miss(t, dir, err)
		return nil, 0
	}
	names, err := f.Readdirnames(-1)
	if err != nil {
		w.miss(t, dir, err)
		return nil, 0
	}
	w.dirs.listed(dir)
	fd := int(f.Fd())
	var seen []string
	for _, name := range names {
		if w.ignore(name) {
			continue
		}
		st, err := t.statAt(fd, name)
		path := dir + "/" + name
		if isGone(err) {
			continue
		}
		if err != nil { // a fault: nothing is known of it, so it must be looked at
			if _, ok := known[name]; ok {
				seen = append(seen, name)
			}
			w.in.note(path, opLook, nil)
			continue
		}
		if st.isDir() && !t.deepest(path) && !w.dirs.refuses(t, path) {
			delete(unseen, path)
			if j.scan.whole || !w.dirs.shows(path, st.inode()) {
				subdirs = append(subdirs, path)
			}
			continue
		}
		files++
		id, ok := known[name]
		if ok {
			seen = append(seen, name)
		}
		if !ok && (!st.isDir() || t.deepest(path)) && w.skip(t.root, t.rel(path), st.Identity) {
			continue
		}
		if !ok || id != st.Identity {
			w.in.note(path, 0, st)
		}
	}
	for path := range unseen {
		w.in.note(path, opVanished, nil)
	}
	for _, name := range missing(known, seen) {
		w.in.note(dir+"/"+name, opVanished, nil)
	}
	return subdirs, files
}

// miss says that a directory was not listed. One that is gone is the keeper's to
// look at, except a tree, which is waited for.
func (w *walker) miss(t *tree, dir string, err error) {
	if dir != t.abs && (err == errMoved || err == errStale || isGone(err)) {
		w.in.note(dir, opVanished, nil)
		return
	}
	w.dirs.fail(t, dir, err)
}

// missing makes its set only when there is something to find: nearly never.
func missing(known map[string]Identity, seen []string) (names []string) {
	if len(seen) == len(known) {
		return nil
	}
	have := make(map[string]bool, len(seen))
	for _, name := range seen {
		have[name] = true
	}
	for name := range known {
		if !have[name] {
			names = append(names, name)
		}
	}
	return names
}

// audit notes directories that only the ledger knows. While directories are moved
// about, one can come and go without ever being listed; its files would stay known.
func (w *walker) audit(ctx context.Context, s *scan) {
	known := map[string][]string{}
	for _, t := range s.trees {
		if _, ok := known[t.root]; !ok {
			names, err := w.ledger.Dirs(ctx, t.root)
			if err != nil {
				w.log.Error().Err(err).Str("root", t.root).Msg("cannot read known directories, trying again")
				w.in.call((*keeper).auditLater)
			}
			known[t.root] = names
		}
		if !w.dirs.lists(t.abs) {
			continue // it shows nothing, so it proves nothing
		}
		for _, name := range known[t.root] {
			if path := filepath.Join(t.dir, name); within(path, t.abs) && !w.dirs.has(path) {
				w.in.note(path, opVanished, nil)
			}
		}
	}
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

package watcher

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"picday/internal/upload"

	"github.com/rs/zerolog"
)

// walkers is the number of goroutines that list directories. Two keep a disk or the
// dentry cache busy; more do not help.
const walkers = 2

// scan lists a set of directories and their subdirectories.
type scan struct {
	whole bool    // descend into all subdirectories, else only into unknown ones
	trees []*tree // audited at the end
	start time.Time
	done  func(l *loop, s *scan)

	left  int // unfinished jobs; left and files are guarded by walker.mu
	files int
}

type job struct {
	scan *scan
	tree *tree
	dir  string // absolute; "" lists nothing, for a scan that only audits
}

// walker lists directories. It watches a directory before it lists it, because a file
// created between listing and watching would be missed; the reverse order reports it
// twice, which is harmless. It opens no file and reports into the inbox.
type walker struct {
	in     *inbox
	dirs   *dirs
	ledger Ledger
	ignore func(string) bool
	log    zerolog.Logger

	mu     sync.Mutex
	cond   *sync.Cond
	jobs   []job // a stack, because depth first keeps it short
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

func (w *walker) finish(s *scan) { w.in.call(func(l *loop) { s.done(l, s) }) }

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
			w.mu.Unlock() // no other goroutine uses a scan without jobs
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
		w.listFailed(t, dir, err)
		return nil, 0
	}
	defer f.Close()
	if dir == t.abs && upload.Leaseless(int(f.Fd())) {
		t.leaseless.Store(true)
	}
	err = w.dirs.add(t, dir, st, false)
	if err == errDirLimit {
		holds, herr := w.ledger.Holds(ctx, t.account, t.rel(dir))
		if herr == nil && !holds {
			w.dirs.refuse(t, dir)
			return nil, 0
		}
		err = w.dirs.add(t, dir, st, true)
	}
	if err != nil {
		w.listFailed(t, dir, err)
		return nil, 0
	}
	unseen := w.dirs.childrenOf(dir) // before listing, so that a new directory is not taken for a missing one
	known, err := w.ledger.Known(ctx, t.account, t.rel(dir))
	if err != nil {
		w.listFailed(t, dir, err)
		return nil, 0
	}
	names, err := f.Readdirnames(-1)
	if err != nil {
		w.listFailed(t, dir, err)
		return nil, 0
	}
	w.dirs.setListed(dir)
	fd := int(f.Fd())
	var seen []string
	for _, name := range names {
		if w.ignore(name) {
			continue
		}
		st, err := upload.StatAt(fd, name, t.volumeKey)
		path := dir + "/" + name
		if isGone(err) {
			continue
		}
		if err != nil { // the error says nothing about the file, so the event loop checks it
			if _, ok := known[name]; ok {
				seen = append(seen, name)
			}
			w.in.add(path, opLook, nil)
			continue
		}
		if st.IsDir() && !t.deepest(path) && !w.dirs.isRefused(t, path) {
			delete(unseen, path)
			if j.scan.whole || !w.dirs.hasInode(path, inodeOf(st)) {
				subdirs = append(subdirs, path)
			}
			continue
		}
		files++
		id, ok := known[name]
		if ok {
			seen = append(seen, name)
		}
		if !ok && (!st.IsDir() || t.deepest(path)) && w.ledger.Skip(ctx, t.account, t.rel(path), st.Identity) {
			continue
		}
		if !ok || id != st.Identity {
			w.in.add(path, 0, st)
		}
	}
	for path := range unseen {
		w.in.add(path, opVanished, nil)
	}
	for _, name := range missing(known, seen) {
		w.in.add(dir+"/"+name, opVanished, nil)
	}
	return subdirs, files
}

// listFailed handles a directory that could not be listed. The event loop checks one that is
// gone; a tree, and a directory with another error, is polled.
func (w *walker) listFailed(t *tree, dir string, err error) {
	if dir != t.abs && (err == errMoved || err == errDropped || isGone(err)) {
		w.in.add(dir, opVanished, nil)
		return
	}
	w.dirs.setFailed(t, dir, err)
}

// missing returns the known names that are not in seen. It builds no set in the
// frequent case that all are there; seen has known names only, each once.
func missing(known map[string]upload.Identity, seen []string) (names []string) {
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

// audit reports directories that only the ledger knows. A directory that is moved in
// and out again quickly is never listed, and the ledger would keep its files.
func (w *walker) audit(ctx context.Context, s *scan) {
	known := map[string][]string{}
	for _, t := range s.trees {
		if _, ok := known[t.account]; !ok {
			names, err := w.ledger.Dirs(ctx, t.account)
			if err != nil {
				w.log.Error().Err(err).Str("root", t.account).Msg("cannot read known directories, trying again")
				w.in.call((*loop).auditLater)
			}
			known[t.account] = names
		}
		if !w.dirs.isListed(t.abs) {
			continue // a tree that cannot be listed does not prove that anything is missing
		}
		for _, name := range known[t.account] {
			if path := filepath.Join(t.dir, name); within(path, t.abs) && !w.dirs.has(path) {
				w.in.add(path, opVanished, nil)
			}
		}
	}
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

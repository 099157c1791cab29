package watcher

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"picday/internal/upload"

	"github.com/rs/zerolog"
)

// ledger is a catalogue in memory.
type ledger struct {
	mu     sync.Mutex
	dirs   map[string]map[string]upload.Identity
	skip   func(path string) bool // nil skips nothing
	unread func(path string) bool // nil: all files are read
}

func (l *ledger) Skip(_ context.Context, _, path string, _ upload.Identity) bool {
	return l.skip != nil && l.skip(path)
}

func (l *ledger) Unread(_, path string, _ bool) bool { return l.unread != nil && l.unread(path) }

func (l *ledger) Known(_ context.Context, _, dir string) (map[string]upload.Identity, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.dirs[dir]), nil
}

func (l *ledger) Dirs(context.Context, string) ([]string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.dirs)), nil
}

func (l *ledger) Holds(_ context.Context, _, dir string) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for known := range l.dirs {
		if within(known, dir) {
			return true, nil
		}
	}
	return false, nil
}

func (l *ledger) put(path string, id upload.Identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	if l.dirs[dir] == nil {
		l.dirs[dir] = map[string]upload.Identity{}
	}
	l.dirs[dir][name] = id
}

func (l *ledger) all() map[string]upload.Identity {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]upload.Identity{}
	for dir, names := range l.dirs {
		for name, id := range names {
			all[filepath.Join(dir, name)] = id
		}
	}
	return all
}

// world is one root, a watcher on it, and a consumer that checks each file and hint on
// disk before it enters them in the ledger.
type world struct {
	testing.TB
	*Watcher
	dir    string
	ledger *ledger
	asked  Ledger                         // passed to Run
	reader func(upload.File) (again bool) // called while a file is in flight

	mu        sync.Mutex
	sent      map[string]int // number of times, by path
	hints     map[string]int // of Gone, by path
	irregular []string       // paths that were sent and are not regular files
}

const top = "job" // name of the tree

func options() Options {
	return Options{
		Settle: 60 * time.Millisecond, SettleUnsure: 150 * time.Millisecond, Poll: 50 * time.Millisecond,
		Ignore: func(name string) bool { return strings.HasPrefix(name, ".") },
		Log:    zerolog.Nop(),
	}
}

// open makes a world without running it.
func open(t testing.TB, dir string) *world {
	t.Helper()
	l := &ledger{dirs: map[string]map[string]upload.Identity{}}
	w, err := New(options())
	if err != nil {
		t.Fatal(err)
	}
	o := &world{TB: t, Watcher: w, dir: dir, ledger: l, asked: l, sent: map[string]int{}, hints: map[string]int{}}
	o.mkdir(top)
	w.SetRoots([]Root{{Account: "acme", Dir: dir, Trees: []string{top}}})
	return o
}

func start(t testing.TB) *world {
	t.Helper()
	w := open(t, t.TempDir())
	w.run()
	w.scan()
	return w
}

// run runs the watcher until the test ends, and then checks that no goroutine is left.
func (w *world) run() {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	var g sync.WaitGroup
	g.Go(func() {
		if err := w.Run(ctx, w.asked); err != nil {
			w.Errorf("Run: %v", err)
		}
	})
	g.Go(func() { w.consume(ctx) })
	w.Cleanup(func() {
		cancel()
		g.Wait()
		w.until("no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
	})
}

func (w *world) consume(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-w.Settled():
			again := w.reader != nil && w.reader(f)
			if st, err := w.look(f.Path); err != nil || st.Identity != f.Identity {
				again = true
			} else if !again {
				w.ledger.put(f.Path, f.Identity)
			}
			w.mu.Lock()
			w.sent[f.Path]++
			if !f.Regular {
				w.irregular = append(w.irregular, f.Path)
			}
			w.mu.Unlock()
			w.Done(f, again)
		case g := <-w.Gone():
			w.mu.Lock()
			w.hints[g.Path]++
			w.mu.Unlock()
			w.forget(g.Path)
		}
	}
}

// forget handles a hint as the catalogue does: it checks each file at or below the path.
func (w *world) forget(path string) {
	for p := range w.ledger.all() {
		if within(p, path) {
			if st, err := w.look(p); err != nil || st.IsDir() {
				w.ledger.mu.Lock()
				delete(w.ledger.dirs[filepath.Dir(p)], filepath.Base(p))
				if len(w.ledger.dirs[filepath.Dir(p)]) == 0 {
					delete(w.ledger.dirs, filepath.Dir(p))
				}
				w.ledger.mu.Unlock()
				w.Look("acme", p)
			}
		}
	}
}

// look follows no link in any element of the path; os.Lstat does.
func (w *world) look(rel string) (*upload.Stat, error) {
	return treesOf(Root{Dir: w.dir, Trees: []string{top}}, Options{Volume: byDevice})[0].look(w.path(rel))
}

func (w *world) path(rel string) string { return filepath.Join(w.dir, rel) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) mkdir(rel string) { w.Helper(); w.must(os.MkdirAll(w.path(rel), 0o755)) }
func (w *world) write(rel string) {
	w.Helper()
	w.must(os.WriteFile(w.path(rel), []byte(rel), 0o644))
}

func (w *world) rename(from, to string) {
	w.Helper()
	w.must(os.Rename(w.path(from), w.path(to)))
}

// scan returns when each file is answered or open for writing.
func (w *world) scan() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := w.Rescan(ctx, ""); err != nil {
		w.Fatalf("Rescan: %v; %+v", err, w.Status())
	}
}

func (w *world) times(rel string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[rel]
}

func (w *world) hinted(rel string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hints[rel]
}

func (w *world) hintCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.hints)
}

func (w *world) until(what string, ok func() bool) {
	w.Helper()
	begin := time.Now()
	for {
		asked := time.Now()
		if ok() {
			return
		}
		if time.Since(begin) > time.Minute {
			w.Fatalf("waited in vain until %s; %+v", what, w.Status())
		}
		time.Sleep(time.Millisecond + 3*time.Since(asked)) // leave processor time to the watcher
	}
}

// onDisk returns the files that the ledger must have in the end.
func (w *world) onDisk() map[string]upload.Identity {
	all := map[string]upload.Identity{}
	_ = filepath.WalkDir(w.path(top), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it is being renamed
		}
		if strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if fi, err := d.Info(); err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(w.dir, path)
			all[rel] = identityOf(fi)
		}
		return nil
	})
	return all
}

// caughtUp waits until the ledger has the files of the tree. Only events can cause that,
// because no test runs as long as the interval of scans.
func (w *world) caughtUp() {
	w.Helper()
	var disk, seen map[string]upload.Identity
	defer func() {
		if w.Failed() {
			for p, id := range disk {
				if seen[p] != id {
					w.Logf("missed or outdated: %q", p)
				}
			}
			for p := range seen {
				if _, ok := disk[p]; !ok {
					w.Logf("missing, and still in the ledger: %q", p)
				}
			}
		}
	}()
	w.until("the ledger is what is on disk", func() bool {
		disk, seen = w.onDisk(), w.ledger.all()
		return maps.Equal(disk, seen)
	})
}

func byDevice(dev uint64, _ int) uint64 { return dev }

// identityOf returns the identity that the watcher finds without Options.Volume.
func identityOf(fi os.FileInfo) upload.Identity {
	st := fi.Sys().(*syscall.Stat_t)
	return upload.Identity{Volume: st.Dev, Ino: st.Ino, Size: st.Size, Ctime: st.Ctim.Nano()}
}

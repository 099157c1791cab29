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

	"github.com/rs/zerolog"
)

// ledger is a catalogue in memory.
type ledger struct {
	mu   sync.Mutex
	dirs map[string]map[string]Identity
}

func (l *ledger) Known(_ context.Context, _, dir string) (map[string]Identity, error) {
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

func (l *ledger) put(path string, id Identity) {
	l.mu.Lock()
	defer l.mu.Unlock()
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	if l.dirs[dir] == nil {
		l.dirs[dir] = map[string]Identity{}
	}
	l.dirs[dir][name] = id
}

func (l *ledger) all() map[string]Identity {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]Identity{}
	for dir, names := range l.dirs {
		for name, id := range names {
			all[filepath.Join(dir, name)] = id
		}
	}
	return all
}

// world is one root, a watcher on it, and a consumer who believes nothing he has not seen.
type world struct {
	testing.TB
	*Watcher
	dir    string
	ledger *ledger
	reader func(File) (again bool) // called while a file is handed

	mu    sync.Mutex
	given map[string]int
	gone  map[string]int
	odd   []string // given out and not regular
}

const top = "job" // the tree

func options(l Ledger) Options {
	return Options{
		Ledger: l, Settle: 60 * time.Millisecond, SettleUnsure: 150 * time.Millisecond, Poll: 50 * time.Millisecond,
		Ignore: func(name string) bool { return strings.HasPrefix(name, ".") },
		Log:    zerolog.Nop(),
	}
}

// open makes a world without running it.
func open(t testing.TB, dir string) *world {
	t.Helper()
	l := &ledger{dirs: map[string]map[string]Identity{}}
	w, err := New(options(l))
	if err != nil {
		t.Fatal(err)
	}
	o := &world{TB: t, Watcher: w, dir: dir, ledger: l, given: map[string]int{}, gone: map[string]int{}}
	o.mkdir(top)
	w.SetRoots([]Root{{Name: "acme", Dir: dir, Trees: []string{top}}})
	return o
}

func start(t testing.TB) *world {
	t.Helper()
	w := open(t, t.TempDir())
	w.run()
	w.scan()
	return w
}

// run also checks that nothing is left behind.
func (w *world) run() {
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancel(context.Background())
	var g sync.WaitGroup
	g.Go(func() {
		if err := w.Run(ctx); err != nil {
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
			w.given[f.Path]++
			if !f.Regular {
				w.odd = append(w.odd, f.Path)
			}
			w.mu.Unlock()
			w.Done(f, again)
		case g := <-w.Gone():
			w.mu.Lock()
			w.gone[g.Path]++
			w.mu.Unlock()
			w.forget(g.Path)
		}
	}
}

// forget does what a catalogue does with a hint: it looks at each file below.
func (w *world) forget(path string) {
	for p := range w.ledger.all() {
		if within(p, path) {
			if st, err := w.look(p); err != nil || st.isDir() {
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

// look does not follow links on the way, as os.Lstat would.
func (w *world) look(rel string) (*stat, error) {
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

// scan returns when everything there is dealt with or held.
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
	return w.given[rel]
}

func (w *world) hinted(rel string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gone[rel]
}

func (w *world) hints() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.gone)
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
		time.Sleep(time.Millisecond + 3*time.Since(asked)) // leave the processor to the watcher
	}
}

// onDisk is what the ledger has to come to.
func (w *world) onDisk() map[string]Identity {
	all := map[string]Identity{}
	_ = filepath.WalkDir(w.path(top), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // being renamed
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

// caughtUp waits until the ledger is the tree, by events alone: no test here runs
// long enough for the hourly scan.
func (w *world) caughtUp() {
	w.Helper()
	var disk, seen map[string]Identity
	defer func() {
		if w.Failed() {
			for p, id := range disk {
				if seen[p] != id {
					w.Logf("missed or stale: %q", p)
				}
			}
			for p := range seen {
				if _, ok := disk[p]; !ok {
					w.Logf("not noticed to be gone: %q", p)
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

// identityOf is what the watcher sees without Options.Volume.
func identityOf(fi os.FileInfo) Identity {
	st := fi.Sys().(*syscall.Stat_t)
	return Identity{Volume: st.Dev, Ino: st.Ino, Size: st.Size, Ctime: st.Ctim.Nano()}
}

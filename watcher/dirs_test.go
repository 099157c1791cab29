package watcher

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/fsnotify/fsnotify"
	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// No file is missed in new directories. A watcher that lists a directory before it watches
// it misses the files that are created in between.
func TestFreshTreesMissNothing(t *testing.T) {
	w := start(t)
	var g sync.WaitGroup
	for half := range 2 {
		g.Go(func() {
			for i := range 25 {
				dir := fmt.Sprintf("%s/%d-%d/b/c", top, half, i)
				_ = os.MkdirAll(w.path(dir), 0o755)
				for n := range 8 {
					for p := dir; p != top; p = filepath.Dir(p) {
						_ = os.WriteFile(w.path(fmt.Sprintf("%s/%d.jpg", p, n)), []byte("x"), 0o644)
					}
				}
			}
		})
	}
	g.Wait()
	if n := len(w.onDisk()); n != 50*3*8 {
		t.Fatalf("created %d files", n)
	}
	w.caughtUp()
}

// Files are found in a directory that was renamed. Its watch reports the old path, and
// inotify adds no second watch under the new one.
func TestRenamedDirectoriesStayVisible(t *testing.T) {
	for name, step := range map[string]func(w *world, i int) (now string){
		"onward": func(w *world, i int) string {
			w.rename(fmt.Sprintf("job/a%d", i), fmt.Sprintf("job/a%d", i+1))
			return fmt.Sprintf("job/a%d", i+1)
		},
		"there and back": func(w *world, i int) string {
			w.rename("job/a0", "job/other")
			w.rename("job/other", "job/a0")
			return "job/a0"
		},
		"away and made anew": func(w *world, i int) string {
			w.rename("job/a0", fmt.Sprintf("job/old%d", i))
			w.mkdir("job/a0/deep/er")
			w.write(fmt.Sprintf("job/old%d/deep/er/late%d", i, i))
			return "job/a0"
		},
		"swapped": func(w *world, i int) string {
			w.mkdir("job/b/deep/er")
			w.must(unix.Renameat2(unix.AT_FDCWD, w.path("job/a0"), unix.AT_FDCWD, w.path("job/b"), unix.RENAME_EXCHANGE))
			w.write(fmt.Sprintf("job/b/deep/er/b%d", i))
			return "job/a0"
		},
		"into another and out": func(w *world, i int) string {
			w.mkdir("job/other")
			w.rename("job/a0", "job/other/in")
			w.write(fmt.Sprintf("job/other/in/deep/in%d", i))
			w.rename("job/other/in", "job/a0")
			return "job/a0"
		},
		"removed and made anew": func(w *world, i int) string {
			w.must(os.RemoveAll(w.path("job/a0")))
			w.mkdir("job/a0/deep/er")
			return "job/a0"
		},
	} {
		for _, slowly := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/slowly=%t", name, slowly), func(t *testing.T) {
				t.Parallel()
				w := start(t)
				w.mkdir("job/a0/deep/er")
				w.caughtUp()
				for i := range 100 {
					now := step(w, i)
					w.write(fmt.Sprintf("%s/deep/er/%d.jpg", now, i))
					if slowly && i%10 == 0 {
						w.caughtUp()
						// No scan runs now, so only an event can report this file.
						w.write(fmt.Sprintf("%s/deep/er/%d-after.jpg", now, i))
						w.caughtUp()
					}
				}
				w.caughtUp()
				w.watchesAreRight()
			})
		}
	}
}

// watchesAreRight waits until dirs and fsnotify have the directories that are on disk.
func (w *world) watchesAreRight() {
	w.Helper()
	w.until("each directory on disk is watched, by its inode, and no other", func() bool {
		disk := map[string]inode{}
		_ = filepath.WalkDir(w.path(top), func(path string, d fs.DirEntry, err error) error {
			if strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			if err == nil && d.IsDir() {
				fi, _ := d.Info()
				id := identityOf(fi)
				disk[path] = inode{id.Volume, id.Ino}
			}
			return nil
		})
		return maps.Equal(disk, w.watched())
	})
	if n := len(w.dirs.inotify.WatchList()); n != len(w.watched()) {
		w.Errorf("fsnotify has %d watches, dirs has %d", n, len(w.watched()))
	}
}

// watched returns the inodes of the watched directories by path.
func (w *world) watched() map[string]inode {
	w.dirs.mu.Lock()
	defer w.dirs.mu.Unlock()
	all := map[string]inode{}
	for path, d := range w.dirs.byPath {
		if d.watched {
			all[path] = d.inode
		}
	}
	return all
}

// The log has names of folders in their shown form only, because JSON does not escape C1
// controls, and terminals interpret them.
func TestNamesInTheLog(t *testing.T) {
	var log bytes.Buffer
	d := newDirs(nil, newInbox(), 0, zerolog.New(&log))
	d.logWatchError("/up/a\u009b2J\x1b[2J\nb", unix.ENOSPC)
	d.logWatchError("/up/a\u009b2J\x1b[2J\nb", unix.EACCES)
	for line := range strings.Lines(log.String()) {
		var event struct{ Dir string }
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Dir == "" || strings.ContainsFunc(event.Dir, unicode.IsControl) {
			t.Errorf("%v: %q", err, line)
		}
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("%d lines: %q", n, log.String())
	}
}

// unwatch survives the panic of Remove in fsnotify 1.10.
func TestUnwatchSurvivesALostWatch(t *testing.T) {
	fsn, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer fsn.Close()
	d := newDirs(fsn, newInbox(), 0, zerolog.Nop())
	a, b := t.TempDir(), t.TempDir()
	for _, err := range []error{
		fsn.Add(a), fsn.Add(b),
		os.WriteFile(a+"/x", nil, 0o644), // nobody reads events, so fsnotify stops at this one
		os.Rename(a, a+".old"), os.Rename(b, a),
		fsn.Add(a),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d.unwatch(a)
	if err := fsn.Add(a); err != nil {
		t.Error(err)
	}
}

// An inode is watched under one path, also if its new path is listed before the event of
// its old one is processed.
func TestInodeHasOnePath(t *testing.T) {
	fsn, err := fsnotify.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer fsn.Close()
	w := &world{TB: t, dir: t.TempDir()}
	w.mkdir("job/a/b")
	d := newDirs(fsn, newInbox(), 0, zerolog.Nop())
	tr := treesOf(Root{Dir: w.dir, Trees: []string{top}}, Options{Volume: byDevice})[0]
	add := func(rel string) error {
		st, err := tr.look(w.path(rel))
		w.must(err)
		return d.add(tr, w.path(rel), st, false)
	}
	watches := func(rels ...string) {
		t.Helper()
		for i := range rels {
			rels[i] = w.path(rels[i])
		}
		has, known := fsn.WatchList(), slices.Collect(maps.Keys(d.byPath))
		for _, l := range [][]string{has, known, rels} {
			slices.Sort(l)
		}
		if !slices.Equal(has, rels) || !slices.Equal(known, rels) {
			t.Errorf("watched: %q, in dirs: %q, want %q", has, known, rels)
		}
	}
	if err := add("job/a"); err != errDropped {
		t.Errorf("added without its parent: %v", err)
	}
	for _, dir := range []string{"job", "job/a", "job/a/b"} {
		w.must(add(dir))
	}
	watches("job", "job/a", "job/a/b")

	w.rename("job/a", "job/c")
	w.must(add("job/c"))
	watches("job", "job/c") // b has another path now, and must be listed again

	w.must(add("job/c/b"))
	w.rename("job/c", "job/old")
	w.mkdir("job/c")
	w.must(add("job/c"))
	watches("job", "job/c")

	d.removeTree(tr)
	if err := add("job"); err != errDropped {
		t.Errorf("added to a removed tree: %v", err)
	}
	watches()
}

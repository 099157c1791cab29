package watcher

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A naive watcher lists a new directory before it watches it, and misses what
// is made in between.
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
		t.Fatalf("made %d files", n)
	}
	w.caughtUp()
}

// After a rename the old watch reports the old path, and adding the new one is a no-op.
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
						// Nothing but an event can tell of this one.
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

// watchesAreRight compares the books with the disk.
func (w *world) watchesAreRight() {
	w.Helper()
	w.until("each directory on disk is watched, by its inode, and no other", func() bool {
		disk := map[string]inode{}
		_ = filepath.WalkDir(w.path(top), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				fi, _ := d.Info()
				id := IdentityOf(fi)
				disk[path] = inode{id.Dev, id.Ino}
			}
			return nil
		})
		return maps.Equal(disk, w.books())
	})
	if n := len(w.dirs.fs.WatchList()); n != len(w.books()) {
		w.Errorf("fsnotify has %d watches, the books say %d", n, len(w.books()))
	}
}

func (w *world) books() map[string]inode {
	w.dirs.mu.Lock()
	defer w.dirs.mu.Unlock()
	all := map[string]inode{}
	for path, d := range w.dirs.at {
		if d.watched {
			all[path] = d.inode
		}
	}
	return all
}

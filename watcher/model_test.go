package watcher

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// After random operations the ledger has the files of the tree.
func TestRandomOperations(t *testing.T) {
	w := start(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 8 {
		for range 300 {
			w.anything(r)
		}
		if round%3 == 0 {
			go func() { _ = w.Rescan(t.Context(), "") }()
		}
		if round%2 == 1 {
			w.caughtUp()
			w.watchesAreRight()
		}
	}
}

// anything does one random operation that an uploader can do. It ignores errors.
func (w *world) anything(r *rand.Rand) {
	dirs, files := []string{w.path(top)}, []string{}
	_ = filepath.WalkDir(w.path(top), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		} else if err == nil {
			files = append(files, path)
		}
		return nil
	})
	dir := func() string { return dirs[r.IntN(len(dirs))] }
	fresh := func() string { return filepath.Join(dir(), fmt.Sprintf("%c", 'a'+r.IntN(12))) }
	file := func() string {
		if len(files) == 0 {
			return fresh()
		}
		return files[r.IntN(len(files))]
	}
	switch r.IntN(20) {
	case 0, 1, 2:
		_ = os.Mkdir(fresh(), 0o755)
	case 3:
		_ = os.MkdirAll(filepath.Join(fresh(), "x", "y"), 0o755)
	case 4, 5, 6, 7:
		_ = os.WriteFile(fresh(), []byte("new"), 0o644)
	case 8:
		if f, err := os.OpenFile(file(), os.O_WRONLY|os.O_APPEND|unix.O_NONBLOCK, 0); err == nil {
			_, _ = f.WriteString("more")
			f.Close()
		}
	case 9:
		_ = os.Truncate(file(), 1)
	case 10, 11:
		_ = os.Rename(file(), fresh())
	case 12, 13:
		if from := dir(); from != w.path(top) {
			_ = os.Rename(from, fresh())
		}
	case 14:
		if a, b := dir(), dir(); a != w.path(top) && b != w.path(top) {
			_ = unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
		}
	case 15:
		from := file()
		if os.Link(from, fresh()) == nil {
			_ = os.Remove(from)
		}
	case 16:
		_ = os.Remove(file())
	case 17:
		if d := dir(); d != w.path(top) && r.IntN(3) == 0 {
			_ = os.RemoveAll(d)
		}
	case 18:
		_ = os.Symlink(dir(), fresh())
	case 19:
		// Not through a link, because only root can enter a folder without the x bit.
		f := file()
		if fi, err := os.Lstat(f); err == nil && fi.Mode().IsRegular() {
			_ = os.Chmod(f, 0o600)
		}
	}
}

package watcher

import (
	"os"
	"slices"
	"testing"
)

// A directory too many is given out, neither watched nor looked into, unless the
// ledger has files in it; once there is room it is as the others are.
func TestTooManyDirectories(t *testing.T) {
	w := open(t, t.TempDir())
	w.opt.MaxDirs, w.dirs.max = 3, 3 // with the tree
	w.mkdir("job/a")
	w.mkdir("job/b")
	w.mkdir("job/known/deep")
	w.write("job/known/deep/1.jpg")
	w.ledger.put("job/known/deep/1.jpg", Identity{Ino: 1}) // as it was once
	w.run()
	w.until("the file of the known folder is given out", func() bool { return w.times("job/known/deep/1.jpg") > 0 })
	for _, dir := range []string{"job/c", "job/c/inside", "job/d"} {
		w.mkdir(dir)
		w.write(dir + "/1.jpg")
	}
	w.scan()
	given := func() (dirs []string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, path := range w.odd {
			if !slices.Contains(dirs, path) {
				dirs = append(dirs, path)
			}
		}
		return dirs
	}
	if s := w.Status(); len(given()) != 1 || s.WatchedDirs > 5 || len(s.PolledDirs) > 0 || !slices.Equal(s.Full, []string{"acme"}) {
		t.Errorf("%q were given out, %+v", given(), s)
	}
	for _, dir := range []string{"job/c", "job/c/inside", "job/d"} {
		if w.times(dir+"/1.jpg") > 0 {
			t.Errorf("%s is looked into", dir)
		}
	}
	w.must(os.RemoveAll(w.path("job/known")))
	w.must(os.RemoveAll(w.path("job/a")))
	w.must(os.RemoveAll(w.path("job/b")))
	w.must(os.RemoveAll(w.path("job/c/inside")))
	w.until("there is room for all", func() bool {
		return w.times("job/c/1.jpg") > 0 && w.times("job/d/1.jpg") > 0 && len(w.Status().Full) == 0
	})
	w.watchesAreRight()
}

// What is to be left alone is not given out by a scan.
func TestSkip(t *testing.T) {
	w := open(t, t.TempDir())
	w.opt.Skip = func(_, path string, _ Identity) bool { return path == "job/2.jpg" }
	w.write("job/1.jpg")
	w.write("job/2.jpg")
	w.run()
	w.scan()
	if w.times("job/1.jpg") == 0 || w.times("job/2.jpg") > 0 {
		t.Error(w.times("job/1.jpg"), w.times("job/2.jpg"))
	}
}

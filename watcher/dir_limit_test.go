package watcher

import (
	"os"
	"slices"
	"testing"

	"picday/internal/upload"
)

// A directory beyond MaxDirs is sent, and neither watched nor listed, unless the ledger has
// files in it. Once the root is below its limit, the directory is watched like the others.
func TestTooManyDirectories(t *testing.T) {
	w := open(t, t.TempDir())
	w.opt.MaxDirs, w.dirs.max = 3, 3 // the tree counts
	w.mkdir("job/a")
	w.mkdir("job/b")
	w.mkdir("job/known/deep")
	w.write("job/known/deep/1.jpg")
	w.ledger.put("job/known/deep/1.jpg", upload.Identity{Ino: 1}) // an identity that the file no longer has
	w.run()
	w.until("the file of the known folder is sent", func() bool { return w.times("job/known/deep/1.jpg") > 0 })
	for _, dir := range []string{"job/c", "job/c/inside", "job/d"} {
		w.mkdir(dir)
		w.write(dir + "/1.jpg")
	}
	w.scan()
	sent := func() (dirs []string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, path := range w.irregular {
			if !slices.Contains(dirs, path) {
				dirs = append(dirs, path)
			}
		}
		return dirs
	}
	if s := w.Status(); len(sent()) != 1 || s.WatchedDirs > 5 || len(s.PolledDirs) > 0 || !slices.Equal(s.OverDirLimit, []string{"acme"}) {
		t.Errorf("%q were sent, %+v", sent(), s)
	}
	for _, dir := range []string{"job/c", "job/c/inside", "job/d"} {
		if w.times(dir+"/1.jpg") > 0 {
			t.Errorf("%s was listed", dir)
		}
	}
	w.must(os.RemoveAll(w.path("job/known")))
	w.must(os.RemoveAll(w.path("job/a")))
	w.must(os.RemoveAll(w.path("job/b")))
	w.must(os.RemoveAll(w.path("job/c/inside")))
	w.until("all are watched", func() bool {
		return w.times("job/c/1.jpg") > 0 && w.times("job/d/1.jpg") > 0 && len(w.Status().OverDirLimit) == 0
	})
	w.watchesAreRight()
}

// A scan does not send a file that Ledger.Skip excludes.
func TestSkip(t *testing.T) {
	w := open(t, t.TempDir())
	w.ledger.skip = func(path string) bool { return path == "job/2.jpg" }
	w.write("job/1.jpg")
	w.write("job/2.jpg")
	w.run()
	w.scan()
	if w.times("job/1.jpg") == 0 || w.times("job/2.jpg") > 0 {
		t.Error(w.times("job/1.jpg"), w.times("job/2.jpg"))
	}
}

package backup

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/fsuid"
	"picday/store"
	"picday/store/pictures"
)

// A backup comes back with its accounts, pictures and link key; what is lost of it
// is told, and a lost rendition is forgotten. It can be interrupted and run again.
func TestRestore(t *testing.T) {
	b := newBed(t)
	for _, c := range []string{"A", "B", "C"} {
		b.publish("acct-"+c, c)
	}
	m, err := b.backup(nil)
	b.must(err)
	folder := filepath.Join(b.dir, m.Folder)
	catalogue := filepath.Join(folder, store.CatalogueFile)
	b.must(os.Remove(filepath.Join(b.dir, string(pictures.Rendition(shaOf("B"), small)))))
	b.must(os.WriteFile(filepath.Join(b.dir, string(pictures.Original(shaOf("C")))), []byte("X"), 0o600))
	from, err := OpenCatalogue(t.Context(), b.dir, m)
	b.must(err)
	defer from.Close()

	dataDir := memory(t)
	live, _, err := store.Create(t.Context(), dataDir)
	b.must(err)
	defer live.Close()
	calls := 0
	for range 2 { // the first run is ended before Replace
		lost, err := CopyPictures(t.Context(), live, from, func(done, of int) {
			if calls++; of != 3 || done > of {
				t.Errorf("progress: %d of %d", done, of)
			}
		})
		b.must(err)
		if len(lost) != 2 {
			t.Errorf("lost: %+v", lost)
		}
		staged, err := Stage(t.Context(), live, catalogue, folder, lost)
		b.must(err)
		if o, _, err := staged.Original(t.Context(), shaOf("B")); err != nil || len(o.Renditions) != 0 {
			t.Errorf("the lost rendition of B would not be made anew: %+v %v", o, err)
		}
		if blank, err := live.Blank(t.Context()); !blank || err != nil {
			t.Errorf("before Replace: %v %v", blank, err)
		}
		b.must(staged.Close())
	}
	if calls != 6 {
		t.Errorf("%d times told of 3 pictures, twice", calls)
	}
	staged, err := store.Open(t.Context(), filepath.Join(dataDir, stageDir))
	b.must(err)
	b.must(Replace(live, staged))
	if _, err := os.Lstat(filepath.Join(dataDir, stageDir)); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	for name, mode := range map[string]os.FileMode{store.CatalogueFile: 0o640, store.LinkKeyFile: 0o400} {
		if fi, err := os.Lstat(filepath.Join(dataDir, name)); err != nil || fi.Mode() != mode {
			t.Error(name, fi, err)
		}
	}
	restored, err := store.Open(t.Context(), dataDir)
	b.must(err)
	defer restored.Close()
	b.count(restored, 3)
	if err := restored.Files().Read(t.Context(), pictures.OriginalFile(shaOf("A"), 1), io.Discard); err != nil {
		t.Error(err)
	}
	key, err := os.ReadFile(filepath.Join(dataDir, store.LinkKeyFile))
	b.must(err)
	if old, err := os.ReadFile(filepath.Join(b.s.DataDir(), store.LinkKeyFile)); string(old) != string(key) {
		t.Errorf("another link key (%v)", err)
	}
}

// What others than root could have written is not restored from.
func TestOnlyWhatIsRootsIsRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	b := newBed(t)
	b.publish("acct", "A")
	m, err := b.backup(nil)
	b.must(err)
	name := filepath.Join(b.dir, m.Folder, store.LinkKeyFile)
	for what, c := range map[string]struct{ spoil, mend func() error }{
		"another's":       {func() error { return os.Chown(name, 54321, 0) }, func() error { return os.Chown(name, 0, 0) }},
		"open to writing": {func() error { return os.Chmod(name, 0o602) }, func() error { return os.Chmod(name, 0o600) }},
		"directory open":  {func() error { return os.Chmod(b.dir, 0o770) }, func() error { return os.Chmod(b.dir, 0o700) }},
	} {
		b.must(c.spoil())
		if _, err := ReadManifest(t.Context(), b.dir); !errors.Is(err, ErrNotRootOwned) {
			t.Errorf("%s: %v", what, err)
		}
		b.must(c.mend())
	}
	if _, err := ReadManifest(t.Context(), b.dir); err != nil {
		t.Error(err)
	}
	unlock, err := fsuid.Lock(filepath.Join(b.dir, markFile))
	b.must(err)
	defer unlock()
	if err := (&Backup{Store: b.s, Dir: b.dir}).Begin(); !errors.Is(err, fsuid.ErrLocked) {
		t.Errorf("two at once: %v", err)
	}
}

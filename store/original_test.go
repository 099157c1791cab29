package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/store/pictures"
)

// newFiledWorld is a world whose pictures are on disk.
func newFiledWorld(t *testing.T) *world {
	w := newWorld(t, layout.Jobs)
	w.s.Close()
	w.s = newStore(t)
	w.tx(func(tx *Tx) (err error) {
		w.acct, err = tx.AddAccount(Account{Name: "acme", Layout: layout.Jobs})
		return errors.Join(err, tx.AddJob(w.acct, "job1"))
	})
	return w
}

// file publishes a picture at a path and writes its files.
func (w *world) file(path, content string) Original {
	w.put(path, content)
	w.settle()
	o := w.keep(content)
	w.tx(func(tx *Tx) error { return tx.SetRenditions(o.SHA, o.Renditions) })
	return o
}

func TestWhatTheCatalogueExpects(t *testing.T) {
	w := newFiledWorld(t)
	ctx := t.Context()
	a, b := w.file(aJPG, "A"), w.file(bJPG, "B")
	var names []pictures.Name
	for o, err := range w.s.Pictures(ctx) {
		w.must(err)
		for _, f := range o.Files() {
			names = append(names, f.Name)
			if err := w.s.Files().Read(ctx, f, io.Discard); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
	}
	if n, bytes, err := w.s.PictureCount(ctx); len(names) != 4 || n != 2 || bytes != 2 || err != nil {
		t.Errorf("%v; %d pictures of %d bytes, %v", names, n, bytes, err)
	}
	expect := func(what string, f pictures.File, expected, there bool) {
		t.Helper()
		if e, th, err := w.s.Expects(ctx, f); e != expected || th != there || err != nil {
			t.Errorf("%s: expected %v, there %v, %v", what, e, th, err)
		}
	}
	for _, f := range a.Files() {
		expect("as it was made", f, true, true)
		other := f
		other.Bytes++
		expect("of another size", other, false, true)
		w.must(w.s.Files().Remove(f.Name))
		expect("removed", f, true, false)
	}
	// Forgetting renditions deletes their rows, in the catalogue and in a snapshot.
	snapshot := filepath.Join(t.TempDir(), CatalogueFile)
	w.must(w.s.Snapshot(ctx, snapshot))
	w.must(ForgetInSnapshot(ctx, snapshot, b.Files()))
	snap, err := OpenSnapshot(ctx, snapshot, w.s.DataDir())
	w.must(err)
	defer snap.Close()
	if o, found, err := snap.Original(ctx, b.SHA); !found || len(o.Renditions) != 0 || err != nil {
		t.Errorf("in the snapshot: %+v %v %v", o, found, err)
	}
	if o, _, err := w.s.Original(ctx, b.SHA); len(o.Renditions) != 1 || err != nil {
		t.Errorf("the snapshot's rows are the catalogue's: %+v %v", o, err)
	}
	w.tx(func(tx *Tx) error { return tx.ForgetRenditions(b.Files()[1:]) })
	if o, _, err := w.s.Original(ctx, b.SHA); len(o.Renditions) != 0 || err != nil {
		t.Errorf("%+v %v", o, err)
	}
	expect("forgotten", b.Files()[1], false, true)
}

func TestOrphans(t *testing.T) {
	w := newFiledWorld(t)
	w.file(aJPG, "A")
	w.keep("B") // a picture without a row
	stray := w.s.Files().Path(pictures.Name(filepath.Join(filepath.Dir(string(pictures.Original(shaOf("A")))), "letter.txt")))
	w.must(os.WriteFile(stray, nil, 0o600))
	orphans := func() (all, old int) {
		w.must(w.s.Orphans(t.Context(), func(_ pictures.Name, fi fs.FileInfo) error {
			if all++; Orphaned(fi) {
				old++
			}
			return nil
		}))
		return all, old
	}
	remove := func() int {
		n, err := w.s.RemoveOrphans(t.Context())
		w.must(err)
		return n
	}
	if all, old := orphans(); all != 3 || old != 0 || remove() != 0 {
		t.Errorf("%d orphans, %d of them old, before their time", all, old)
	}
	past := time.Now().Add(-2 * time.Hour)
	for _, name := range []string{stray, w.s.Files().Path(pictures.Original(shaOf("B"))), w.s.Files().Path(pictures.Rendition(shaOf("B"), small))} {
		w.must(os.Chtimes(name, past, past))
	}
	if all, old := orphans(); all != 3 || old != 3 || remove() != 2 {
		t.Errorf("%d orphans, %d of them old", all, old)
	}
	if _, err := os.Stat(stray); err != nil || !w.kept("A") || w.kept("B") {
		t.Errorf("what is not picday's was deleted, or the wrong files: %v", err)
	}
}

package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"picday/internal/layout"
	"picday/internal/upload"
)

func TestVolumeIsAdoptedOnlyWhenNothingIsAtStake(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	ctx, dir := t.Context(), t.TempDir()
	marker := filepath.Join(dir, MarkerFile)
	if err := w.s.CheckVolume(ctx, dir); !errors.Is(err, ErrVolume) {
		t.Errorf("before anything: %v", err)
	}
	if made, err := w.s.AdoptVolume(ctx, dir, false); !made || err != nil || w.s.CheckVolume(ctx, dir) != nil {
		t.Fatalf("a first volume: %v %v", made, err)
	}
	if made, err := w.s.AdoptVolume(ctx, dir, false); made || err != nil {
		t.Errorf("again: %v %v", made, err)
	}
	w.put(aJPG, "A")
	w.settle()
	for name, breakIt := range map[string]func() error{
		"gone":    func() error { return os.Remove(marker) },
		"another": func() error { return os.WriteFile(marker, []byte("0123\n"), 0o600) },
		"empty":   func() error { return os.WriteFile(marker, nil, 0o600) },
	} {
		good, err := os.ReadFile(marker)
		w.must(err)
		w.must(breakIt())
		if err := w.s.CheckVolume(ctx, dir); !errors.Is(err, ErrVolume) {
			t.Errorf("%s: %v", name, err)
		}
		if made, err := w.s.AdoptVolume(ctx, dir, false); made || !errors.Is(err, ErrVolume) {
			t.Errorf("%s, with a file known: %v %v", name, made, err)
		}
		w.must(os.WriteFile(marker, good, 0o600))
		if err := w.s.CheckVolume(ctx, dir); err != nil {
			t.Errorf("%s: a refusal changed something: %v", name, err)
		}
	}
	w.must(os.Remove(marker))
	if made, err := w.s.AdoptVolume(ctx, dir, true); !made || err != nil || w.s.CheckVolume(context.Background(), dir) != nil {
		t.Errorf("forced: %v %v", made, err)
	}
}

// The uploads were copied to another volume, where inode numbers belong to other files, and
// files were renamed to each other's names on the way. The pictures decide whose photo a
// file is, and a photo without a file there does not stay published.
func TestAnotherVolume(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	links := map[string]string{}
	for _, c := range []string{"A", "B", "C", "D"} {
		w.put("job1/x/"+c, c)
	}
	w.settle()
	for p, f := range w.files {
		links[f.content] = w.link(p)
	}
	old := w.files
	w.files = map[string]*inode{}
	moved := func(from, to string) { // with the inode number that the file at its new name had
		f := *old["job1/x/"+from]
		f.Volume++
		if was := old["job1/x/"+to]; was != nil {
			f.Ino = was.Ino
		}
		w.files["job1/x/"+to] = &f
	}
	moved("A", "A")
	moved("B", "C")
	moved("C", "new name")
	w.put("job1/x/B", "E")
	w.files["job1/x/B"].Volume++
	w.settle()
	w.expire()
	w.matches()
	for c, want := range map[string]string{"A": "A", "B": "B", "C": "C", "D": ""} {
		if got := w.shows(links[c], "A", "B", "C", "D", "E"); got != want {
			t.Errorf("the link of %s shows %q", c, got)
		}
	}
}

// A file that cannot be examined has no identity, so it does not tell whether the volume
// has changed, and the photo stays at its path.
func TestAFileThatCannotBeExamined(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.settle()
	link := w.link(aJPG)
	w.tx(func(tx *Tx) error {
		return tx.Problem(w.acct, w.place(aJPG), upload.Identity{}, layout.Unreadable, 0, w)
	})
	w.expire()
	if w.link(aJPG) != link || w.shows(link, "A") != "A" {
		t.Errorf("the photo is not its path's any more: %q", w.link(aJPG))
	}
	w.settle()
	w.expire()
	w.matches()
	if w.link(aJPG) != link {
		t.Error("another link when it can be read again")
	}
}

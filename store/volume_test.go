package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestVolumeIsAdoptedOnlyWhenNothingIsAtStake(t *testing.T) {
	w := newWorld(t, Jobs)
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

// The uploads have another home, where the same inode numbers mean others, and
// names were shifted on the way: pictures decide, and nothing stays published
// that did not come along.
func TestAnotherVolume(t *testing.T) {
	w := newWorld(t, Jobs)
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
	moved := func(from, to string) { // under the inode number of what was at its new name
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

// What cannot be examined says nothing about the volume: the photo stays with
// its path.
func TestAFileThatCannotBeExamined(t *testing.T) {
	w := newWorld(t, Jobs)
	w.put(aJPG, "A")
	w.settle()
	link := w.link(aJPG)
	w.tx(func(tx *Tx) error { return tx.Problem(w.acct, w.place(aJPG), Identity{}, Unreadable, 0, w) })
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

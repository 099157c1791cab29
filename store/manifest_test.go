package store

import (
	"os"
	"path/filepath"
	"testing"

	"picday/internal/layout"
)

// A forgotten file withdraws its photo, unless another file shows it, and the photo comes back
// with its link.
func TestForgetFileWithdrawsItsPhoto(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.publish(aJPG)
	link := w.link(aJPG)
	forget := func(p string, want bool) {
		t.Helper()
		w.tx(func(tx *Tx) error {
			withdrawn, err := tx.ForgetFile(w.acct, p)
			if withdrawn != want {
				t.Errorf("%s: withdrawn %v", p, withdrawn)
			}
			return err
		})
	}
	forget(bJPG, false)
	forget(aJPG, true)
	forget(aJPG, false)
	if len(w.photos(false)) != 0 {
		t.Error("still published")
	}
	if w.publish(aJPG); w.link(aJPG) != link {
		t.Error("it came back with another link")
	}
}

// The manifest is a whole catalogue, of which the next one takes the place.
func TestManifest(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for n := 1; n <= 2; n++ {
		path := aJPG
		if n == 2 {
			path = bJPG
		}
		w.put(path, path)
		w.publish(path)
		w.must(w.s.WriteManifest(t.Context()))
		m, err := OpenSnapshot(t.Context(), filepath.Join(w.s.DataDir(), ManifestFile), w.s.DataDir())
		w.must(err)
		c, err := m.All().Counts(t.Context())
		w.must(err)
		if c.Photos != n || w.s.Size() == 0 {
			t.Errorf("%d photos", c.Photos)
		}
		w.must(m.Close())
	}
	entries, err := os.ReadDir(filepath.Join(w.s.DataDir(), "manifest"))
	w.must(err)
	if len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
}

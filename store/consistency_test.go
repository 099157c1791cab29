package store

import (
	"testing"

	"picday/internal/layout"
)

// SharedPaths, PhotosWithoutFile and WrongLinks find such rows, and nothing in a
// consistent catalogue. Files that differ from their rows are tested with verify.
func TestInconsistentPhotosAreFound(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.put(bJPG, "B")
	w.settle()
	ctx := t.Context()
	expect := func(when string, doubles, fileless, links int) {
		t.Helper()
		d, err := w.s.SharedPaths(ctx, 10)
		w.must(err)
		f, err := w.s.PhotosWithoutFile(ctx, 10)
		w.must(err)
		n := 0
		w.must(w.s.WrongLinks(ctx, func(Photo) { n++ }))
		if len(d) != doubles || len(f) != fileless || n != links {
			t.Errorf("%s: doubles %+v, without a file %+v, %d wrong links", when, d, f, n)
		}
	}
	expect("as it should be", 0, 0, 0)
	w.rm(aJPG)
	w.settle() // begins its grace
	expect("while a file is missing", 0, 0, 0)
	w.put(aJPG, "A")
	w.settle()
	for _, q := range []string{
		`UPDATE photo SET path = (SELECT path FROM photo WHERE file = 'b.jpg') WHERE file = 'a.jpg'`,
		`UPDATE photo SET generation = 2 WHERE file = 'b.jpg'`,
	} {
		_, err := w.s.write.Exec(q)
		w.must(err)
	}
	expect("two at one path, one with another's number", 1, 1, 1)
}

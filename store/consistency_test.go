package store

import (
	"strings"
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

// What cannot be of people is found.
func TestFaultsOfPeopleAreFound(t *testing.T) {
	w := newCards(t)
	w.arrive(dirA, "411 K7Q2", "412")
	w.group(0, 100)
	w.is("before", "411 card, 412+K7Q2")
	for _, c := range []struct{ break_, mend, want string }{
		{`UPDATE subject SET photos = 2`, `UPDATE subject SET photos = 1`, "the subject number 1 counts"},
		{`UPDATE subject SET job_id = 2`, `UPDATE subject SET job_id = 1`, "the photo number 2 shows"},
		{`UPDATE series_tally SET photos = 5`, `UPDATE series_tally SET photos = 1`, "the reason card is counted"},
		{`DELETE FROM subject_code`, `INSERT INTO subject_code VALUES (1, 'k7q2', 1)`, "the code of the subject number 1"},
	} {
		_, err := w.s.write.Exec(c.break_)
		w.must(err)
		faults, err := w.s.Faults(t.Context())
		w.must(err)
		if len(faults) != 1 || !strings.Contains(faults[0], c.want) {
			t.Errorf("%s: %q", c.break_, faults)
		}
		_, err = w.s.write.Exec(c.mend)
		w.must(err)
	}
}

package store

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/internal/upload"
)

// A RAW file is a problem if and only if its folder has no JPEG of the same stem, in
// whatever order the two come and go.
func TestCompanions(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	const dir = "job1/A/group/"
	raw := func(name, stem string) {
		w.put(dir+name, "raw")
		w.tx(func(tx *Tx) error {
			_, err := tx.Companion(w.acct, w.place(dir+name), w.files[dir+name].Identity, stem)
			return err
		})
	}
	problems := func(when string, want ...string) {
		t.Helper()
		all, err := w.s.All().Problems(t.Context(), ProblemQuery{Order: ProblemsByPath})
		w.must(err)
		var got []string
		for _, p := range all {
			got = append(got, strings.TrimPrefix(p.RawPath, dir))
			if p.Reason != layout.NotJPEG || layout.IsRAW(p.RawPath) != strings.Contains(p.Message(), "upload its JPEG too") {
				t.Errorf("%s: %+v %s", when, p, p.Message())
			}
		}
		counts, err := w.s.All().Counts(t.Context())
		w.must(err)
		if !slices.Equal(got, want) || counts.Problems != len(want) {
			t.Errorf("%s: %v, want %v; %d counted", when, got, want, counts.Problems)
		}
	}
	photo := func(name string) {
		w.put(dir+name, "content of "+name)
		w.publish(dir + name)
	}
	gone := func(name string) { w.rm(dir + name); w.gone(dir + name) }

	raw("1.CR2", "1")
	raw("1.xmp", "1")
	raw("1.b.NEF", "1.b")
	problems("alone", "1.CR2", "1.b.NEF", "1.xmp")
	photo("1.jpg")
	problems("with a JPEG", "1.b.NEF")
	raw("1.dng", "1")
	raw("1.CR2", "1")
	problems("a later one, and written again", "1.b.NEF")
	photo("2.jpg")
	photo("10.jpg")
	photo("1.b.jfif")
	problems("each with its own")
	gone("1.jpg")
	problems("the JPEG may only be replaced")
	photo("1.jpg")
	problems("it was")
	photo("1.JPEG")
	gone("1.jpg")
	w.expire()
	problems("another JPEG of that name")
	gone("1.JPEG")
	w.expire()
	problems("no JPEG any more", "1.CR2", "1.dng", "1.xmp")
	gone("1.CR2")
	problems("deleted", "1.dng", "1.xmp")
	photo("1.jpg")
	w.mv(dir+"1.jpg", "job1/B/1.jpg")
	w.publish("job1/B/1.jpg")
	problems("the JPEG moved to another album", "1.dng", "1.xmp")
	if events := w.events(ActivityQuery{Event: EventProblem}); len(events) > 0 {
		t.Errorf("in the activity: %v", events)
	}
}

// The catalogue and package layout agree on the stem of a JPEG's name.
func TestStems(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, name := range []string{"a.jpg", "a.JPG", "a.jpeg", "a.JFif", "a.b.jpg", "a.png", "jpg", "a.cr2", "\xff\xfe.jpg", "a\n.jpg", "ü.jpg", "a.jpg ", "x", ".jp", "a.jpe", "ajpg"} {
		want, ok := layout.TrimJPEG(name)
		var got []byte
		w.must(w.s.Update(t.Context(), func(tx *Tx) error {
			if err := tx.record(w.acct, "job1/A/"+name, upload.Identity{}, 0, 0, "", 0); err != nil {
				return err
			}
			return tx.queryRow(`SELECT stem FROM upload WHERE name = ?`, []byte(name)).Scan(&got)
		}))
		if ok != (got != nil) || ok && !bytes.Equal(got, []byte(want)) {
			t.Errorf("%q: %q, want %q %v", name, got, want, ok)
		}
	}
}

package store

import (
	"slices"
	"testing"

	"picday/internal/layout"
)

// Names are found by the beginnings of their words, whatever their accents, as long as
// they are there, and only in the view. Pages go forward and backward in natural order.
func TestFindAndNaturalOrder(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, path := range []string{"job1/Klasse 10/IMG_10.jpg", "job1/Klasse 10/IMG_2.jpg", "job1/Klasse 10/IMG_0100.jpg", "job1/Ägypten/Müller_Anna.jpg"} {
		w.put(path, path)
		w.publish(path)
	}
	find := func(v View, text string) (all []string) {
		f, err := v.Find(t.Context(), text, 10)
		w.must(err)
		for _, j := range f.Jobs {
			all = append(all, j.Name)
		}
		for _, a := range f.Albums {
			all = append(all, a.Name)
		}
		for _, p := range f.Photos {
			all = append(all, p.File)
		}
		return all
	}
	for text, want := range map[string][]string{
		"klasse 1": {"Klasse 10"}, "AGYP": {"Ägypten"}, "anna": {"Müller_Anna.jpg"}, "müller a": {"Müller_Anna.jpg"}, "Mueller": {"Müller_Anna.jpg"}, "Aegypten": {"Ägypten"}, "100": {"IMG_0100.jpg"},
		"job": {"job1", "job2"}, "img_1": {"IMG_10.jpg"}, "nothing": nil, " ": nil,
	} {
		if got := find(w.s.View(w.acct.ID), text); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, not %q", text, got, want)
		}
		if got := find(w.s.View(w.acct.ID+1), text); got != nil {
			t.Errorf("%q finds %q of another account", text, got)
		}
	}
	// Albums, from page to page, as people count them, also behind one that is gone.
	w.put("job1/Klasse 2/a.jpg", "k2")
	w.publish("job1/Klasse 2/a.jpg")
	var albums []string
	page := AlbumQuery{Limit: 1}
	for all, err := w.s.All().Albums(t.Context(), page); len(all) > 0 || err != nil; all, err = w.s.All().Albums(t.Context(), page) {
		w.must(err)
		albums = append(albums, all[0].Name)
		page.AfterAccount, page.AfterJob, page.AfterAlbum = all[0].Account, all[0].Job, all[0].Name
	}
	if !slices.Equal(albums, []string{"Ägypten", "Klasse 2", "Klasse 10"}) {
		t.Errorf("albums: %q", albums)
	}
	if all, err := w.s.All().Albums(t.Context(), AlbumQuery{AfterAccount: w.acct.Name, AfterJob: "job1", AfterAlbum: "Klasse 3"}); err != nil || len(all) != 1 {
		t.Errorf("behind an album that is gone: %v, %v", all, err)
	}
	q := PhotoQuery{Account: w.acct.Name, Job: "job1", Album: "Klasse 10", Area: "individuals", Order: ByFile, Limit: 2}
	names := func(q PhotoQuery) (all []string, last Key) {
		photos, err := w.s.All().Photos(t.Context(), q)
		w.must(err)
		for _, p := range photos {
			all = append(all, p.File)
		}
		if len(photos) > 0 {
			last = photos[len(photos)-1].Key(q.Order)
		}
		return all, last
	}
	got, last := names(q)
	if !slices.Equal(got, []string{"IMG_2.jpg", "IMG_10.jpg"}) {
		t.Error(got)
	}
	q.After = last
	if got, last = names(q); !slices.Equal(got, []string{"IMG_0100.jpg"}) {
		t.Error(got)
	}
	q.After, q.Backwards = last, true
	if got, _ = names(q); !slices.Equal(got, []string{"IMG_2.jpg", "IMG_10.jpg"}) {
		t.Error(got)
	}
	q.After = Key{}
	if got, _ = names(q); !slices.Equal(got, []string{"IMG_10.jpg", "IMG_0100.jpg"}) {
		t.Error(got)
	}
}

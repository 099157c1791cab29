package store

import (
	"errors"
	"testing"

	"picday/internal/layout"
)

func TestAPhotoIsNamedByItsPathOrItsPerson(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	dir := w.acct.Name + "/" + layout.UserPictures
	w.put(dir+"/12.jpg", "one")
	w.settle()
	p := w.photoAt(dir + "/12.jpg")
	named := func(path, person string, want int64) {
		t.Helper()
		got, err := w.s.View(w.acct.ID).Named(t.Context(), path, person)
		if want == 0 && !errors.Is(err, ErrNotFound) || want != 0 && (err != nil || got.ID != want) {
			t.Errorf("%q, %q: photo %d, %v; want %d", path, person, got.ID, err, want)
		}
	}
	named(dir+"/12.jpg", dir+"/12.jpg", p.ID)
	named("12", "12", p.ID)
	named("13", "13", 0)
	w.rm(dir + "/12.jpg")
	w.settle()
	w.expire()
	named("12", "12", p.ID) // withdrawn
	if _, err := w.s.View(w.acct.ID+1).Named(t.Context(), "12", "12"); !errors.Is(err, ErrNotFound) {
		t.Errorf("by another account: %v", err)
	}
}

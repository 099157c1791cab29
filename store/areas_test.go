package store

import (
	"strings"
	"testing"

	"picday/internal/areas"
	"picday/internal/layout"
)

// An account keeps its names of folders, they count more than the configuration's, and a
// row that nobody can have written is said to be one.
func TestAnAccountHasNamesOfFolders(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	read := func() Account {
		t.Helper()
		a, err := w.s.All().Account(t.Context(), "acme")
		w.must(err)
		return a
	}
	area := func(path string) string {
		t.Helper()
		r, err := read().Rules(areas.Names{Individuals: []string{"Einzel"}, Group: []string{"Team"}})
		w.must(err)
		return r.Of(path).Area
	}
	w.tx(func(tx *Tx) error { return tx.SetAreas(w.acct, areas.Names{Group: []string{"einzel", "Gruppe"}}) })
	for path, want := range map[string]string{
		"j/A/EINZEL/x.jpg": "group", "j/A/gruppe/x.jpg": "group", "j/A/Team/x.jpg": "group", "j/A/Individuals/x.jpg": "individuals", "j/A/x.jpg": "individuals", "j/A/other/x.jpg": "",
	} {
		if got := area(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.SetAreas(w.acct, areas.Names{Group: []string{"a/b"}}) }); err == nil {
		t.Error("a path is taken for a name")
	}
	w.tx(func(tx *Tx) error {
		_, err := tx.t.ExecContext(tx.ctx, `UPDATE account SET areas = '{"group":[".."]}'`)
		return err
	})
	if a := read(); a.Readable() || a.Flawed() == nil || !strings.Contains(a.Flawed().Error(), "picday account areas acme") {
		t.Errorf("a flawed row: %v", a.Flawed())
	}
	w.tx(func(tx *Tx) error { return tx.SetAreas(w.acct, areas.Names{}) })
	if a := read(); a.Flawed() != nil || !a.Areas.None() {
		t.Errorf("%+v", a)
	}
}

// The files of a folder whose meaning changes are not known until they were looked at
// again, and nothing else about them changes.
func TestFilesOfAFolderWithAnotherMeaningAreNotKnown(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/Einzel/1", "broken")
	w.put("job1/A/1", "broken")
	w.settle()
	a, err := w.s.All().Account(t.Context(), "acme")
	w.must(err)
	w.must(w.s.ApplyAreas(t.Context(), a, areas.Of(areas.Names{Group: []string{"EINZEL"}})))
	for dir, want := range map[string]int{"job1/A/Einzel": 0, "job1/A": 1} {
		if known, err := w.s.Known(t.Context(), a.ID, dir); err != nil || len(known) != want {
			t.Errorf("%s: %v, %v", dir, known, err)
		}
	}
	if u, found, err := w.s.UploadAt(t.Context(), a.ID, "job1/A/Einzel/1"); !found || !u.Again || u.Reason == "" || err != nil {
		t.Errorf("%+v, %v", u, err)
	}
	w.publish("job1/A/Einzel/1")
	if known, err := w.s.Known(t.Context(), a.ID, "job1/A/Einzel"); err != nil || len(known) != 1 {
		t.Errorf("looked at again: %v, %v", known, err)
	}
}

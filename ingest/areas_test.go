package ingest

import (
	"errors"
	"testing"
	"time"

	"picday/internal/areas"
	"picday/internal/layout"
	testphoto "picday/internal/test/photo"
	"picday/store"
)

// A folder that gets a meaning has its files looked at again: problems become photos, also
// ignored ones, and photos change their area. One that loses it keeps what is published.
func TestAFolderThatGetsAMeaningIsLookedAtAgain(t *testing.T) {
	b := newBed(t)
	const one, two, other = "acme/job1/x/EINZEL/a.jpg", "acme/job1/x/EINZEL/b.jpg", "acme/job1/x/tests/c.jpg"
	for i, p := range []string{one, two, other} {
		b.write(p, testphoto.Tiny(i+1))
		b.settle(p)
		if b.reason(p) != layout.UnknownFolder {
			t.Fatalf("%s: %q", p, b.reason(p))
		}
	}
	acme := func() store.Account {
		a, err := b.Store.All().Account(t.Context(), "acme")
		b.must(err)
		return a
	}
	all, err := b.Store.All().Problems(t.Context(), store.ProblemQuery{Account: "acme", RawPath: "job1/x/EINZEL/b.jpg"})
	b.must(err)
	b.must(b.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.IgnoreProblem(all[0], time.Now(), "ann") }))
	// set gives the folders their meaning, and returns the files that the watcher would send.
	set := func(n areas.Names) (sent int) {
		t.Helper()
		old, _ := b.account("acme")
		b.must(b.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.SetAreas(acme(), n) }))
		stale := settled{File: b.file(other), owner: old}
		b.reloadAccounts()
		if err := b.Store.Update(t.Context(), b.byItsRules(stale, func(*store.Tx) error { return nil })); !errors.Is(err, errNewRules) {
			t.Errorf("a decision by the old rules: %v", err)
		}
		b.must(b.Store.ApplyAreas(t.Context(), acme(), areas.Of(acme().Areas)))
		b.must(b.Store.ApplyAreas(t.Context(), acme(), areas.Of(acme().Areas)))
		for _, p := range []string{one, two, other} {
			dir := map[bool]string{true: "job1/x/tests", false: "job1/x/EINZEL"}[p == other]
			known, err := b.Known(t.Context(), "acme", dir)
			b.must(err)
			if known[p[len(p)-5:]] != b.file(p).Identity {
				b.settle(p)
				sent++
			}
		}
		return sent
	}
	if n := set(areas.Names{Individuals: []string{"Einzel"}}); n != 2 || b.photo(one) == nil || b.photo(one).Area != "individuals" || b.photo(two) == nil || b.reason(other) != layout.UnknownFolder {
		t.Errorf("%d looked at again; %+v", n, b.photo(one))
	}
	link := b.photo(one).Link
	if n := set(areas.Names{Group: []string{"einzel"}}); n != 2 || b.photo(one).Area != "group" || b.photo(one).Link != link {
		t.Errorf("another area: %d, %+v", n, b.photo(one))
	}
	if n := set(areas.Names{}); n != 2 || b.photo(one) == nil || b.reason(one) != layout.UnknownFolder {
		t.Errorf("no meaning any more: %d, %q", n, b.reason(one))
	}
	if n := set(areas.Names{Group: []string{"Einzel"}}); n != 2 || b.photo(one).Link != link || b.reason(one) != "" {
		t.Errorf("a meaning once more: %d, %q", n, b.reason(one))
	}
}

package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"picday/internal/layout"
)

// changed lists the paths of what has changed, withdrawn ones with a minus.
func (w *world) changed(v View, q PhotoQuery) (all []string) {
	w.Helper()
	photos, err := v.Changed(w.Context(), q)
	w.must(err)
	for _, p := range photos {
		path := p.Path
		if !p.WithdrawnAt.IsZero() {
			path = "-" + path
		}
		all = append(all, path)
	}
	return all
}

// Who follows one job, album or area is told of what was moved out of it, and of
// everything that happens to it later.
func TestWhatIsMovedElsewhereIsTold(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "two")
	w.settle()
	since, err := w.s.All().LastChange(t.Context())
	w.must(err)
	inA := PhotoQuery{Account: "acme", Job: "job1", Album: "A", ChangedSince: since, Limit: 10}
	check := func(what string, want ...string) {
		t.Helper()
		for name, v := range map[string]View{"all": w.s.All(), "one": w.s.View(w.acct.ID)} {
			for _, q := range []PhotoQuery{inA, {Job: "job1", ChangedSince: since, Limit: 10}, {Album: "A", ChangedSince: since, Limit: 10}} {
				if got := w.changed(v, q); !slices.Equal(got, want) {
					t.Errorf("%s, view of %s, %+v: told %v, want %v", what, name, q, got, want)
				}
			}
		}
	}
	check("nothing happened")
	w.mv("job1/A/1.jpg", "job2/B/1.jpg")
	w.settle()
	check("moved", "job2/B/1.jpg")
	p := w.photoAt("job2/B/1.jpg")
	w.tx(func(tx *Tx) error { _, err := tx.Rotate(p.ID, ""); return err })
	check("rotated there", "job2/B/1.jpg")
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
	check("withdrawn there", "-job2/B/1.jpg")
	w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") })
	w.mv("job2/B/1.jpg", "job1/A/1.jpg")
	w.settle()
	check("moved back", "job1/A/1.jpg")

	// With a limit of one the list is the same, row by row.
	w.mv("job1/A/1.jpg", "job2/A/1.jpg")
	w.mv("job1/A/2.jpg", "job1/B/2.jpg")
	w.settle()
	w.mv("job2/A/1.jpg", "job2/B/1.jpg")
	w.settle()
	for _, q := range []PhotoQuery{inA, {Album: "A", ChangedSince: since}, {Account: "acme", Area: "individuals", ChangedSince: since}} {
		q.Limit = 10
		whole := w.changed(w.s.All(), q)
		var single []string
		for q.Limit = 1; ; {
			some, err := w.s.All().Changed(t.Context(), q)
			w.must(err)
			if len(some) == 0 {
				break
			}
			single, q.After = append(single, some[0].Path), some[0].Key(ByChange)
		}
		if !slices.Equal(single, whole) || len(whole) != 2 {
			t.Errorf("%+v: %v one by one, %v at once", q, single, whole)
		}
	}
}

// An account that is gone is told by its name, beside one that has the name now.
func TestAnAccountThatIsGoneIsTold(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	since, err := w.s.All().LastChange(t.Context())
	w.must(err)
	old := w.acct
	w.must(w.s.EmptyAccount(t.Context(), old, nil))
	w.tx(func(tx *Tx) (err error) {
		if err = tx.RemoveAccount(old, true); err == nil {
			w.acct, err = tx.AddAccount(Account{Name: "acme", Layout: layout.Jobs})
		}
		return errors.Join(err, tx.AddJob(w.acct, "job1"))
	})
	clear(w.files)
	clear(w.told)
	w.put("job1/A/2.jpg", "two")
	w.settle()
	for _, q := range []PhotoQuery{{}, {Account: "acme"}, {Account: "acme", Job: "job1"}, {Job: "job1"}} {
		q.ChangedSince, q.Limit = since, 10
		if got := w.changed(w.s.All(), q); !slices.Equal(got, []string{"-job1/A/1.jpg", "job1/A/2.jpg"}) {
			t.Errorf("%+v: %v", q, got)
		}
	}
	if got := w.changed(w.s.View(w.acct.ID), PhotoQuery{Account: "acme", ChangedSince: since}); !slices.Equal(got, []string{"job1/A/2.jpg"}) {
		t.Errorf("the new one's view: %v", got)
	}
	if _, err := w.s.View(w.acct.ID).Changed(t.Context(), PhotoQuery{Account: "another", ChangedSince: since}); !errors.Is(err, ErrNotFound) {
		t.Errorf("another account: %v", err)
	}
}

// Who asks from before something that is no longer known is told so, and nobody else.
func TestWhatIsForgottenIsSaid(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	since := []int64{1}
	mark := func() {
		at, err := w.s.All().LastChange(t.Context())
		w.must(err)
		since = append(since, at)
	}
	asks := func() (told string) {
		for _, at := range since {
			_, err := w.s.All().Changed(t.Context(), PhotoQuery{ChangedSince: at, Limit: 10})
			if err != nil && !errors.Is(err, ErrForgotten) {
				t.Fatal(err)
			}
			told += fmt.Sprint(err == nil, " ")
		}
		return told
	}
	w.put("1.jpg", "one")
	w.settle()
	mark()
	w.rm("1.jpg")
	w.settle()
	w.expire()
	mark()
	if got := asks(); got != "true true true " {
		t.Errorf("while it is in the trash: %s", got)
	}
	w.tx(func(tx *Tx) error { _, _, err := tx.EmptyTrash(0, SweepPosition{}, 10); return err })
	mark()
	if got := asks(); got != "false false true true " {
		t.Errorf("when it has left the trash: %s", got)
	}
	// What After was told before is not asked for again.
	if _, err := w.s.All().Changed(t.Context(), PhotoQuery{ChangedSince: 1, After: Key{Number: since[2] + 1, ID: 1}}); err != nil {
		t.Errorf("further on: %v", err)
	}
	w.tx(func(tx *Tx) error { _, _, err := tx.ForgetUploads(); return err })
	if got := asks(); got != "false false false false " {
		t.Errorf("after a restore: %s", got)
	}
	if at, err := w.s.All().LastChange(t.Context()); err != nil || at <= since[3] {
		t.Errorf("who begins anew begins at %d, %v", at, err)
	}
}

// Another size is a change of every photo that shows the picture, also when it comes
// with the same picture of somebody else.
func TestOtherSizesAreAChange(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	w.put("1.jpg", "one")
	w.settle()
	since, err := w.s.All().LastChange(t.Context())
	w.must(err)
	sha := shaOf("one")
	w.tx(func(tx *Tx) error { return tx.SetRenditions(sha, nil) })
	if got := w.changed(w.s.All(), PhotoQuery{ChangedSince: since}); len(got) != 1 {
		t.Errorf("fewer sizes: %v", got)
	}
	if since, err = w.s.All().LastChange(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.put("2.jpg", "one")
	w.settle()
	if got := w.changed(w.s.All(), PhotoQuery{ChangedSince: since}); len(got) != 2 {
		t.Errorf("the same picture again, with all sizes: %v", got)
	}
	if since, err = w.s.All().LastChange(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.put("3.jpg", "one")
	w.settle()
	if got := w.changed(w.s.All(), PhotoQuery{ChangedSince: since}); len(got) != 1 {
		t.Errorf("and again: %v", got)
	}
}

// Commits tells of what this process commits, and of nothing else.
func TestCommitsAreSeen(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	c, err := w.s.OpenCommits(t.Context())
	w.must(err)
	defer func() { w.must(c.Close()) }()
	version := func() int64 {
		v, err := c.Version()
		w.must(err)
		return v
	}
	before := version()
	if again := version(); again != before {
		t.Errorf("%d, then %d, without a commit", before, again)
	}
	w.put("1.jpg", "one")
	w.settle()
	if version() == before {
		t.Error("a commit is not seen")
	}
}

// People has the portraits that are published, in the order asked for.
func TestPeople(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	for _, id := range []string{"1", "2", "3", "4"} {
		w.put(id+".jpg", "picture of "+id)
	}
	w.settle()
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(w.photoAt("3.jpg").ID, "eva") })
	for name, v := range map[string]View{"all": w.s.All(), "one": w.s.View(w.acct.ID)} {
		got, err := v.People(t.Context(), "acme", []string{"4", "99", "3", "1", "4", "' OR 1", "1\x00"})
		w.must(err)
		var people []string
		for _, p := range got {
			people = append(people, p.Person)
			if len(p.Renditions) != 1 {
				t.Errorf("%s has the sizes %v", p.Person, p.Renditions)
			}
		}
		if !slices.Equal(people, []string{"4", "1"}) {
			t.Errorf("view of %s: %v", name, people)
		}
	}
	for name, v := range map[string]View{"nobody": w.s.All(), "acme": w.s.View(w.acct.ID + 1)} {
		if _, err := v.People(t.Context(), name, []string{"1"}); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

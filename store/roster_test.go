package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/internal/roster"
)

func (w *world) list(text string) roster.List {
	w.Helper()
	l, err := roster.Parse([]byte(text))
	w.must(err)
	return l
}

func (w *world) people(s Scope) (text string) {
	w.Helper()
	all, err := w.s.All().Subjects(w.Context(), SubjectQuery{AccountID: s.AccountID, JobID: s.JobID})
	w.must(err)
	for _, x := range all {
		text += fmt.Sprintf("%s %s %s %s %s; ", x.ExternalID, x.First, x.Class, x.Listed, x.Code[:min(len(x.Code), 2)])
	}
	return text
}

// A list that is taken adds and changes people and marks who is missing; nobody is deleted,
// and one that takes away more than a tenth waits for a person.
func TestAListNeverDeletesAnybody(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	s, err := w.s.All().Scope(t.Context(), w.acct, "job1")
	w.must(err)
	if yes, err := w.s.All().HasPeople(t.Context(), s); err != nil || yes {
		t.Error(yes, err)
	}
	take := func(text string, accept bool) (d roster.Diff, err error) {
		err = w.s.Update(t.Context(), func(tx *Tx) (err error) {
			d, err = tx.TakeRoster(RosterFile{Scope: s, File: "list.csv", Content: []byte(text)}, w.list(text), accept)
			return err
		})
		return d, err
	}
	w.add(Subject{Code: "AA", Kind: Spare}) // its card was printed before the list came
	first := "ID,Code,First,Class\n1,aa,Ann,5a\n2,BB,Bob,5a\n3,CC,Cy,5b\n"
	if d, err := take(first, false); err != nil || len(d.Added) != 2 || len(d.Changed) != 1 {
		t.Fatal(d.Summary(), err)
	}
	if got := w.people(s); got != "1 Ann 5a listed aa; 2 Bob 5a listed BB; 3 Cy 5b listed CC; " {
		t.Error(got)
	}
	second := "ID,Code\n1,AA\n2,B2\n"
	_, err = take(second, false)
	if !errors.Is(err, ErrTakesAway) || !strings.Contains(err.Error(), "2 people: 0 added, 2 changed, 0 as before, 1 missing") {
		t.Error(err)
	}
	var id int64
	d, err := w.s.View(w.acct.ID).RosterDiff(t.Context(), s, w.list(second))
	if w.must(err); len(d.Missing) != 1 || d.Missing[0].First != "Cy" {
		t.Error(d.Summary())
	}
	for range 2 {
		w.tx(func(tx *Tx) (err error) {
			id, err = tx.HoldRoster(RosterFile{Scope: s, File: "two.csv", Operator: "olga", Content: []byte(second)}, d)
			return err
		})
	}
	v := w.s.View(w.acct.ID)
	f, err := v.WaitingRoster(t.Context(), s, id)
	if w.must(err); string(f.Content) != second || f.File != "two.csv" || f.Operator != "olga" {
		t.Errorf("%+v", f)
	}
	if _, err := take(second, true); err != nil {
		t.Error(err)
	}
	if got := w.people(s); got != "1 Ann 5a listed AA; 2 Bob 5a listed B2; 3 Cy 5b missing CC; " {
		t.Error(got)
	}
	if _, err := v.WaitingRoster(t.Context(), s, id); !errors.Is(err, ErrNotFound) {
		t.Error("it still waits:", err)
	}
	w.refuses("line 2: the code \"CC\": this code was given out", func(tx *Tx) error {
		other := Scope{w.acct.ID, w.job("job2").ID}
		_, err := tx.TakeRoster(RosterFile{Scope: other}, w.list("Code,First\nCC,Eve\n"), false)
		return err
	})
	for range rostersKept + 3 {
		if _, err := take(first, true); err != nil {
			t.Fatal(err)
		}
	}
	all, err := v.Rosters(t.Context(), s)
	if w.must(err); len(all) != rostersKept || all[0].Waiting || all[0].People != 3 || all[0].SHA != shaOf(first) {
		t.Errorf("%d: %+v", len(all), all[0])
	}
	w.tx(func(tx *Tx) (err error) { id, err = tx.HoldRoster(RosterFile{Scope: s}, d); return err })
	w.tx(func(tx *Tx) error { return tx.DropRoster(s, id) })
	for scope, want := range map[Scope]int{{}: rostersKept - 1, s: rostersKept - 1, {AccountID: s.AccountID}: rostersKept - 1, {s.AccountID, s.JobID + 1}: 0} {
		if all, err := v.AllRosters(t.Context(), scope, 1<<60, 100); err != nil || len(all) != want || want > 0 && all[0].Account+all[0].Job != "acmejob1" {
			t.Errorf("%+v: %d, %v", scope, len(all), err)
		}
	}
	other := w.s.View(w.acct.ID + 1)
	if all, err := other.AllRosters(t.Context(), Scope{}, 0, 100); err != nil || len(all) > 0 {
		t.Errorf("another account's view: %+v, %v", all, err)
	}
	if _, err := other.Rosters(t.Context(), s); !errors.Is(err, ErrNotFound) {
		t.Error("another account's view:", err)
	}
	if _, err := other.WaitingRoster(t.Context(), s, id); !errors.Is(err, ErrNotFound) {
		t.Error("another account's view:", err)
	}
	if yes, err := v.HasPeople(t.Context(), s); err != nil || !yes {
		t.Error(yes, err)
	}
	if _, err := v.Scope(t.Context(), w.acct, ""); err == nil {
		t.Error("a list of all jobs was taken")
	}
}

// Portraits of IDs that are on no list are named, and stay published.
func TestPortraitsOfNobodyAreNamed(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	v := w.s.View(w.acct.ID)
	s, err := v.Scope(t.Context(), w.acct, "")
	w.must(err)
	for _, id := range []string{"0123", "124", "99"} {
		w.put("p/"+id+".jpg", id)
	}
	w.settle()
	text := "ID,Last\n123,Abel\n124,Berg\n"
	w.tx(func(tx *Tx) error {
		_, err := tx.TakeRoster(RosterFile{Scope: s, Content: []byte(text)}, w.list(text), false)
		return err
	})
	var got []string
	photos, err := v.NotListed(t.Context(), w.acct.ID, 10)
	w.must(err)
	for _, p := range photos {
		got = append(got, p.Person)
	}
	if fmt.Sprint(got) != "[99 0123]" {
		t.Error(got)
	}
	for _, job := range []string{"", "job1"} {
		if _, err := v.Scope(t.Context(), w.acct, job); (err == nil) != (job == "") {
			t.Errorf("%q: %v", job, err)
		}
	}
	if yes, err := v.HasPeople(t.Context(), s); err != nil || !yes {
		t.Error(yes, err)
	}
	if all, err := v.Rosters(t.Context(), s); err != nil || len(all) != 1 {
		t.Error(all, err)
	}
	w.tx(func(tx *Tx) error { _, err := tx.HoldRoster(RosterFile{Scope: s}, roster.Diff{}); return err })
}

package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

func (w *world) problemsNow(ignored bool) (all []string) {
	w.Helper()
	problems, err := w.s.All().Problems(w.Context(), ProblemQuery{Order: ProblemsByPath, Ignored: ignored})
	w.must(err)
	for _, p := range problems {
		all = append(all, p.RawPath)
	}
	return all
}

func (w *world) problem(path string) Problem {
	w.Helper()
	all, err := w.s.All().Problems(w.Context(), ProblemQuery{Account: w.acct.Name, RawPath: path})
	w.must(err)
	if len(all) != 1 {
		w.Fatalf("problems at %s: %+v", path, all)
	}
	return all[0]
}

// ignoreSome ignores some problems, and ends that for others.
func (w *world) ignoreSome() {
	w.Helper()
	for _, p := range append(w.problemsNow(false), w.problemsNow(true)...) {
		if w.rng.IntN(2) > 0 {
			continue
		}
		found := w.problem(p)
		w.tx(func(tx *Tx) error {
			if found.IgnoredBy != "" {
				return tx.UnignoreProblem(found, "ann")
			}
			return tx.IgnoreProblem(found, time.Now().Add(time.Hour), "ann")
		})
	}
}

// Problems are counted by folder and reason as they come and go, a group keeps its ID as
// long as it has a file, and pages go both ways.
func TestProblemsAreGrouped(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, p := range []string{"job1/A/1", "job1/A/2", "job1/A/3", "job1/B/1", "job2/A/1"} {
		w.put(p, "broken")
	}
	w.settle()
	w.tx(func(tx *Tx) error {
		return tx.Problem(w.acct, w.place("job1/A/4"), upload.Identity{Ino: 999}, layout.NotJPEG, 0, w)
	})
	groups := func(q ProblemGroupQuery) (all []string) {
		t.Helper()
		found, err := w.s.View(w.acct.ID).ProblemGroups(t.Context(), q)
		w.must(err)
		for _, g := range found {
			all = append(all, fmt.Sprint(g.RawDir, " ", g.Reason, " ", g.Files, " ", g.Ignored, " ", g.Job))
		}
		return all
	}
	is := func(what string, got []string, want ...string) {
		t.Helper()
		slices.Sort(want)
		if got = slices.Sorted(slices.Values(got)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		w.consistent()
	}
	is("all", groups(ProblemGroupQuery{}), "job1/A incomplete 3 0 job1", "job1/A not-jpeg 1 0 job1", "job1/B incomplete 1 0 job1", "job2/A incomplete 1 0 job2")
	is("of a job", groups(ProblemGroupQuery{Account: "acme", Job: "job2"}), "job2/A incomplete 1 0 job2")
	is("of a reason", groups(ProblemGroupQuery{Reason: layout.NotJPEG}), "job1/A not-jpeg 1 0 job1")
	is("of a job and a reason", groups(ProblemGroupQuery{Account: "acme", Job: "job1", Reason: layout.NotJPEG}), "job1/A not-jpeg 1 0 job1")
	is("of nobody", groups(ProblemGroupQuery{Account: "nobody"}))
	is("of no job", groups(ProblemGroupQuery{Account: "acme", Job: "nothing"}))

	list, err := w.s.All().ProblemGroups(t.Context(), ProblemGroupQuery{})
	w.must(err)
	next, err := w.s.All().ProblemGroups(t.Context(), ProblemGroupQuery{Beyond: list[1].ID, Limit: 1})
	w.must(err)
	back, err := w.s.All().ProblemGroups(t.Context(), ProblemGroupQuery{Beyond: list[3].ID, Backwards: true, Limit: 2})
	w.must(err)
	if !slices.Equal(next, list[2:3]) || !slices.Equal(back, list[1:3]) {
		t.Errorf("pages: %+v and %+v of %+v", next, back, list)
	}

	// A file that changes and stays a problem leaves its group as it is.
	one, err := w.s.All().GroupOf(t.Context(), w.problem("job1/B/1"))
	w.must(err)
	w.put("job1/B/1", "broken again")
	w.settle()
	if again, err := w.s.All().ProblemGroup(t.Context(), one.ID); err != nil || again.Files != 1 {
		t.Errorf("%+v, %v", again, err)
	}
	w.put("job1/B/1", "whole")
	w.rm("job1/A/2")
	w.settle()
	is("mended and deleted", groups(ProblemGroupQuery{}), "job1/A incomplete 2 0 job1", "job2/A incomplete 1 0 job2")
	if _, err := w.s.All().ProblemGroup(t.Context(), one.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty group: %v", err)
	}
	if all, err := w.s.View(w.acct.ID+1).ProblemGroups(t.Context(), ProblemGroupQuery{}); len(all) != 0 || err != nil {
		t.Errorf("in another account's view: %+v %v", all, err)
	}
}

// An ignored file is no problem for any count or list until it changes, or until somebody
// looks at it again; what has come after the operator looked is not ignored.
func TestAnIgnoredProblemIsNotCounted(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, p := range []string{"job1/A/1", "job1/A/2", "job1/A/3", "job1/A/4"} {
		w.put(p, "broken")
		w.settle() // in this order
	}
	is := func(when string, problems, ignored []string) {
		t.Helper()
		counts, err := w.s.View(w.acct.ID).Counts(t.Context())
		w.must(err)
		job, err := w.s.All().Job(t.Context(), "acme", "job1")
		w.must(err)
		if got, no := w.problemsNow(false), w.problemsNow(true); !slices.Equal(got, problems) || !slices.Equal(no, ignored) || counts.Problems != len(problems) || job.Problems != len(problems) {
			t.Errorf("%s: problems %q, ignored %q, counted %d and %d", when, got, no, counts.Problems, job.Problems)
		}
		w.consistent()
	}
	now := time.Now().Add(time.Second)
	ignore := func(p string, seen time.Time) error {
		return w.s.Update(t.Context(), func(tx *Tx) error { return tx.IgnoreProblem(w.problem(p), seen, "ann") })
	}
	if err := ignore("job1/A/1", time.Now().Add(-time.Hour)); !errors.Is(err, ErrNotFound) {
		t.Errorf("what came after the operator looked: %v", err)
	}
	w.must(ignore("job1/A/1", now))
	is("one", []string{"job1/A/2", "job1/A/3", "job1/A/4"}, []string{"job1/A/1"})
	if p := w.problem("job1/A/1"); p.IgnoredBy != "ann" {
		t.Errorf("%+v", p)
	}
	w.publish("job1/A/1") // looked at again, unchanged
	is("looked at again", []string{"job1/A/2", "job1/A/3", "job1/A/4"}, []string{"job1/A/1"})
	w.touch("job1/A/1")
	w.settle()
	is("changed", []string{"job1/A/1", "job1/A/2", "job1/A/3", "job1/A/4"}, nil)

	g, err := w.s.All().GroupOf(t.Context(), w.problem("job1/A/1"))
	w.must(err)
	change := func(fn func(*Tx) (int, error)) (n int) {
		t.Helper()
		w.tx(func(tx *Tx) (err error) { n, err = fn(tx); return err })
		return n
	}
	if n := change(func(tx *Tx) (int, error) { return tx.IgnoreGroup(g, time.Now().Add(-time.Hour), "ann", 10) }); n != 0 {
		t.Errorf("%d ignored that nobody has seen", n)
	}
	if n := change(func(tx *Tx) (int, error) { return tx.IgnoreGroup(g, now, "ann", 3) }); n != 3 {
		t.Errorf("%d ignored", n)
	}
	is("three of a group", []string{"job1/A/4"}, []string{"job1/A/1", "job1/A/2", "job1/A/3"})
	files, err := w.s.All().ProblemsOf(t.Context(), g, GroupPage{Ignored: true, Limit: 2})
	w.must(err)
	last, err := w.s.All().ProblemsOf(t.Context(), g, GroupPage{Ignored: true, Backwards: true, Limit: 2})
	w.must(err)
	if len(files) != 2 || len(last) != 2 || files[1] != last[0] {
		t.Errorf("pages of a group: %+v, %+v", files, last)
	}
	if all, err := w.s.All().ProblemGroups(t.Context(), ProblemGroupQuery{Ignored: true, Account: "acme"}); err != nil || len(all) != 1 || all[0].Files != 1 || all[0].Ignored != 3 {
		t.Errorf("%+v, %v", all, err)
	}
	// It becomes a photo, and is a problem once more.
	w.put("job1/A/2", "whole")
	w.settle()
	w.put("job1/A/2", "broken")
	w.settle()
	is("mended and broken", []string{"job1/A/2", "job1/A/4"}, []string{"job1/A/1", "job1/A/3"})
	if n := change(func(tx *Tx) (int, error) { return tx.UnignoreGroup(g, "bea", 10) }); n != 2 {
		t.Errorf("%d problems again", n)
	}
	is("all again", []string{"job1/A/1", "job1/A/2", "job1/A/3", "job1/A/4"}, nil)
	w.must(ignore("job1/A/1", now))
	w.tx(func(tx *Tx) error { return tx.UnignoreProblem(w.problem("job1/A/1"), "bea") })
	is("one again", []string{"job1/A/1", "job1/A/2", "job1/A/3", "job1/A/4"}, nil)
	var said []string
	entries, err := w.s.All().Activity(t.Context(), ActivityQuery{})
	w.must(err)
	for _, a := range entries {
		if a.Event == EventIgnored || a.Event == EventUnignored {
			said = append(said, fmt.Sprint(a.Event, " ", a.Path, " ", a.Detail, " ", a.Operator))
		}
	}
	if want := []string{"unignored job1/A/1 incomplete bea", "ignored job1/A/1 incomplete ann", "unignored job1/A 2 bea", "ignored job1/A 3 ann", "ignored job1/A/1 incomplete ann"}; !slices.Equal(said, want) {
		t.Errorf("activity: %q", said)
	}
	if old, err := w.s.OldProblems(t.Context(), func(int64) time.Time { return time.Time{} }, now, 10); err != nil || len(old) != 1 || old[0].Count != 4 {
		t.Errorf("old problems: %+v %v", old, err)
	}
}

// What waits for a limit stands for files that may be photos, and cannot be ignored.
func TestWhatWaitsForALimitCannotBeIgnored(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.tx(func(tx *Tx) error {
		return tx.Problem(w.acct, w.place("job1/A/1"), upload.Identity{Ino: 999}, layout.TooManyFiles, 0, w)
	})
	p := w.problem("job1/A/1")
	g, err := w.s.All().GroupOf(t.Context(), p)
	w.must(err)
	for what, change := range map[string]func(*Tx) error{
		"alone":      func(tx *Tx) error { return tx.IgnoreProblem(p, time.Now().Add(time.Hour), "ann") },
		"as a group": func(tx *Tx) error { _, err := tx.IgnoreGroup(g, time.Now().Add(time.Hour), "ann", 9); return err },
	} {
		if err := w.s.Update(t.Context(), change); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

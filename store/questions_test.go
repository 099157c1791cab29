package store

import (
	"slices"
	"testing"
	"time"
)

// What commands and pages ask, on a small catalogue with one of everything.
func TestQuestions(t *testing.T) {
	ctx := t.Context()
	empty := bareStore(t)
	if blank, err := empty.Blank(ctx); err != nil || !blank {
		t.Errorf("a new catalogue: blank %v, %v", blank, err)
	}
	w := newWorld(t, Jobs)
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "broken")
	w.put("job2/B/3.jpg", "three")
	w.settle()
	w.mv("job1/A/1.jpg", "job1/B/1.jpg")
	w.settle()
	w.rm("job2/B/3.jpg")
	w.gone("job2/B/3.jpg")
	v, job2 := w.s.View(0), Job{}
	for what, ask := range map[string]func() (good bool, err error){
		"blank": func() (bool, error) { blank, err := w.s.Blank(ctx); return !blank, err },
		"sound": func() (bool, error) { all, err := w.s.Unsound(ctx); return len(all) == 0, err },
		"shown as": func() (bool, error) {
			account, path, n, err := w.s.ShownAs(ctx, shaOf("one"))
			return account == "acme" && path == "job1/B/1.jpg" && n == 1, err
		},
		"fileless":        func() (bool, error) { all, err := w.s.Fileless(ctx, 10); return len(all) == 0, err },
		"two at one path": func() (bool, error) { all, err := w.s.Doubles(ctx, 10); return len(all) == 0, err },
		"wrong links": func() (bool, error) {
			n := 0
			err := w.s.WrongLinks(ctx, func(Photo) { n++ })
			return n == 0, err
		},
		"alive": func() (bool, error) { return true, w.s.Update(ctx, (*Tx).Prove) },
		"job states": func() (bool, error) {
			all, err := w.s.JobStates(ctx, w.acct.ID)
			return all["job1"] == Planned && len(all) == 2, err
		},
		"missing in a job": func() (bool, error) {
			var err error
			if job2, err = w.s.Job(ctx, w.acct, "job2"); err != nil {
				return false, err
			}
			n, err := w.s.MissingInJob(ctx, job2)
			return n == 1, err
		},
		"last change": func() (bool, error) {
			all, err := v.LastChange(ctx)
			if err != nil {
				return false, err
			}
			own, err := w.s.View(w.acct.ID).LastChange(ctx)
			return all > 0 && own == all, err
		},
		"expired": func() (bool, error) { yes, err := w.s.Expired(ctx, time.Hour, 100); return !yes, err },
		"directories": func() (bool, error) {
			all, err := w.s.KnownDirs(ctx, w.acct.ID)
			return slices.Equal(all, []string{"job1/A", "job1/B"}), err
		},
		"problems by reason": func() (bool, error) {
			all, err := w.s.ProblemCounts(ctx)
			if err != nil {
				return false, err
			}
			own, err := v.ProblemCounts(ctx)
			return all[Incomplete] == 1 && len(all) == 1 && slices.Equal(own, []ProblemCount{{"acme", Incomplete, 1}}), err
		},
		"names": func() (bool, error) { all, err := v.AccountNames(ctx); return slices.Equal(all, []string{"acme"}), err },
		"album": func() (bool, error) {
			al, err := v.Album(ctx, Job{ID: 1, Account: "acme", Name: "job1"}, "B")
			return al.Individuals == 1 && al.Group == 0 && !al.Latest.IsZero(), err
		},
		"moved": func() (bool, error) {
			to, at, err := w.s.MovedTo(ctx, w.acct, "job1/A/1.jpg")
			return to == "job1/B/1.jpg" && !at.IsZero(), err
		},
		"narrowed problems": func() (bool, error) {
			for _, q := range []ProblemQuery{{Account: "acme"}, {Account: "acme", Job: "job1"}, {Job: "job1"}, {Reason: Incomplete}, {Newest: true, After: 1000}} {
				if all, err := v.Problems(ctx, q); len(all) != 1 || err != nil {
					t.Errorf("%+v: %v", q, all)
					return false, err
				}
			}
			none, err := v.Problems(ctx, ProblemQuery{Account: "nobody"})
			return len(none) == 0, err
		},
		"all problems": func() (bool, error) { all, err := w.s.Problems(ctx, ""); return len(all) == 1, err },
		"renditions to be made": func() (bool, error) {
			want := []RenditionSpec{{"thumb", 100, 80}}
			n, err := w.s.BacklogSize(ctx, want)
			if err != nil {
				return false, err
			}
			all, err := w.s.Backlog(ctx, want, SHA{}, 10)
			return n == 2 && len(all) == 2, err
		},
		"trash at a path": func() (bool, error) {
			all, err := v.Photos(ctx, PhotoQuery{PhotoFilter: PhotoFilter{Account: "acme", RawPath: "job1/B/1.jpg"}})
			return len(all) == 1, err
		},
	} {
		if good, err := ask(); err != nil || !good {
			t.Errorf("%s: not what was to be answered (%v)", what, err)
		}
	}
	// An account that comes back as it was.
	w.tx(func(tx *Tx) error {
		if err := tx.RemoveAccount(w.acct, false); err != nil {
			return err
		}
		_, err := tx.AddAccount(w.acct)
		return err
	})
	w.consistent()
}

package store

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/rendition"
)

// This runs what commands and pages ask, on a small catalogue that has one row of each kind.
func TestQuestions(t *testing.T) {
	ctx := t.Context()
	empty := bareStore(t)
	if blank, err := empty.Blank(ctx); err != nil || !blank {
		t.Errorf("a new catalogue: blank %v, %v", blank, err)
	}
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "broken")
	w.put("job2/B/3.jpg", "three")
	w.settle()
	w.mv("job1/A/1.jpg", "job1/B/1.jpg")
	w.settle()
	w.rm("job2/B/3.jpg")
	w.gone("job2/B/3.jpg")
	v, job2 := w.s.All(), Job{}
	for what, ask := range map[string]func() (good bool, err error){
		"blank": func() (bool, error) { blank, err := w.s.Blank(ctx); return !blank, err },
		"sound": func() (bool, error) { all, err := w.s.Faults(ctx); return len(all) == 0, err },
		"shown as": func() (bool, error) {
			account, path, n, err := w.s.PhotosOfPicture(ctx, shaOf("one"))
			return account == "acme" && path == "job1/B/1.jpg" && n == 1, err
		},
		"fileless":        func() (bool, error) { all, err := w.s.PhotosWithoutFile(ctx, 10); return len(all) == 0, err },
		"two at one path": func() (bool, error) { all, err := w.s.SharedPaths(ctx, 10); return len(all) == 0, err },
		"wrong links": func() (bool, error) {
			n := 0
			err := w.s.WrongLinks(ctx, func(Photo) { n++ })
			return n == 0, err
		},
		"alive": func() (bool, error) { return true, w.s.Update(ctx, (*Tx).WriteAliveRow) },
		"job states": func() (bool, error) {
			all, err := w.s.JobStates(ctx, w.acct.ID)
			return all["job1"] == Planned && len(all) == 2, err
		},
		"missing in a job": func() (bool, error) {
			var err error
			if job2, err = v.Job(ctx, "acme", "job2"); err != nil {
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
			all, err := v.ProblemCounts(ctx)
			return slices.Equal(all, []ProblemCount{{"acme", layout.Incomplete, 1}}), err
		},
		"names": func() (bool, error) { all, err := v.AccountNames(ctx); return slices.Equal(all, []string{"acme"}), err },
		"has a file": func() (bool, error) {
			all, err := v.Photos(ctx, PhotoQuery{RawPath: "job1/B/1.jpg"})
			if err != nil || len(all) != 1 {
				return false, err
			}
			return v.HasFile(ctx, all[0])
		},
		"album": func() (bool, error) {
			al, err := v.Album(ctx, Job{ID: 1, Account: "acme", Name: "job1"}, "B")
			return al.Individuals == 1 && al.Group == 0 && !al.Latest.IsZero(), err
		},
		"moved": func() (bool, error) {
			to, at, err := w.s.All().MovedTo(ctx, w.acct, "job1/A/1.jpg")
			return to == "job1/B/1.jpg" && !at.IsZero(), err
		},
		"narrowed problems": func() (bool, error) {
			for _, q := range []ProblemQuery{{Account: "acme"}, {Account: "acme", Job: "job1"}, {Job: "job1"}, {Reason: layout.Incomplete}, {Order: NewestProblems, After: 1000}} {
				if all, err := v.Problems(ctx, q); len(all) != 1 || err != nil {
					t.Errorf("%+v: %v", q, all)
					return false, err
				}
			}
			none, err := v.Problems(ctx, ProblemQuery{Account: "nobody"})
			return len(none) == 0, err
		},
		"all problems": func() (bool, error) {
			all, err := w.s.All().Problems(ctx, ProblemQuery{Order: ProblemsByPath})
			return len(all) == 1, err
		},
		"renditions to be made": func() (bool, error) {
			want := []rendition.Spec{{Name: "thumb", Longest: 100, Quality: 80}}
			n, err := w.s.CountOutdatedRenditions(ctx, want)
			if err != nil {
				return false, err
			}
			all, err := w.s.OutdatedRenditions(ctx, want, SHA{}, 10)
			return n == 2 && len(all) == 2, err
		},
		"trash at a path": func() (bool, error) {
			all, err := v.Photos(ctx, PhotoQuery{Account: "acme", RawPath: "job1/B/1.jpg"})
			return len(all) == 1, err
		},
	} {
		if good, err := ask(); err != nil || !good {
			t.Errorf("%s: not what was to be answered (%v)", what, err)
		}
	}
	// Remove an account, and add it again unchanged.
	w.tx(func(tx *Tx) error {
		if err := tx.RemoveAccount(w.acct, false); err != nil {
			return err
		}
		_, err := tx.AddAccount(w.acct)
		return err
	})
	w.consistent()
}

// A job ends only if the catalogue knows nothing of it; who did it on the pages is in the
// activity.
func TestRemoveJob(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	ctx, v := t.Context(), w.s.All()
	remove := func(name string) error {
		j, err := v.Job(ctx, "acme", name)
		w.must(err)
		return w.s.Update(ctx, func(tx *Tx) error { return tx.RemoveJob(w.acct, j, "ann") })
	}
	w.tx(func(tx *Tx) error { return tx.AddJobBy(w.acct, "job9", "ann") })
	w.tx(func(tx *Tx) error { return tx.AddJobBy(w.acct, "job9", "ann") })
	if err := remove("job1"); !errors.Is(err, ErrHadPhotos) {
		t.Errorf("a job with a photo: %v", err)
	}
	w.mv("job1/A/1.jpg", "job2/A/1.jpg")
	w.settle()
	if err := remove("job1"); !errors.Is(err, ErrHadPhotos) {
		t.Errorf("a job that a photo has left: %v", err)
	}
	w.must(remove("job9"))
	w.tx(func(tx *Tx) error { return tx.AccountChanged(w.acct, "account.passwd", "", "ann") })
	w.tx(func(tx *Tx) error {
		return tx.Refused(w.acct, "job.add", "job\n9", strings.Repeat("ä", mostDetail), "ann")
	})
	refused, err := w.s.All().Activity(ctx, ActivityQuery{Event: EventRefused})
	if err != nil || len(refused) != 1 || refused[0].Operator != "ann" || !strings.HasPrefix(refused[0].Detail, "job.add ää") || len(refused[0].Detail) > mostDetail {
		t.Errorf("%+v %v", refused, err)
	}
	all, err := v.Activity(ctx, ActivityQuery{})
	w.must(err)
	var got []string
	for _, a := range all {
		if a.Operator == "" || a.Event == EventRefused {
			continue
		}
		got = append(got, strings.Join([]string{string(a.Event), a.Path, a.Detail, a.Operator}, " "))
	}
	if want := "account  account.passwd ann, job-removed job9  ann, job-added job9  ann"; strings.Join(got, ", ") != want {
		t.Errorf("activity: %q", got)
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"picday/internal/layout"
)

// events returns the activity, the oldest first.
func (w *world) events(q ActivityQuery) (all []string) {
	w.Helper()
	list, err := w.s.All().Activity(w.Context(), q)
	w.must(err)
	slices.Reverse(list)
	for _, a := range list {
		line := string(a.Event) + " " + a.Path
		if a.Detail != "" {
			line += " (" + a.Detail + ")"
		}
		if a.Operator != "" {
			line += " by " + a.Operator
		}
		all = append(all, line)
	}
	return all
}

func TestActivity(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	a := "job1/A/1.jpg"
	w.put(a, "one")
	w.settle()
	w.touch(a) // adds no activity
	w.settle()
	w.replace(a, "two")
	w.settle()
	w.mv(a, "job1/B/100%_1.jpg")
	w.settle()
	p := w.photoAt("job1/B/100%_1.jpg")
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "otto") })
	w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") })
	w.tx(func(tx *Tx) error { _, err := tx.Rotate(p.ID, "eva"); return err })
	w.put("job1/B/bad.jpg", "broken")
	w.settle()
	w.touch("job1/B/bad.jpg")
	w.settle()
	w.rm("job1/B/100%_1.jpg")
	w.settle()
	w.expire()
	want := []string{
		"added job1/A/1.jpg", "replaced job1/A/1.jpg", "moved job1/B/100%_1.jpg (job1/A/1.jpg)",
		"withdrawn job1/B/100%_1.jpg by eva", "restored job1/B/100%_1.jpg by eva", "rotated job1/B/100%_1.jpg by eva",
		"problem job1/B/bad.jpg (incomplete)", "withdrawn job1/B/100%_1.jpg",
	}
	if got := w.events(ActivityQuery{}); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for name, c := range map[string]struct {
		q ActivityQuery
		n int
	}{
		"of the photo":        {ActivityQuery{PhotoID: p.ID}, 7},
		"of one kind":         {ActivityQuery{Event: EventWithdrawn}, 2},
		"a text":              {ActivityQuery{Text: "bad"}, 1},
		"signs of LIKE":       {ActivityQuery{Text: "100%_"}, 5},
		"not as a pattern":    {ActivityQuery{Text: "0_1"}, 0},
		"of this account":     {ActivityQuery{Account: "acme"}, 8},
		"of another account":  {ActivityQuery{Account: "other"}, 0},
		"at most two":         {ActivityQuery{Limit: 2}, 2},
		"older than the last": {ActivityQuery{Beyond: 8}, 7},
	} {
		if got := w.events(c.q); len(got) != c.n {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// No method of a view returns anything of another account.
func TestAViewShowsOneAccount(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "none")
	w.settle()
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "broken")
	w.settle()
	p := w.photoAt("job1/A/1.jpg")
	var other Account
	w.tx(func(tx *Tx) (err error) {
		other, err = tx.AddAccount(Account{Name: "other", Layout: layout.Jobs})
		return err
	})
	w.tx(func(tx *Tx) error { _, err := tx.Rotate(p.ID, ""); return err })
	ask := func(v View) (all []string) {
		count := func(what string, n int, err error) {
			w.must(err)
			if n > 0 {
				all = append(all, fmt.Sprint(what, n))
			}
		}
		for o := range keys {
			photos, err := v.Photos(t.Context(), PhotoQuery{Order: o, Show: ShowBoth})
			if o != ByPerson && o != ByID && o != ByWithdrawn {
				count("photos", len(photos), err)
			}
		}
		photos, err := v.Photos(t.Context(), PhotoQuery{Account: "acme", Job: "job1"})
		count("photos", len(photos), err)
		n, err := v.CountPhotos(t.Context(), PhotoQuery{Show: ShowBoth})
		count("photos", n, err)
		for p, err := range v.StreamPhotos(t.Context(), PhotoQuery{Show: ShowBoth}) {
			w.must(err)
			all = append(all, "photo "+p.Path)
		}
		jobs, err := v.Jobs(t.Context(), JobQuery{})
		count("jobs", len(jobs), err)
		albums, err := v.Albums(t.Context(), AlbumQuery{})
		count("albums", len(albums), err)
		problems, err := v.Problems(t.Context(), ProblemQuery{})
		count("problems", len(problems), err)
		activity, err := v.Activity(t.Context(), ActivityQuery{})
		count("activity", len(activity), err)
		history, err := v.History(t.Context(), p)
		count("history", len(history), err)
		counts, err := v.Counts(t.Context())
		count("counts", counts.Photos+counts.Problems, err)
		accounts, err := v.Accounts(t.Context())
		w.must(err)
		kept, err := v.KeptAccounts(t.Context())
		w.must(err)
		summaries, err := v.AccountSummaries(t.Context())
		w.must(err)
		for _, a := range summaries {
			accounts = append(accounts, a.Account)
		}
		for _, a := range append(accounts, kept...) {
			if a.Name == "acme" {
				all = append(all, "account")
			}
		}
		for what, find := range map[string]func() error{
			"photo":   func() error { _, err := v.Photo(t.Context(), p.ID); return err },
			"account": func() error { _, err := v.Account(t.Context(), "acme"); return err },
			"job":     func() error { _, err := v.Job(t.Context(), "acme", "job1"); return err },
		} {
			if err := find(); err == nil {
				all = append(all, what)
			} else if !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		}
		return all
	}
	if got := ask(w.s.View(other.ID)); len(got) > 0 {
		t.Errorf("another account sees %q", got)
	}
	mine, everything := ask(w.s.View(w.acct.ID)), ask(w.s.All())
	slices.Sort(mine)
	slices.Sort(everything)
	if len(mine) != 18 || !slices.Equal(mine, everything) {
		t.Errorf("own account sees %q, all see %q", mine, everything)
	}
}

// Reading page by page finds every photo once, in each order.
func TestPages(t *testing.T) {
	for _, kind := range []layout.Kind{layout.Jobs, layout.Portraits} {
		w := newWorld(t, kind)
		for i := range 10 {
			p := fmt.Sprintf("job1/A/%d.jpg", i)
			if kind == layout.Portraits {
				p = fmt.Sprintf("%d.jpg", 10+i)
			}
			w.put(p, fmt.Sprint("picture ", i))
		}
		w.settle()
		for o := range keys {
			if kind == layout.Jobs && (o == ByPerson || o == ByID) || o == ByWithdrawn {
				continue
			}
			q := PhotoQuery{Order: o, Limit: 3, Account: "acme"}
			seen := map[int64]bool{}
			for range 5 {
				page, err := w.s.All().Photos(t.Context(), q)
				w.must(err)
				for _, p := range page {
					if seen[p.ID] {
						t.Errorf("order %d: photo %d twice", o, p.ID)
					}
					if len(p.Renditions) != 1 {
						t.Errorf("renditions %+v", p.Renditions)
					}
					seen[p.ID] = true
					q.After = p.Key(o)
				}
			}
			if len(seen) != 10 {
				t.Errorf("order %d: %d of 10 photos", o, len(seen))
			}
		}
	}
}

// A stream is one snapshot, ends when the loop is left, and yields an error last.
func TestStreamPhotos(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for i := range 3 {
		w.put(fmt.Sprintf("job1/A/%d.jpg", i), fmt.Sprint("picture ", i))
	}
	w.settle()
	var paths []string
	for p, err := range w.s.All().StreamPhotos(t.Context(), PhotoQuery{}) {
		w.must(err)
		if len(p.Renditions) != 1 {
			t.Errorf("renditions %+v", p.Renditions)
		}
		if paths = append(paths, p.Path); len(paths) == 1 {
			w.put("job1/A/9.jpg", "later")
			w.publish("job1/A/9.jpg")
			if _, err := w.s.All().Photo(t.Context(), p.ID); err != nil {
				t.Error(err)
			}
		}
	}
	if want := []string{"job1/A/0.jpg", "job1/A/1.jpg", "job1/A/2.jpg"}; !slices.Equal(paths, want) {
		t.Errorf("%q", paths)
	}
	for range w.s.All().StreamPhotos(t.Context(), PhotoQuery{}) {
		break
	}
	if n := w.s.read.Stats().InUse; n != 0 {
		t.Errorf("%d connections are still taken", n)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	n := 0
	for p, err := range w.s.All().StreamPhotos(ctx, PhotoQuery{}) {
		if n++; err == nil || p.ID != 0 {
			t.Errorf("%+v, %v", p, err)
		}
	}
	if n != 1 {
		t.Errorf("%d answers", n)
	}
	if n, err := w.s.All().CountPhotos(t.Context(), PhotoQuery{Account: "acme"}); n != 4 || err != nil {
		t.Errorf("%d photos, %v", n, err)
	}
	if n, err := w.s.All().CountPhotos(t.Context(), PhotoQuery{Account: "nobody"}); n != 0 || err != nil {
		t.Errorf("%d photos of nobody, %v", n, err)
	}
}

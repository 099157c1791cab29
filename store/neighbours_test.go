package store

import (
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"picday/internal/layout"
)

// Going from one neighbour to the next visits all photos of the album's area once, in both
// directions.
func TestNeighboursVisitAllPhotosOfAnArea(t *testing.T) {
	for _, kind := range []layout.Kind{layout.Jobs, layout.Portraits} {
		w := newWorld(t, kind)
		for i := range 5 {
			if kind == layout.Portraits {
				w.put(fmt.Sprintf("%d.jpg", 10+i), fmt.Sprint("picture ", i))
				continue
			}
			w.put(fmt.Sprintf("job1/A/%d.jpg", i), fmt.Sprint("picture ", i))
			w.put(fmt.Sprintf("job1/B/%d.jpg", i), fmt.Sprint("other ", i))
		}
		w.settle()
		var all []Photo
		for _, order := range []Order{ByTaken, ByFile} {
			q := PhotoQuery{Order: order}
			if kind == layout.Jobs {
				q.Album = "A"
			}
			var err error
			all, err = w.s.All().Photos(t.Context(), q)
			w.must(err)
			if len(all) != 5 {
				t.Fatalf("%d photos", len(all))
			}
			if kind == layout.Portraits && order == ByTaken {
				continue // portraits are always in the order of their IDs
			}
			for i, p := range all {
				before, after, err := w.s.All().Neighbours(t.Context(), p, order)
				w.must(err)
				if i > 0 && before != all[i-1].ID || i == 0 && before != 0 || i < 4 && after != all[i+1].ID || i == 4 && after != 0 {
					t.Errorf("order %d, photo %d of %d: before %d, after %d", order, i, p.ID, before, after)
				}
			}
		}
		other := w.s.View(all[0].AccountID + 1)
		if before, after, err := other.Neighbours(t.Context(), all[2], ByFile); err != nil || before != 0 || after != 0 {
			t.Errorf("another account sees %d and %d (%v)", before, after, err)
		}
	}
}

// The change mark changes with everything that a page shows, and only in the views that
// show it.
func TestChangeMark(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	var other Account
	w.tx(func(tx *Tx) (err error) {
		other, err = tx.AddAccount(Account{Name: "other", Layout: layout.Jobs})
		return err
	})
	mark := func(account int64) string {
		t.Helper()
		text, err := w.s.View(account).ChangeMark(t.Context())
		w.must(err)
		return text
	}
	mine, all, others := mark(w.acct.ID), mark(0), mark(other.ID)
	changes := func(what string, change func()) {
		t.Helper()
		change()
		if now := mark(w.acct.ID); now == mine {
			t.Errorf("%s: own mark is still %s", what, now)
		} else {
			mine = now
		}
		if now := mark(0); now == all {
			t.Errorf("%s: mark of all is still %s", what, now)
		} else {
			all = now
		}
		if now := mark(other.ID); now != others {
			t.Errorf("%s: the mark of another account was %s, is %s", what, others, now)
		}
	}
	changes("added", func() { w.put("job1/A/1.jpg", "one"); w.settle() })
	p := w.photoAt("job1/A/1.jpg")
	changes("problem", func() { w.put("job1/A/2.jpg", "broken"); w.settle() })
	changes("rotated", func() { w.tx(func(tx *Tx) error { _, err := tx.Rotate(p.ID, ""); return err }) })
	changes("withdrawn", func() { w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") }) })
	changes("restored", func() { w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") }) })
	changes("a problem gone", func() { w.rm("job1/A/2.jpg"); w.settle() })
	changes("a job", func() { w.tx(func(tx *Tx) error { return tx.AddJob(w.acct, "job9") }) })
	networks := func(one string) func() {
		return func() {
			w.tx(func(tx *Tx) error { return tx.SetAllow(w.acct, []netip.Prefix{netip.MustParsePrefix(one)}) })
		}
	}
	changes("an allowlist", networks("203.0.113.0/24"))
	changes("an allowlist of the same length", networks("198.51.10.0/24"))
	changes("disabled", func() { w.tx(func(tx *Tx) error { return tx.SetEnabled(w.acct, false) }) })
	changes("replaced", func() { w.put("job1/A/1.jpg", "another one"); w.settle() })
	changes("an earlier picture ended", func() {
		w.tx(func(tx *Tx) error {
			tx.now = tx.now.Add(time.Hour)
			_, _, err := tx.Expire(time.Minute, SweepPosition{}, 10)
			return err
		})
	})
	before := mark(w.acct.ID)
	w.tx(func(tx *Tx) error { return tx.SetHostKeys([]HostKey{{"ssh-ed25519", "SHA256:abc"}}) })
	if now := mark(w.acct.ID); now == before {
		t.Errorf("other host keys: the mark is still %s", now)
	}
	all = mark(0)
	w.tx(func(tx *Tx) error { return errors.Join(tx.SetEnabled(w.acct, true), tx.SetEnabled(other, false)) })
	if now := mark(0); now == all {
		t.Errorf("one enabled and another disabled: the mark of all is still %s", now)
	}
	mine = mark(w.acct.ID)
	if again := mark(w.acct.ID); again != mine {
		t.Errorf("without a change: %s, then %s", mine, again)
	}
}

// The trash is listed in pages, the latest withdrawal first. The host keys are recorded.
func TestTheTrashInPages(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for i := range 5 {
		w.put(fmt.Sprintf("job1/A/%d.jpg", i), fmt.Sprint("picture ", i))
	}
	w.settle()
	for _, i := range []int{3, 1, 4} {
		p := w.photoAt(fmt.Sprintf("job1/A/%d.jpg", i))
		w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
	}
	q := PhotoQuery{Order: ByWithdrawn, Show: ShowBoth, Limit: 2}
	n := 0
	for range 3 {
		page, err := w.s.All().Photos(t.Context(), q)
		w.must(err)
		for _, p := range page {
			n++
			q.After = p.Key(ByWithdrawn)
		}
	}
	if n != 3 {
		t.Errorf("%d of 3 withdrawn photos", n)
	}
	keys := []HostKey{{"ssh-ed25519", "SHA256:abc"}}
	w.tx(func(tx *Tx) error { return tx.SetHostKeys(nil) })
	w.tx(func(tx *Tx) error { return tx.SetHostKeys(keys) })
	if got, err := w.s.All().HostKeys(t.Context()); err != nil || len(got) != 1 || got[0] != keys[0] {
		t.Errorf("host keys %v, %v", got, err)
	}
}

package store

import (
	"fmt"
	"net/netip"
	"testing"
)

// From the first photo on, the next of the next are all of its half of the
// album, and the way back is the same.
func TestBeside(t *testing.T) {
	for _, layout := range []Layout{Jobs, Portraits} {
		w := newWorld(t, layout)
		for i := range 5 {
			if layout == Portraits {
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
			if layout == Jobs {
				q.Album = "A"
			}
			var err error
			all, err = w.s.View(0).Photos(t.Context(), q)
			w.must(err)
			if len(all) != 5 {
				t.Fatalf("%d photos", len(all))
			}
			if layout == Portraits && order == ByTaken {
				continue // portraits are by ID, whatever is asked for
			}
			for i, p := range all {
				before, after, err := w.s.View(0).Beside(t.Context(), p, order)
				w.must(err)
				if i > 0 && before != all[i-1].ID || i == 0 && before != 0 || i < 4 && after != all[i+1].ID || i == 4 && after != 0 {
					t.Errorf("order %d, photo %d of %d: before %d, after %d", order, i, p.ID, before, after)
				}
			}
		}
		other := w.s.View(all[0].AccountID + 1)
		if before, after, err := other.Beside(t.Context(), all[2], ByFile); err != nil || before != 0 || after != 0 {
			t.Errorf("another account sees %d and %d (%v)", before, after, err)
		}
	}
}

// A pulse is another one after whatever a page shows has changed, for who sees
// it only.
func TestPulse(t *testing.T) {
	w := newWorld(t, Jobs)
	var other Account
	w.tx(func(tx *Tx) (err error) {
		other, err = tx.AddAccount(Account{Name: "other", Layout: Jobs})
		return err
	})
	pulse := func(account int64) string {
		t.Helper()
		text, err := w.s.View(account).Pulse(t.Context())
		w.must(err)
		return text
	}
	mine, all, others := pulse(w.acct.ID), pulse(0), pulse(other.ID)
	changes := func(what string, change func()) {
		t.Helper()
		change()
		if now := pulse(w.acct.ID); now == mine {
			t.Errorf("%s: own pulse is still %s", what, now)
		} else {
			mine = now
		}
		if now := pulse(0); now == all {
			t.Errorf("%s: pulse of all is still %s", what, now)
		} else {
			all = now
		}
		if now := pulse(other.ID); now != others {
			t.Errorf("%s: the pulse of another account was %s, is %s", what, others, now)
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
	if again := pulse(w.acct.ID); again != mine {
		t.Errorf("without a change: %s, then %s", mine, again)
	}
}

// The trash is read page by page, what was withdrawn last first; and host keys
// are kept.
func TestTheTrashInPages(t *testing.T) {
	w := newWorld(t, Jobs)
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
		page, err := w.s.View(0).Photos(t.Context(), q)
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
	if got, err := w.s.HostKeys(t.Context()); err != nil || len(got) != 1 || got[0] != keys[0] {
		t.Errorf("host keys %v, %v", got, err)
	}
}

package store

import (
	"errors"
	"testing"
	"time"

	"picday/internal/layout"
)

func (w *world) photoAt(p string) Photo {
	w.Helper()
	link := w.link(p)
	for _, withdrawn := range []bool{false, true} {
		if ph, ok := w.photos(withdrawn)[link]; ok {
			return ph
		}
	}
	w.Fatalf("no photo at %s", p)
	return Photo{}
}

// A photo that an operator has withdrawn stays withdrawn whatever happens to its file. Its
// row stays as long as the file exists, because without the row the file would be new.
func TestAnOperatorsWithdrawalStays(t *testing.T) {
	for name, touch := range map[string]func(w *world){
		"nothing": func(*world) {},
		"touched": func(w *world) { w.touch("job1/A/1.jpg"); w.settle() },
		"moved":   func(w *world) { w.mv("job1/A/1.jpg", "job1/B/2.jpg"); w.settle() },
		"again":   func(w *world) { w.replace("job1/A/1.jpg", "one"); w.settle() },
		"deleted": func(w *world) { w.rm("job1/A/1.jpg"); w.settle(); w.expire(); w.put("job1/A/1.jpg", "one"); w.settle() },
		"the trash": func(w *world) {
			w.tx(empty)
			w.touch("job1/A/1.jpg")
			w.settle()
		},
		"years": func(w *world) {
			w.tx(func(tx *Tx) error {
				tx.now = tx.now.Add(9999 * time.Hour)
				_, _, err := tx.Expire(time.Hour, SweepPosition{}, 1000)
				return err
			})
			w.touch("job1/A/1.jpg")
			w.settle()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, layout.Jobs)
			w.put("job1/A/1.jpg", "one")
			w.settle()
			p := w.photoAt("job1/A/1.jpg")
			w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
			touch(w)
			w.consistent()
			if n := len(w.photos(false)); n != 0 {
				t.Errorf("%d photos published", n)
			}
			got, err := w.s.All().Photo(t.Context(), p.ID)
			if err != nil || got.WithdrawnBy != "eva" || got.Link != p.Link {
				t.Errorf("%+v %v", got, err)
			}
			w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") })
			w.consistent()
			w.matches()
			if w.shows(p.Link, "one") != "one" {
				t.Error("not restored")
			}
		})
	}
}

func TestDaysInTheTrashBeginWhenTheFileGoes(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	p := w.photoAt("job1/A/1.jpg")
	w.tx(func(tx *Tx) error { tx.now = tx.now.Add(-999 * time.Hour); return tx.WithdrawBy(p.ID, "eva") })
	w.rm("job1/A/1.jpg")
	w.settle()
	w.expire()
	w.tx(func(tx *Tx) error { _, _, err := tx.Expire(720*time.Hour, SweepPosition{}, 1000); return err })
	if got, err := w.s.All().Photo(t.Context(), p.ID); err != nil || got.WithdrawnBy != "eva" {
		t.Errorf("%+v %v", got, err)
	}
}

// Another picture at the path is published, because no operator has withdrawn it.
func TestAnotherPictureEndsAnOperatorsWithdrawal(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	w.put("12.jpg", "wrong child")
	w.settle()
	p := w.photoAt("12.jpg")
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
	w.replace("12.jpg", "right child")
	w.settle()
	if w.shows(p.Link, "right child", "wrong child") != "right child" {
		t.Error("the new picture is not shown")
	}
	w.consistent()
	w.matches()
}

func TestRestoreByNeedsTheFile(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	p := w.photoAt("job1/A/1.jpg")
	w.rm("job1/A/1.jpg")
	w.settle()
	w.expire()
	if err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") }); !errors.Is(err, ErrNoFile) {
		t.Error(err)
	}
	for _, do := range []func(*Tx) error{
		func(tx *Tx) error { return tx.RestoreBy(99, "") },
		func(tx *Tx) error { return tx.WithdrawBy(99, "eva") },
		func(tx *Tx) error { _, err := tx.Rotate(99, ""); return err },
	} {
		if err := w.s.Update(t.Context(), do); !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
	w.consistent()
}

// A rotated link stays dead for ever: a portrait that expired and was uploaded again gets
// another one.
func TestARotatedLinkNeverComesBack(t *testing.T) {
	for _, kind := range []layout.Kind{layout.Jobs, layout.Portraits} {
		w := newWorld(t, kind)
		a, b := "job1/A/12.jpg", "job1/A/13.jpg"
		if kind == layout.Portraits {
			a, b = "12.jpg", "13.jpg"
		}
		w.put(a, "twelve")
		w.put(b, "thirteen")
		w.settle()
		old, other := w.link(a), w.link(b)
		seen := map[string]bool{old: true}
		rotate := func() {
			w.tx(func(tx *Tx) error {
				link, err := tx.Rotate(w.photos(false)[w.link(a)].ID, "")
				if err == nil && seen[link] {
					t.Errorf("%s: a link came back", kind)
				}
				seen[link] = true
				return err
			})
			w.consistent()
		}
		rotate()
		rotate()
		if w.link(b) != other {
			t.Errorf("%s: the other link has changed", kind)
		}
		now := w.link(a)
		w.replace(a, "twelve, older")
		w.settle()
		if w.shows(now, "twelve, older") == "" {
			t.Errorf("%s: another link after an upload", kind)
		}
		w.rm(a)
		w.settle()
		w.expire()
		w.tx(empty)
		w.put(a, "twelve")
		w.settle()
		if l := w.link(a); seen[l] && l != now {
			t.Errorf("%s: a rotated link shows again", kind)
		}
		rotate()
	}
}

// A reader that has read up to a change finds every later change above it, even if the
// clock was set back.
func TestChangesRise(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	since := int64(0)
	next := func(want int, what string) {
		t.Helper()
		w.consistent()
		got, err := w.s.All().Photos(t.Context(), PhotoQuery{Show: ShowBoth, Order: ByChange, ChangedSince: since})
		if err != nil || len(got) != want {
			t.Errorf("%s: %d changes, not %d (%v)", what, len(got), want, err)
		}
		for _, p := range got {
			since = max(since, p.ChangedAt)
		}
	}
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "two")
	w.settle()
	next(2, "two uploads")
	next(0, "nothing")
	p := w.photoAt("job1/A/1.jpg")
	for what, do := range map[string]func(*Tx) error{
		"withdrawn": func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") },
		"rotated":   func(tx *Tx) error { _, err := tx.Rotate(p.ID, ""); return err },
	} {
		w.tx(func(tx *Tx) error { tx.now = tx.now.Add(-time.Hour); return do(tx) })
		next(1, what)
	}
	w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "") })
	next(1, "restored")
	w.mv("job1/A/1.jpg", "job1/B/1.jpg")
	w.settle()
	next(1, "moved")
	w.replace("job1/B/1.jpg", "one again")
	w.settle()
	next(1, "replaced")
	w.rm("job1/B/1.jpg")
	w.settle()
	next(0, "missing, but still shown")
	w.expire()
	next(1, "deleted")
	w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, true) })
	before := since
	next(1, "account removed: its last photo is withdrawn")
	for _, q := range []struct {
		View
		since int64
	}{{w.s.View(w.acct.ID), before}, {w.s.All(), 0}} { // the photo is in neither view
		if got, err := q.Photos(t.Context(), PhotoQuery{Show: ShowBoth, Order: ByChange, ChangedSince: q.since}); err != nil || len(got) > 0 {
			t.Errorf("of an account that is gone: %+v %v", got, err)
		}
	}
}

// A withdrawn picture stays withdrawn if it comes back after another picture was at its
// path.
func TestAWithdrawnPictureThatComesBack(t *testing.T) {
	for name, back := range map[string]func(w *world){
		"uploaded again": func(w *world) { w.replace("12.jpg", "other"); w.settle(); w.replace("12.jpg", "one") },
		"was hidden by a newer file": func(w *world) {
			w.put("12.jpeg", "other")
			w.settle()
			w.rm("12.jpeg")
		},
	} {
		w := newWorld(t, layout.Portraits)
		w.put("12.jpg", "one")
		w.settle()
		p := w.photoAt("12.jpg")
		w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
		back(w)
		w.settle()
		w.expire()
		w.settle()
		w.consistent()
		if n := len(w.photos(false)); n != 0 {
			t.Errorf("%s: %d photos published", name, n)
		}
		// It stays so until she restores it.
		w.tx(func(tx *Tx) error { return tx.RestoreBy(p.ID, "eva") })
		w.touch("12.jpg")
		w.settle()
		w.replace("12.jpg", "third")
		w.settle()
		w.replace("12.jpg", "one")
		w.settle()
		w.consistent()
		w.matches()
		if w.shows(p.Link, "one") != "one" {
			t.Errorf("%s: not restored", name)
		}
	}
}

// A withdrawal by an operator holds for the picture in the whole job, under any name and in
// any file. It does not hold in another job.
func TestAWithdrawnPictureUnderAnotherName(t *testing.T) {
	for name, c := range map[string]struct {
		again     func(w *world)
		published int
	}{
		"a copy":        {func(w *world) { w.put("job1/B/copy.jpg", "one") }, 0},
		"uploaded anew": {func(w *world) { w.rm("job1/A/1.jpg"); w.settle(); w.expire(); w.put("job1/B/2.jpg", "one") }, 0},
		"in place":      {func(w *world) { w.put("job1/A/2.jpg", "two"); w.settle(); w.put("job1/A/2.jpg", "one") }, 0},
		"after the trash": {func(w *world) {
			w.rm("job1/A/1.jpg")
			w.settle()
			w.expire()
			w.tx(empty)
			w.put("job1/A/1.jpg", "one")
		}, 0},
		"to another job": {func(w *world) { w.mv("job1/A/1.jpg", "job2/A/1.jpg") }, 0},
		"of another job": {func(w *world) { w.put("job2/A/1.jpg", "one") }, 1},
		"there already":  {func(w *world) { w.touch("job1/A/early.jpg") }, 1},
	} {
		w := newWorld(t, layout.Jobs)
		if name == "there already" {
			w.put("job1/A/early.jpg", "one")
		}
		w.put("job1/A/1.jpg", "one")
		w.settle()
		p := w.photoAt("job1/A/1.jpg")
		w.tx(func(tx *Tx) error { return tx.WithdrawBy(p.ID, "eva") })
		c.again(w)
		w.settle()
		w.expire()
		w.consistent()
		if n := len(w.photos(false)); n != c.published {
			t.Errorf("%s: %d photos are published", name, n)
		}
	}
}

func empty(tx *Tx) error { _, _, err := tx.EmptyTrash(0, SweepPosition{}, 1000); return err }

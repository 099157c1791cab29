package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

const aJPG, bJPG = "job1/x/a.jpg", "job1/x/b.jpg"

// Nothing is withdrawn if the absence of the file is in doubt for any of these reasons.
func TestWithdrawalNeedsProof(t *testing.T) {
	for name, c := range map[string]struct{ before, undo func(*world) }{
		"parent unreadable": {
			func(w *world) { w.unknown["job1/x"] = true },
			func(w *world) { delete(w.unknown, "job1/x") },
		},
		"volume went": {
			func(w *world) { w.sure = ErrVolume },
			func(w *world) { w.sure = nil },
		},
		"job is being activated": {
			func(w *world) { w.jobState("job1", Activating) },
			func(w *world) { w.jobState("job1", Planned) },
		},
		"job is active": {
			func(w *world) { w.jobState("job1", Active) },
			func(w *world) { w.jobState("job1", Planned) },
		},
		"account was removed, its photos kept": {
			func(w *world) { w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, false) }) },
			func(w *world) { w.tx(func(tx *Tx) error { return tx.SetEnabled(w.acct, true) }) },
		},
		"the name is being uploaded": {
			func(w *world) { w.put(aJPG, "C") },
			func(w *world) { w.rm(aJPG) },
		},
		"the name is a problem that is being resumed": {
			func(w *world) { w.put(aJPG, "broken"); w.publish(aJPG); w.put(aJPG, "C") },
			func(w *world) { w.rm(aJPG); w.gone(aJPG) },
		},
		"another photo's name is being uploaded": { // by a file that may turn out to be this photo
			func(w *world) {
				w.put(bJPG, "B")
				w.publish(bJPG)
				w.mv(bJPG, aJPG)
				w.publish(aJPG)
				w.put(aJPG, "C")
			},
			func(w *world) { w.publish(aJPG) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, layout.Jobs)
			w.put(aJPG, "A")
			w.settle()
			w.rm(aJPG)
			w.gone(aJPG)
			c.before(w)
			if done, err := w.withdraw(10); len(done) > 0 && err == nil || len(w.photos(true)) != 0 {
				t.Errorf("withdrawn without proof: %v %v", done, err)
			}
			w.consistent()
			c.undo(w)
			if done, err := w.withdraw(10); len(done) != 1 || err != nil || len(w.photos(true)) != 1 {
				t.Errorf("proven, but: %v %v", done, err)
			}
			w.consistent()
		})
	}
}

func (w *world) jobState(name string, state JobState) {
	j, err := w.s.All().Job(w.Context(), "acme", name)
	w.must(err)
	w.tx(func(tx *Tx) error { return tx.SetJobState(j, state, "") })
}

// withdraw runs one sweep with a grace of 0, at most limit files per transaction.
func (w *world) withdraw(limit int) (done []Withdrawal, err error) {
	for from := (SweepPosition{More: true}); err == nil && from.More; {
		err = w.s.Update(w.Context(), func(tx *Tx) error {
			tx.now = tx.now.Add(time.Hour)
			before := w.looks
			some, to, err := tx.Withdraw(time.Minute, from, limit, w)
			if w.looks-before > limit || len(some) > limit {
				w.Errorf("%d looks and %d withdrawals in a transaction of %d", w.looks-before, len(some), limit)
			}
			from, done = to, append(done, some...)
			return err
		})
	}
	return done, err
}

func TestMissingNeedsProof(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.put(bJPG, "B")
	w.settle()
	w.rm(aJPG)
	missing := func() (n int, err error) {
		err = w.s.Update(w.Context(), func(tx *Tx) error {
			paths, _, err := tx.Missing(w.acct, "job1", "", 1000, w)
			n = len(paths)
			return err
		})
		return n, err
	}
	w.unknown["job1"] = true
	if n, err := missing(); n != 0 || err != nil {
		t.Errorf("unreadable: %d %v", n, err)
	}
	delete(w.unknown, "job1")
	w.sure = ErrVolume
	if _, err := missing(); !errors.Is(err, ErrVolume) || w.link(aJPG) == "" {
		t.Errorf("the volume went while we looked: %v", err)
	}
	w.sure = nil
	if n, err := missing(); n != 1 || err != nil || w.link(bJPG) == "" {
		t.Errorf("%d %v", n, err)
	}
	if done, err := w.s.Overdue(w.Context(), time.Hour, SweepPosition{}); done || err != nil {
		t.Errorf("before the grace is over: %v %v", done, err)
	}
}

// While a renamed file waits to be processed, its photo stays published, even after the
// grace. If it turns out to be no photo at the new path, the photo is withdrawn.
func TestRenamedFileWaitsForItsTurn(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	const to = "job1/y/new name.jpg"
	w.put(aJPG, "A")
	w.settle()
	link := w.link(aJPG)
	w.mv(aJPG, to)
	w.gone(aJPG)
	if done, err := w.withdraw(10); len(done) != 0 || err != nil {
		t.Errorf("before its turn: %v %v", done, err)
	}
	w.publish(to)
	if w.link(to) != link {
		t.Error("another link")
	}
	w.mv(to, aJPG)
	w.gone(to)
	w.tx(func(tx *Tx) error {
		return tx.Problem(w.acct, w.place(aJPG), w.files[aJPG].Identity, layout.NoAlbum, 0, w)
	})
	if done, err := w.withdraw(10); len(done) != 1 || err != nil {
		t.Errorf("after its turn: %v %v", done, err)
	}
	w.consistent()
}

// Missing with the path of a folder affects what is below it, and not folders whose names
// begin with its name.
func TestMissingFolderTakesNoSibling(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, p := range []string{"job1/x/1", "job1/x/group/1", "job1/x 2/1", "job1/x0/1", "job1/x-/1", "job1/w/1"} {
		w.put(p, p)
	}
	w.settle()
	disk := w.files
	w.files = map[string]*inode{} // all files are absent
	w.gone("job1/x")
	w.files = disk
	for p := range disk {
		if got, want := w.link(p) == "", p == "job1/x/1" || p == "job1/x/group/1"; got != want {
			t.Errorf("%s: gone %v, want %v", p, got, want)
		}
	}
}

// Any number of files whose absence is in doubt does not block the withdrawal of others.
func TestUnprovableFilesDoNotBlockTheRest(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	for _, p := range []string{"job1/x/1", "job1/x/2", "job1/x/3", "job2/y/1"} {
		w.put(p, p)
	}
	w.settle()
	for p := range w.files {
		w.rm(p)
		if p[:4] == "job1" {
			w.gone(p)
		}
	}
	w.gone("job2")
	w.unknown["job1"] = true
	if done, err := w.withdraw(2); len(done) != 1 || err != nil || done[0].Path != "job2/y/1" {
		t.Errorf("%v %v", done, err)
	}
	delete(w.unknown, "job1")
	if done, err := w.withdraw(2); len(done) != 3 || err != nil {
		t.Errorf("all in their turn: %v %v", done, err)
	}
}

// Missing processes a folder of many files in steps, each file once, and no folder whose
// name only begins with its name.
func TestMissingInSteps(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	var want []string
	for _, d := range []string{"job1/x", "job1/x/deep", "job1/x/deep/er", "job1/x!", "job1/x0", "job1/w"} {
		for i := range 5 {
			p := fmt.Sprintf("%s/%d.jpg", d, i)
			w.put(p, p)
			if d == "job1/x" || strings.HasPrefix(d, "job1/x/") {
				want = append(want, p)
			}
		}
	}
	w.settle()
	for p := range w.files {
		w.rm(p)
	}
	slices.Sort(want)
	for _, path := range []string{"job1/x", "job1/w/3.jpg"} {
		for limit := 1; limit < 18; limit++ {
			var got []string
			err := w.s.Update(t.Context(), func(tx *Tx) error {
				for next, first := "", true; first || next != ""; first = false {
					paths, to, err := tx.Missing(w.acct, path, next, limit, w)
					if len(paths) > limit || err != nil {
						t.Errorf("%d paths with a limit of %d: %v", len(paths), limit, err)
						break
					}
					got, next = append(got, paths...), to
				}
				return errors.New("undone")
			})
			slices.Sort(got)
			if path == "job1/x" && !slices.Equal(got, want) || path != "job1/x" && !slices.Equal(got, []string{path}) {
				t.Errorf("%s, in steps of %d: %v %q", path, limit, err, got)
			}
		}
	}
}

// An account that is added again can have another ID pattern. A stray may match it, so it
// must be processed again and not be deleted at the old date.
func TestStraysOfAKeptAccountAreLookedAtAgain(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	const p = "acme/user-pictures/anna.jpg"
	w.tx(func(tx *Tx) error {
		return tx.Problem(w.acct, Place{Path: p}, upload.Identity{Ino: 1}, layout.BadName, time.Hour, w)
	})
	later := time.Now().Add(2 * time.Hour)
	if strays, _, err := w.s.Strays(t.Context(), later, SweepPosition{}, 100); len(strays) != 1 || err != nil {
		t.Fatalf("%v %v", strays, err)
	}
	if strays, _, err := w.s.Strays(t.Context(), time.Now(), SweepPosition{}, 100); len(strays) != 0 || err != nil {
		t.Errorf("too early: %v %v", strays, err)
	}
	w.tx(func(tx *Tx) error {
		if err := tx.RemoveAccount(w.acct, false); err != nil {
			return err
		}
		_, err := tx.AddAccount(Account{Name: "acme", Layout: layout.Portraits, IDPattern: "[a-z]+"})
		return err
	})
	if strays, _, err := w.s.Strays(t.Context(), later, SweepPosition{}, 100); len(strays) != 0 || err != nil {
		t.Errorf("still to be deleted: %v %v", strays, err)
	}
}

// A file that was being processed while its account was removed does not become a photo,
// because nobody could see or remove it.
func TestAFileOfARemovedAccountIsNotPublished(t *testing.T) {
	for _, kind := range []layout.Kind{layout.Jobs, layout.Portraits} {
		w := newWorld(t, kind)
		w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, true) })
		place := Place{Path: "job1/A/12.jpg", Shown: "job1/A/12.jpg", Job: "job1", Album: "A", Area: "individuals"}
		if kind == layout.Portraits {
			place = Place{Path: "12.jpg", Shown: "12.jpg", Person: "12"}
		}
		id := upload.Identity{Ino: 7, Size: 1}
		for what, take := range map[string]func(*Tx) error{
			"photo": func(tx *Tx) error {
				_, err := tx.Publish(Arrival{Account: w.acct, Place: place, Identity: id, Original: Original{Bytes: 1}}, w)
				return err
			},
			"problem": func(tx *Tx) error { return tx.Problem(w.acct, place, id, layout.NotJPEG, 0, w) },
		} {
			if err := w.s.Update(t.Context(), take); !errors.Is(err, ErrNotFound) {
				t.Errorf("%s, %s: %v", kind, what, err)
			}
		}
		if c, err := w.s.All().Counts(t.Context()); c != (Counts{}) || err != nil {
			t.Errorf("%s: %+v %v", kind, c, err)
		}
	}
}

// A broken file keeps the photo whose file it has overwritten published, and none that was
// deleted or overwritten before.
func TestABrokenFileKeepsOnePhotoAtMost(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(*world)
		kept string // the picture that stays
	}{
		"written over in place": {func(w *world) { w.put(aJPG, "broken") }, "A"},
		"renamed over":          {func(w *world) { w.replace(aJPG, "broken") }, "A"},
		"after a deletion":      {func(w *world) { w.rm(aJPG); w.settle(); w.put(aJPG, "broken") }, ""},
		"after a rename over it and a deletion": {func(w *world) {
			w.mv(bJPG, aJPG)
			w.settle()
			w.rm(aJPG)
			w.settle()
			w.put(aJPG, "broken")
		}, ""},
		"after a rename over it, in place": {func(w *world) {
			w.mv(bJPG, aJPG)
			w.settle()
			w.put(aJPG, "broken")
		}, "B"},
		"deleted and broken again": {func(w *world) {
			w.put(aJPG, "broken")
			w.settle()
			w.rm(aJPG)
			w.settle()
			w.put(aJPG, "broken too")
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, layout.Jobs)
			w.put(aJPG, "A")
			w.put(bJPG, "B")
			w.settle()
			c.do(w)
			w.settle()
			w.expire()
			w.rm(bJPG)
			w.settle()
			w.expire()
			have := ""
			for link := range w.photos(false) {
				have += w.shows(link, "A", "B")
			}
			if have != c.kept {
				t.Errorf("published: %q, want %q", have, c.kept)
			}
		})
	}
}

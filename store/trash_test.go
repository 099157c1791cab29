package store

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/store/pictures"
)

var small = rendition.Spec{Name: "thumb", Longest: 400, Quality: 80}

// keep writes the files of a picture to where the catalogue says they are.
func (w *world) keep(content string) Original {
	o := w.original(content)
	o.Renditions = []Rendition{{Spec: small, Width: 4, Height: 3, Bytes: 1, Hash: shaOf(".")}}
	w.must(os.WriteFile(w.s.Files().Path(pictures.Original(o.SHA)), []byte(content), 0o600))
	w.must(os.WriteFile(w.s.Files().Path(pictures.Rendition(o.SHA, small)), []byte("."), 0o600))
	return o
}

func (w *world) kept(content string) bool {
	_, err := os.Stat(w.s.Files().Path(pictures.Original(shaOf(content))))
	_, rerr := os.Stat(w.s.Files().Path(pictures.Rendition(shaOf(content), small)))
	if errors.Is(err, os.ErrNotExist) != errors.Is(rerr, os.ErrNotExist) {
		w.Errorf("half of %s is left: %v, %v", content, err, rerr)
	}
	return err == nil
}

func (w *world) collect() (n int) {
	w.tx(func(tx *Tx) (err error) { n, err = tx.Collect(100); return err })
	return n
}

func TestCollectDeletesOnlyFilesThatNothingPointsTo(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.s.Close()
	w.s = newStore(t) // with all directories
	w.tx(func(tx *Tx) (err error) {
		w.acct, err = tx.AddAccount(Account{Name: "acme", Layout: layout.Jobs})
		return errors.Join(err, tx.AddJob(w.acct, "job1"))
	})
	w.put(aJPG, "A")
	w.put(bJPG, "A") // the same picture twice
	w.settle()
	w.put(bJPG, "B")
	w.settle()
	w.put("job1/x/c.jpg", "C")
	w.settle()
	for _, c := range []string{"A", "B", "C"} {
		o := w.keep(c)
		w.tx(func(tx *Tx) error { return tx.insertOriginal(o) })
	}
	w.rm(aJPG)
	w.rm("job1/x/c.jpg")
	w.settle()
	w.expire()
	expire := func(keep time.Duration) {
		w.tx(func(tx *Tx) error {
			tx.now = tx.now.Add(time.Hour * 24)
			_, _, err := tx.Expire(keep, SweepPosition{}, 1000)
			return err
		})
	}
	if expire(48 * time.Hour); w.collect() != 0 || !w.kept("A") || !w.kept("B") || !w.kept("C") {
		t.Error("too early")
	}
	release := w.s.Hold(shaOf("C"))
	releaseToo := w.s.Hold(shaOf("C"))
	if expire(time.Hour); w.collect() != 1 || w.kept("A") || !w.kept("B") || !w.kept("C") {
		t.Error("A is nobody's, B is published, C is held")
	}
	release()
	if w.collect() != 0 || !w.kept("C") {
		t.Error("C is still held once")
	}
	releaseToo()
	// A crash between deleting the files and the commit of the rows.
	crash := errors.New("crash")
	err := w.s.Update(t.Context(), func(tx *Tx) error {
		if n, err := tx.Collect(100); n != 1 || err != nil {
			t.Errorf("%d %v", n, err)
		}
		return crash
	})
	if _, found, ferr := w.s.Original(t.Context(), shaOf("C")); !errors.Is(err, crash) || !found || ferr != nil || w.kept("C") {
		t.Errorf("after the crash: %v %v %v", err, found, ferr)
	}
	if w.collect() != 1 || w.collect() != 0 {
		t.Error("not repeatable")
	}
	w.consistent()
	w.matches()
}

func TestRestoreComesBackUnderTheOldLink(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.settle()
	link := w.link(aJPG)
	w.rm(aJPG)
	w.settle()
	w.expire()
	p, err := w.s.All().Trashed(t.Context(), "acme", aJPG, "")
	w.must(err)
	w.put(aJPG, "A")
	w.tx(func(tx *Tx) error { return tx.Restore(w.acct, p, w.files[aJPG].Identity, "") })
	if w.link(aJPG) != link {
		t.Error("another link")
	}
	w.settle()
	w.expire()
	w.matches()
	// Restore also succeeds if the daemon has processed the file already, or if it is
	// called twice.
	w.tx(func(tx *Tx) error { return tx.Restore(w.acct, p, w.files[aJPG].Identity, "") })
	w.matches()
	w.rm(aJPG)
	w.settle()
	w.expire()
	w.tx(func(tx *Tx) error { _, _, err := tx.EmptyTrash(w.acct.ID, SweepPosition{}, 1000); return err })
	if _, err := w.s.All().Trashed(t.Context(), "acme", aJPG, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("emptied, but: %v", err)
	}
	w.put(aJPG, "A")
	w.settle()
	if w.link(aJPG) == link {
		t.Error("an ended photo's link is used again")
	}
}

// Two photos had the same path one after the other. The first one is restored when the
// file of the second is deleted, but the catalogue does not know that yet.
func TestRestoreOverAPhotoThatIsGone(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put(aJPG, "A")
	w.settle()
	link := w.link(aJPG)
	w.rm(aJPG)
	w.settle()
	w.expire()
	w.put(aJPG, "B")
	w.settle()
	p, err := w.s.All().Trashed(t.Context(), "acme", aJPG, "")
	w.must(err)
	if _, err := w.s.All().Trashed(t.Context(), "acme", aJPG, "00"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another picture: %v", err)
	}
	w.rm(aJPG)
	w.put(aJPG, "A")
	w.tx(func(tx *Tx) error { return tx.Restore(w.acct, p, w.files[aJPG].Identity, "") })
	w.settle()
	w.expire()
	w.consistent()
	w.matches()
	if w.link(aJPG) != link {
		t.Error("another link")
	}
}

// TrimActivity keeps the latest entries of each account, and deletes the others in steps.
func TestActivityIsBounded(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	var other Account
	w.tx(func(tx *Tx) (err error) {
		other, err = tx.AddAccount(Account{Name: "other", Layout: layout.Jobs})
		for i := range 25 {
			err = errors.Join(err, tx.addActivity(Activity{AccountID: w.acct.ID, Event: EventAdded, Path: fmt.Sprint(i)}))
		}
		return errors.Join(err, tx.addActivity(Activity{AccountID: other.ID, Event: EventAdded, Path: "theirs"}))
	})
	steps := 0
	for more := true; more; steps++ {
		if yes, err := w.s.Expired(t.Context(), time.Hour, 10); err != nil || !yes {
			t.Errorf("nothing to do before step %d: %v", steps, err)
		}
		w.tx(func(tx *Tx) (err error) { more, err = tx.TrimActivity(10, 7); return err })
	}
	if yes, err := w.s.Expired(t.Context(), time.Hour, 10); err != nil || yes || steps != 3 {
		t.Errorf("after %d steps there is more to do: %v %v", steps, yes, err)
	}
	left := w.events(ActivityQuery{Account: "acme"})
	if theirs := w.events(ActivityQuery{Account: "other"}); len(left) != 10 || len(theirs) != 1 {
		t.Errorf("left are %q and %q", left, theirs)
	}
	all, err := w.s.View(w.acct.ID).Activity(t.Context(), ActivityQuery{})
	if err != nil || all[0].Path != "24" || all[9].Path != "15" {
		t.Errorf("not the latest: %+v, %v", all, err)
	}
	w.consistent()
}

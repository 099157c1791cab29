package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"picday/internal/layout"
)

// The path of the photos in these tests.
const name1 = "job1/A/IMG_1.jpg"

func (w *world) at(p string) Photo {
	w.Helper()
	all, err := w.s.All().Photos(w.Context(), PhotoQuery{Account: w.acct.Name, Path: p, Show: ShowBoth})
	w.must(err)
	if len(all) != 1 {
		w.Fatalf("%s: %d photos", p, len(all))
	}
	return all[0]
}

// notices returns the paths of the photos that Replaced lists.
func (w *world) notices() (paths []string) {
	w.Helper()
	all, err := w.s.All().Replaced(w.Context(), "", 0, 0)
	w.must(err)
	for _, p := range all {
		paths = append(paths, p.Path)
	}
	counts, err := w.s.All().ReplacedCounts(w.Context())
	w.must(err)
	n := 0
	for _, c := range counts {
		n += c.N
	}
	if n != len(all) {
		w.Errorf("%d counted, %d listed", n, len(all))
	}
	return paths
}

func (w *world) revert(p, sha string) error {
	return w.s.Update(w.Context(), func(tx *Tx) error { _, err := tx.Revert(w.at(p).ID, sha, "eva"); return err })
}

func (w *world) reasonAt(p string) layout.Reason {
	w.Helper()
	u, _, err := w.s.UploadAt(w.Context(), w.acct.ID, p)
	w.must(err)
	return u.Reason
}

// anotherShot tells two different shots from two edits of the same shot.
func TestAnotherShot(t *testing.T) {
	at := time.Date(2026, 5, 4, 9, 8, 7, 0, time.UTC)
	first := Camera{TakenAt: at, Make: "Canon", Model: "EOS R6", Serial: "1"}
	for name, c := range map[string]struct {
		was, is Camera
		told    bool
	}{
		"the same":             {first, first, false},
		"serial":               {first, Camera{TakenAt: at, Model: "EOS R6", Serial: "2"}, true},
		"model":                {first, Camera{TakenAt: at, Model: "EOS R5", Serial: "1"}, true},
		"a second later":       {first, Camera{TakenAt: at.Add(time.Second), Model: "EOS R6", Serial: "1"}, true},
		"in another zone":      {first, Camera{TakenAt: at.In(time.FixedZone("", 0)), Zoned: true, Model: "EOS R6", Serial: "1"}, false},
		"maker written so":     {first, Camera{TakenAt: at, Make: "CANON INC.", Model: " eos r6", Serial: "1"}, false},
		"parts of a second":    {Camera{TakenAt: at.Add(50 * time.Millisecond)}, Camera{TakenAt: at}, false},
		"nothing known before": {Camera{}, first, false},
		"edited, all lost":     {first, Camera{}, false},
		"edited, time kept":    {first, Camera{TakenAt: at}, false},
	} {
		w := newWorld(t, layout.Jobs)
		w.put(name1, "first")
		w.take(name1, c.was)
		w.put(name1, "second")
		if o := w.take(name1, c.is); o != Replaced {
			t.Errorf("%s: %s", name, o)
		}
		if got := len(w.notices()) > 0; got != c.told || slices.Contains(w.at(name1).Flags, "replaced") != c.told {
			t.Errorf("%s: told %v, flags %v", name, got, w.at(name1).Flags)
		}
	}
}

// takenOnceMore returns the camera data of the n-th shot; each has another time.
func takenOnceMore(n int) Camera {
	return Camera{TakenAt: time.Date(2026, 5, 4, 9, n, 0, 0, time.UTC), Model: "EOS R6"}
}

func (w *world) shots(p string, contents ...string) {
	w.Helper()
	for i, c := range contents {
		w.put(p, c)
		w.take(p, takenOnceMore(i))
	}
}

func TestNoticesEnd(t *testing.T) {
	for name, end := range map[string]func(w *world){
		"accepted": func(w *world) {
			w.tx(func(tx *Tx) error { return tx.Accept(w.at(name1).ID, "eva") })
			w.tx(func(tx *Tx) error { return tx.Accept(w.at(name1).ID, "eva") })
		},
		"put back": func(w *world) { w.must(w.revert(name1, "")) },
		"no longer kept": func(w *world) {
			w.tx(func(tx *Tx) error { _, _, err := tx.Expire(-time.Hour, SweepPosition{}, 100); return err })
		},
		"uploaded again":    func(w *world) { w.put("job1/A/IMG_2.jpg", "Ann"); w.take("job1/A/IMG_2.jpg", takenOnceMore(0)) },
		"withdrawn by eva":  func(w *world) { w.tx(func(tx *Tx) error { return tx.WithdrawBy(w.at(name1).ID, "eva") }) },
		"the account ended": func(w *world) { w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, true) }) },
	} {
		w := newWorld(t, layout.Jobs)
		w.shots(name1, "Ann", "Ben")
		if len(w.notices()) != 1 {
			t.Fatal(name)
		}
		end(w)
		if got := w.notices(); len(got) != 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	w := newWorld(t, layout.Jobs)
	w.put("job1/B/x.jpg", "Ann")
	w.take("job1/B/x.jpg", takenOnceMore(0))
	w.shots(name1, "Ann", "Ben")
	if got := w.notices(); len(got) != 0 {
		t.Errorf("shown elsewhere all the time: %v", got)
	}
	p := newWorld(t, layout.Portraits)
	p.shots("acme/user-pictures/12.jpg", "last year", "this year")
	if got := p.notices(); len(got) != 0 {
		t.Errorf("a portrait: %v", got)
	}
}

// Revert shows the earlier picture under the same link again, and no change of the file
// undoes that. If the file is renamed, it becomes a photo of its own.
func TestRevert(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.shots(name1, "Ann", "Ben")
	link := w.at(name1).Link
	w.must(w.revert(name1, ""))
	isAnn := func(what string) {
		t.Helper()
		if p := w.at(name1); p.SHA != shaOf("Ann") || p.Link != link || !p.WithdrawnAt.IsZero() || len(p.Flags) != 0 {
			t.Errorf("%s: %s %s %v %v", what, p.SHA, p.Link, p.WithdrawnAt, p.Flags)
		}
	}
	isAnn("at once")
	if r := w.reasonAt(name1); r != layout.Reverted {
		t.Errorf("the file is %q", r)
	}
	past, err := w.s.All().History(t.Context(), w.at(name1))
	w.must(err)
	if len(past) != 1 || past[0].SHA != shaOf("Ben") {
		t.Errorf("%+v", past)
	}
	w.touch(name1)
	if o := w.take(name1, takenOnceMore(1)); o != AlreadyReverted {
		t.Errorf("touched: %s", o)
	}
	isAnn("touched")
	w.replace(name1, "Ben") // uploaded once more
	if o := w.take(name1, takenOnceMore(1)); o != AlreadyReverted {
		t.Errorf("uploaded again: %s", o)
	}
	isAnn("uploaded again")
	fileless, err := w.s.PhotosWithoutFile(t.Context(), 10)
	w.must(err)
	if len(fileless) != 0 {
		t.Errorf("verify: %+v", fileless)
	}
	w.mv(name1, "job1/A/IMG_2.jpg")
	if o := w.take("job1/A/IMG_2.jpg", takenOnceMore(1)); o != Added {
		t.Errorf("renamed: %s", o)
	}
	w.gone(name1)
	w.expire()
	isAnn("renamed")
	if p := w.at("job1/A/IMG_2.jpg"); p.SHA != shaOf("Ben") || p.Link == link {
		t.Errorf("Ben: %+v", p)
	}
	if fileless, err = w.s.PhotosWithoutFile(t.Context(), 10); err != nil || len(fileless) != 0 {
		t.Errorf("verify: %+v %v", fileless, err)
	}
	// Ann's file is uploaded again: hers is the photo.
	w.put(name1, "Ann")
	w.take(name1, takenOnceMore(0))
	isAnn("with her file")
	if r := w.reasonAt(name1); r != "" {
		t.Errorf("her file is %q", r)
	}
}

func TestRevertForthAndBack(t *testing.T) {
	for _, kind := range []struct {
		layout layout.Kind
		path   string
	}{{layout.Jobs, name1}, {layout.Portraits, "acme/user-pictures/12.jpg"}} {
		w := newWorld(t, kind.layout)
		w.shots(kind.path, "1", "2", "3")
		for _, step := range []struct {
			sha, want string
			reason    layout.Reason
		}{{"", "2", layout.Reverted}, {shaOf("1").String()[:8], "1", layout.Reverted}, {shaOf("3").String(), "3", ""}, {shaOf("1").String(), "1", layout.Reverted}} {
			w.must(w.revert(kind.path, step.sha))
			if p := w.at(kind.path); p.SHA != shaOf(step.want) || w.reasonAt(kind.path) != step.reason {
				t.Errorf("%s, to %s: %s, the file %q", kind.layout, step.want, p.SHA, w.reasonAt(kind.path))
			}
			past, err := w.s.All().History(t.Context(), w.at(kind.path))
			if err != nil || len(past) != 2 {
				t.Errorf("%v: %+v", err, past)
			}
		}
		// A new picture at this path replaces the reverted one.
		w.put(kind.path, "4")
		if o := w.take(kind.path, takenOnceMore(4)); o != Replaced || w.reasonAt(kind.path) != "" || w.at(kind.path).SHA != shaOf("4") {
			t.Errorf("%s: a fourth picture is %s", kind.layout, o)
		}
		w.put(kind.path, "3")
		if o := w.take(kind.path, takenOnceMore(3)); o != Replaced {
			t.Errorf("%s: the third again is %s", kind.layout, o)
		}
	}
}

func TestRevertRefuses(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.shots(name1, "Ann")
	if err := w.revert(name1, ""); !errors.Is(err, ErrNoEarlier) {
		t.Error(err)
	}
	w.shots(name1, "Ben")
	for _, sha := range []string{"ffff", "%", "_", shaOf("Ben").String()} {
		if err := w.revert(name1, sha); !errors.Is(err, ErrNoEarlier) {
			t.Errorf("%s: %v", sha, err)
		}
	}
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(w.at(name1).ID, "eva") })
	if err := w.revert(name1, ""); !errors.Is(err, ErrNotShown) {
		t.Error(err)
	}
	w.tx(func(tx *Tx) error { return tx.RestoreBy(w.at(name1).ID, "eva") })
	// Revert does not show a picture that an operator has withdrawn.
	w.tx(func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO withheld SELECT account_id, job_id, '', ?, 'max' FROM photo WHERE id = ?`, sliceOf(shaOf("Ann")), w.at(name1).ID)
		return err
	})
	if err := w.revert(name1, ""); !errors.Is(err, ErrNotShown) {
		t.Error(err)
	}
	if err := w.s.Update(t.Context(), func(tx *Tx) error { _, err := tx.Revert(999, "", ""); return err }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func sliceOf(h SHA) []byte { return h[:] }

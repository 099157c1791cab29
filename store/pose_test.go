package store

import (
	"errors"
	"testing"

	"picday/internal/layout"
)

// The photo that is exported of a subject is one that it is on, until another is chosen, the
// photo ends or the subject is removed.
func TestAPoseIsChosen(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "two")
	w.settle()
	ann, bob := w.add(Subject{First: "Ann"}), w.add(Subject{First: "Bob"})
	one, two := w.photo("job1/A/1.jpg"), w.photo("job1/A/2.jpg")
	scope := Scope{w.acct.ID, ann.JobID}
	choose := func(s Subject, photo int64) error {
		return w.s.Update(t.Context(), func(tx *Tx) error { return tx.ChoosePose(s.ID, photo, "olga") })
	}
	chosen := func() int64 {
		t.Helper()
		for _, v := range []View{w.s.All(), w.s.View(w.acct.ID)} {
			all, err := v.Poses(t.Context(), scope)
			w.must(err)
			id, err := v.Pose(t.Context(), ann)
			if w.must(err); all[ann.ID] != id || all[bob.ID] != 0 {
				t.Errorf("%v, but %d", all, id)
			}
		}
		id, err := w.s.All().Pose(t.Context(), ann)
		w.must(err)
		return id
	}
	if err := choose(ann, one.ID); !errors.Is(err, ErrNotOfSubject) {
		t.Errorf("a photo of nobody: %v", err)
	}
	w.tx(func(tx *Tx) error {
		for _, a := range []Assignment{{PhotoID: one.ID, SubjectID: ann.ID, Way: ByOperator}, {PhotoID: two.ID, SubjectID: ann.ID, Way: ByOperator}} {
			if _, err := tx.Assign(a); err != nil {
				return err
			}
		}
		return nil
	})
	for _, want := range []int64{one.ID, two.ID, 0, one.ID} {
		if err := choose(ann, want); err != nil || chosen() != want {
			t.Errorf("%d: %v, chosen is %d", want, err, chosen())
		}
	}
	if err := choose(bob, one.ID); !errors.Is(err, ErrNotOfSubject) {
		t.Errorf("another one's photo: %v", err)
	}
	if _, err := w.s.View(w.acct.ID+1).Poses(t.Context(), scope); !errors.Is(err, ErrNotFound) {
		t.Errorf("of another account: %v", err)
	}
	w.tx(func(tx *Tx) error { return tx.RemoveSubject(ann.ID) })
	if all, err := w.s.All().Poses(t.Context(), scope); err != nil || len(all) != 0 || chosen() != 0 {
		t.Errorf("after the removal: %v, %v, %d", all, err, chosen())
	}
}

// What is cut off is a rule of each job or school; a person's word about one photo goes
// before it, and holds for that picture alone.
func TestWhatIsCutOff(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	one, two := Scope{w.acct.ID, w.job("job1").ID}, Scope{w.acct.ID, w.job("job2").ID}
	for _, s := range []Scope{one, two, {AccountID: w.acct.ID}} {
		if top, err := w.s.All().CropTop(t.Context(), s); err != nil || top != DefaultCropTop {
			t.Errorf("%d, %v", top, err)
		}
	}
	w.tx(func(tx *Tx) error {
		return errors.Join(tx.SetCropTop(one, 10), tx.SetCropTop(one, 0), tx.SetCropTop(Scope{AccountID: w.acct.ID}, 50))
	})
	for s, want := range map[Scope]int{one: 0, two: DefaultCropTop, {AccountID: w.acct.ID}: 50} {
		if top, err := w.s.View(w.acct.ID).CropTop(t.Context(), s); err != nil || top != want {
			t.Errorf("%+v: %d, %v", s, top, err)
		}
	}
	if _, err := w.s.View(w.acct.ID+1).CropTop(t.Context(), one); !errors.Is(err, ErrNotFound) {
		t.Errorf("of another account: %v", err)
	}
	p := w.photo("job1/A/1.jpg")
	crop := func() Crop {
		t.Helper()
		c, err := w.s.All().CropOf(t.Context(), w.photo("job1/A/1.jpg"))
		if w.must(err); c == nil {
			return Crop{-1, -1}
		}
		return *c
	}
	for _, c := range []Crop{{50, 0}, {0, 100}} {
		w.tx(func(tx *Tx) error { return tx.SetCrop(p.ID, c, "olga") })
		if crop() != c {
			t.Errorf("%+v instead of %+v", crop(), c)
		}
	}
	for _, c := range []Crop{{-1, 0}, {0, 101}} {
		if err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.SetCrop(p.ID, c, "olga") }); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	w.put("job1/A/1.jpg", "another picture")
	w.settle()
	if crop() != (Crop{-1, -1}) {
		t.Error("the crop of the earlier picture holds for another one")
	}
	w.tx(func(tx *Tx) error { return errors.Join(tx.SetCrop(p.ID, Crop{1, 2}, "olga"), tx.DropCrop(p.ID)) })
	if crop() != (Crop{-1, -1}) {
		t.Error("dropped, and holds")
	}
	if err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.SetCrop(p.ID+99, Crop{}, "olga") }); !errors.Is(err, ErrNotFound) {
		t.Errorf("no photo: %v", err)
	}
}

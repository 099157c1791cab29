package store

import (
	"errors"
	"fmt"
	"testing"

	"picday/internal/layout"
)

// assigned returns who is on a photo, and each subject's count of published photos.
func (w *world) assigned(p Photo, counts ...Subject) string {
	w.Helper()
	all, err := w.s.All().SubjectsOf(w.Context(), p)
	w.must(err)
	text := ""
	for _, s := range all {
		text += s.First + " "
	}
	for _, s := range counts {
		text += fmt.Sprint(w.subject(s.ID).Photos)
	}
	return text
}

// A photo can be assigned to several subjects, and what assigns and unassigns it is one
// change of the photo and of the subject for whoever follows them.
func TestAssigningChangesThePhoto(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/card.jpg", "card")
	w.put("job1/A/1.jpg", "one")
	w.settle()
	ann, bob := w.add(Subject{First: "Ann"}), w.add(Subject{First: "Bob"})
	card, p := w.photo("job1/A/card.jpg"), w.photo("job1/A/1.jpg")
	assign := func(s Subject, way Way) (changed bool) {
		w.tx(func(tx *Tx) (err error) {
			a := Assignment{PhotoID: p.ID, SubjectID: s.ID, Way: way, Operator: "olga"}
			if way == ByCard {
				a.CardID, a.Operator = card.ID, ""
			}
			changed, err = tx.Assign(a)
			return err
		})
		return changed
	}
	for i, step := range []struct {
		changed bool
		want    string
		do      func() bool
	}{
		{true, "Ann 10", func() bool { return assign(ann, ByCard) }},
		{true, "Ann Bob 11", func() bool { return assign(bob, ByCard) }},
		{false, "Ann Bob 11", func() bool { return assign(bob, ByOperator) }},
		{true, "Bob 01", func() (changed bool) {
			w.tx(func(tx *Tx) (err error) { changed, err = tx.Unassign(p.ID, ann.ID); return err })
			return changed
		}},
		{false, "Bob 01", func() (changed bool) {
			w.tx(func(tx *Tx) (err error) { changed, err = tx.Unassign(p.ID, ann.ID); return err })
			return changed
		}},
		{true, "Ann Bob 11", func() bool { return assign(ann, ByCard) }},
	} {
		before := w.photo("job1/A/1.jpg").ChangedAt
		if changed := step.do(); changed != step.changed || (w.photo("job1/A/1.jpg").ChangedAt > before) != step.changed {
			t.Errorf("%d: changed: %v", i, changed)
		}
		if got := w.assigned(p, ann, bob); got != step.want {
			t.Errorf("%d: %q instead of %q", i, got, step.want)
		}
	}
	all, err := w.s.All().AssignmentsOf(t.Context(), p)
	if w.must(err); len(all) != 2 || all[0].Way != ByCard || all[0].CardID != card.ID || all[1].Way != ByOperator || all[1].Operator != "olga" || all[1].CardID != 0 {
		t.Errorf("%+v", all)
	}
	photos, err := w.s.All().PhotosOf(t.Context(), ann, 10)
	if w.must(err); len(photos) != 1 || photos[0].ID != p.ID {
		t.Errorf("%+v", photos)
	}
	w.tx(func(tx *Tx) error { // a card that has ended leaves the assignment
		if _, err := tx.exec(`DELETE FROM upload WHERE photo_id = ?`, card.ID); err != nil {
			return err
		}
		return tx.execOne(`DELETE FROM photo WHERE id = ?`, card.ID)
	})
	w.tx(func(tx *Tx) error { all, err = tx.AssignmentsOf(p.ID); return err })
	if len(all) != 2 || all[0].CardID != 0 {
		t.Errorf("without the card: %+v", all)
	}
	w.tx(func(tx *Tx) error { return tx.RemoveSubject(bob.ID) })
	if got := w.assigned(p, ann); got != "Ann 1" {
		t.Errorf("without Bob: %q", got)
	}
}

// A photo is never assigned to somebody of another account or job, and one that is moved
// to another job belongs to nobody there.
func TestAPhotoBelongsToNobodyOfAnotherJob(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	p := w.photo("job1/A/1.jpg")
	ann, foreign := w.add(Subject{First: "Ann"}), w.add(Subject{First: "Foreign", JobID: w.job("job2").ID})
	var alien Subject
	w.tx(func(tx *Tx) error {
		other, err := tx.AddAccount(Account{Name: "other", Layout: layout.Portraits})
		if err == nil {
			alien, err = tx.AddSubject(Subject{AccountID: other.ID, Kind: Person, First: "Alien"})
		}
		return err
	})
	for _, s := range []Subject{foreign, alien} {
		w.refuses("of another account or job", func(tx *Tx) error {
			_, err := tx.Assign(Assignment{PhotoID: p.ID, SubjectID: s.ID, Way: ByOperator})
			return err
		})
	}
	w.tx(func(tx *Tx) error {
		_, err := tx.Assign(Assignment{PhotoID: p.ID, SubjectID: ann.ID, Way: ByOperator})
		return err
	})
	w.mv("job1/A/1.jpg", "job2/A/1.jpg")
	w.settle()
	if got := w.assigned(w.photo("job2/A/1.jpg"), ann, foreign); got != "00" {
		t.Errorf("moved: %q", got)
	}
}

// The count of a subject's photos is that of its published ones, however they come and go.
func TestASubjectsPhotosAreCounted(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.put("job1/A/2.jpg", "two")
	w.settle()
	ann := w.add(Subject{First: "Ann"})
	for _, name := range []string{"job1/A/1.jpg", "job1/A/2.jpg"} {
		w.tx(func(tx *Tx) error {
			_, err := tx.Assign(Assignment{PhotoID: w.photo(name).ID, SubjectID: ann.ID, Way: ByRoster})
			return err
		})
	}
	count := func(want int, when string) {
		t.Helper()
		if n := w.subject(ann.ID).Photos; n != want {
			t.Errorf("%s: %d instead of %d", when, n, want)
		}
	}
	count(2, "two")
	w.tx(func(tx *Tx) error { return tx.WithdrawBy(w.photo("job1/A/1.jpg").ID, "olga") })
	count(1, "one withdrawn")
	w.mv("job1/A/1.jpg", "job2/A/1.jpg")
	w.settle()
	count(1, "the withdrawn one moved to another job")
	w.tx(func(tx *Tx) error { return tx.RestoreBy(w.photo("job2/A/1.jpg").ID, "olga") })
	count(1, "and published there")
	w.rm("job1/A/2.jpg")
	w.settle()
	w.expire()
	count(0, "deleted")
	w.tx(func(tx *Tx) error {
		tx.now = tx.now.AddDate(1, 0, 0)
		_, _, err := tx.Expire(1, SweepPosition{}, 100)
		return err
	})
	count(0, "expired")
}

// A portrait is of the subject with its ID, whichever of the two came first.
func TestAPortraitIsOfTheSubjectWithItsID(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	ann := w.add(Subject{First: "Ann", ExternalID: "0123"})
	bob := w.add(Subject{First: "Bob", ExternalID: "9"})
	w.put("p/0123.jpg", "ann")
	w.put("p/7.jpg", "cleo")
	w.settle()
	cleo := w.add(Subject{First: "Cleo", ExternalID: "7"})
	check := func(want string) {
		t.Helper()
		got := w.assigned(w.photo("0123")) + w.assigned(w.photo("7"), ann, bob, cleo)
		if got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	check("Ann Cleo 101")
	cleo.ExternalID = "8"
	w.tx(func(tx *Tx) error { return tx.UpdateSubject(cleo) })
	check("Ann 100")
	bob.ExternalID = "7"
	w.tx(func(tx *Tx) error { return tx.UpdateSubject(bob) })
	check("Ann Bob 110")
	if photos, err := w.s.All().PhotosOf(t.Context(), ann, 5); err != nil || len(photos) != 1 || photos[0].Person != "0123" {
		t.Errorf("%+v, %v", photos, err)
	}
	w.rm("p/0123.jpg")
	w.settle()
	w.expire()
	check("Ann Bob 010")
	if _, err := w.s.All().SubjectByID(t.Context(), w.acct.ID, 0, "10"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

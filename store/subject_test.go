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

// add adds a subject of job1, or of the account in the portraits layout.
func (w *world) add(s Subject) Subject {
	w.Helper()
	s.AccountID = w.acct.ID
	if s.Kind == "" {
		s.Kind = Person
	}
	if w.acct.Layout == layout.Jobs && s.JobID == 0 {
		s.JobID = w.job("job1").ID
	}
	w.tx(func(tx *Tx) (err error) { s, err = tx.AddSubject(s); return err })
	return s
}

func (w *world) job(name string) Job {
	w.Helper()
	j, err := w.s.All().Job(w.Context(), "acme", name)
	w.must(err)
	return j
}

func (w *world) subject(id int64) Subject {
	w.Helper()
	s, err := w.s.All().Subject(w.Context(), id)
	w.must(err)
	return s
}

func (w *world) photo(path string) Photo {
	w.Helper()
	p, err := w.s.All().Named(w.Context(), path, path)
	w.must(err)
	return p
}

// refuses runs a transaction that must fail with an error that has want.
func (w *world) refuses(want string, fn func(*Tx) error) {
	w.Helper()
	if err := w.s.Update(context.Background(), fn); err == nil || !strings.Contains(err.Error(), want) {
		w.Errorf("%v instead of %q", err, want)
	}
}

// No code of an account is given out twice: also not after another code took its place,
// and not after its subject was removed.
func TestACodeIsNeverGivenOutAgain(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	ann := w.add(Subject{Code: "K7Q2", First: "Ann", ExternalID: "0123", More: map[string]string{"House": "Red"}})
	w.refuses("no code is given out twice", func(tx *Tx) error {
		_, err := tx.AddSubject(Subject{AccountID: w.acct.ID, JobID: w.job("job2").ID, Kind: Person, Code: "k7q2"})
		return err
	})
	w.refuses(`"0123": somebody else has this ID`, func(tx *Tx) error {
		_, err := tx.AddSubject(Subject{AccountID: w.acct.ID, JobID: ann.JobID, Kind: Person, ExternalID: "0123"})
		return err
	})
	ann.Code = "NEW1"
	w.tx(func(tx *Tx) error { return tx.UpdateSubject(ann) })
	for _, code := range []string{"K7Q2", " k7q2 ", "new1"} {
		s, err := w.s.View(w.acct.ID).SubjectByCode(t.Context(), w.acct.ID, code)
		if err != nil || s.ID != ann.ID || s.First != "Ann" || s.More["House"] != "Red" || s.Code != "NEW1" {
			t.Errorf("%q: %+v, %v", code, s, err)
		}
	}
	w.tx(func(tx *Tx) error { return tx.RemoveSubject(ann.ID) })
	for _, code := range []string{"K7Q2", "NEW1"} {
		w.refuses("nobody has this code any more", func(tx *Tx) error {
			_, _, err := tx.SubjectForCode(w.acct.ID, ann.JobID, code)
			return err
		})
		w.refuses("no code is given out twice", func(tx *Tx) error {
			_, err := tx.AddSubject(Subject{AccountID: w.acct.ID, JobID: ann.JobID, Kind: Person, Code: code})
			return err
		})
	}
	if s := w.subject(ann.ID); s.RemovedAt.IsZero() || s.Name() != "" || s.ExternalID != "" || s.More["House"] != "" || s.ChangedAt <= ann.ChangedAt {
		t.Errorf("after its removal: %+v", s)
	}
	w.add(Subject{ExternalID: "0123"}) // an ID can come back, with somebody else's code
}

// A code that nobody has makes an unnamed subject of the job, unless the job refuses it.
func TestAnUnknownCodeMakesAnUnnamedSubject(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	j1, j2 := w.job("job1"), w.job("job2")
	get := func(job Job, code string) (s Subject, added bool, err error) {
		err = w.s.Update(t.Context(), func(tx *Tx) (err error) { s, added, err = tx.SubjectForCode(w.acct.ID, job.ID, code); return err })
		return s, added, err
	}
	s, added, err := get(j1, "12345")
	if err != nil || !added || s.JobID != j1.ID || s.Name() != "" || s.Kind != Person {
		t.Fatalf("%+v, %v, %v", s, added, err)
	}
	again, added, err := get(j2, "12345")
	if err != nil || added || again.ID != s.ID || again.Job != "job1" {
		t.Errorf("from another job: %+v, %v, %v", again, added, err)
	}
	w.tx(func(tx *Tx) error { return tx.RefuseUnknownCodes(j2.ID, true) })
	if _, _, err := get(j2, "777"); !errors.Is(err, ErrCodeRefused) {
		t.Errorf("refused: %v", err)
	}
	if _, err := w.s.All().SubjectByCode(t.Context(), w.acct.ID, "777"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after it was refused: %v", err)
	}
	if _, _, err := get(j1, "a\nb"); err == nil {
		t.Error("a code with a line break was taken")
	}
	w.refuses("account or job of a subject: not found", func(tx *Tx) error {
		_, err := tx.AddSubject(Subject{AccountID: w.acct.ID + 1, JobID: j1.ID, Kind: Person})
		return err
	})
}

// Subjects are listed by class, last and first name as people order them, page after page,
// forwards and backwards, and in the order of their changes.
func TestSubjectsAreListedInNaturalOrder(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	var want []string
	for _, class := range []string{"", "2a", "10b"} {
		for _, name := range []string{"Abel Zoe", "Äbel Ann", "Meier Al", "Meier Bo"} {
			want = append(want, class+" "+name)
		}
	}
	want[0], want[1], want[4], want[5], want[8], want[9] = want[1], want[0], want[5], want[4], want[9], want[8]
	mixed := slices.Clone(want)
	w.rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	for _, text := range mixed {
		f := strings.Split(text, " ")
		w.add(Subject{Class: f[0], Last: f[1], First: f[2]})
	}
	w.add(Subject{Class: "2a", JobID: w.job("job2").ID, First: "of another job"})
	list := func(q SubjectQuery) (got []string) {
		q.AccountID = w.acct.ID
		for q.Limit = 3; ; {
			page, err := w.s.View(w.acct.ID).Subjects(t.Context(), q)
			w.must(err)
			var names []string
			for _, s := range page {
				names = append(names, s.Class+" "+s.Last+" "+s.First)
			}
			if q.Backwards {
				got = append(names, got...)
			} else {
				got = append(got, names...)
			}
			if len(page) < q.Limit {
				return got
			}
			if q.After = page[len(page)-1].Key(q.ByChange); q.Backwards {
				q.After = page[0].Key(q.ByChange)
			}
		}
	}
	j := w.job("job1").ID
	for _, c := range []struct {
		q    SubjectQuery
		want []string
	}{
		{SubjectQuery{JobID: j}, want},
		{SubjectQuery{JobID: j, Backwards: true}, want},
		{SubjectQuery{JobID: j, Class: "2a"}, want[4:8]},
		{SubjectQuery{JobID: j, Class: "2A"}, nil},
		{SubjectQuery{JobID: j, Kind: Group}, nil},
		{SubjectQuery{JobID: j, Listed: true}, nil},
		{SubjectQuery{JobID: j, Missing: true}, want},
		{SubjectQuery{JobID: j, WithPhoto: true}, nil},
		{SubjectQuery{JobID: j, ByChange: true}, mixed},
		{SubjectQuery{JobID: j, ByChange: true, Backwards: true}, mixed},
		{SubjectQuery{ByChange: true}, append(slices.Clone(mixed), "2a  of another job")},
	} {
		if got := list(c.q); !slices.Equal(got, c.want) {
			t.Errorf("%+v:\n%q instead of\n%q", c.q, got, c.want)
		}
	}
	if got := list(SubjectQuery{Missing: true}); len(got) != len(want)+1 {
		t.Errorf("all of the account: %q", got)
	}
	classes, err := w.s.All().Classes(t.Context(), w.acct.ID, j)
	if w.must(err); fmt.Sprint(classes) != "[{ 4 4} {2a 4 4} {10b 4 4}]" {
		t.Errorf("%+v", classes)
	}
	if all, err := w.s.All().Classes(t.Context(), w.acct.ID, 0); err != nil || len(all) != 3 {
		t.Errorf("%+v, %v", all, err)
	}
}

// Who follows the subjects by their changes hears of each, also of a removal.
func TestChangedSubjectsAreFollowed(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	v := w.s.View(w.acct.ID)
	ann, bob := w.add(Subject{First: "Ann"}), w.add(Subject{First: "Bob"})
	since := bob.ChangedAt
	news := func() (got string) {
		for _, q := range []SubjectQuery{{}, {AccountID: w.acct.ID}, {AccountID: w.acct.ID, JobID: ann.JobID}} {
			q.ByChange, q.ChangedSince, q.Limit = true, since, 10
			all, err := v.Subjects(t.Context(), q)
			w.must(err)
			if all2, err := w.s.All().Subjects(t.Context(), q); err != nil || len(all2) != len(all) {
				t.Errorf("%+v, %v", all2, err)
			}
			for _, s := range all {
				got += fmt.Sprint(s.First, !s.RemovedAt.IsZero(), " ")
				since = max(since, 0)
			}
			got += "/"
		}
		return got
	}
	if got := news(); got != "///" {
		t.Error(got)
	}
	ann.First = "Anna"
	w.tx(func(tx *Tx) error { return tx.UpdateSubject(ann) })
	w.tx(func(tx *Tx) error { return tx.RemoveSubject(bob.ID) })
	if got := news(); got != "Annafalse true /Annafalse true /Annafalse true /" {
		t.Error(got)
	}
}

// A view of one account finds and lists nobody of another.
func TestAViewShowsNoSubjectOfAnotherAccount(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	ann := w.add(Subject{Code: "K7Q2", ExternalID: "1"})
	other := w.s.View(w.acct.ID + 1)
	_, err1 := other.Subject(t.Context(), ann.ID)
	_, err2 := other.SubjectByCode(t.Context(), w.acct.ID, "K7Q2")
	_, err3 := other.SubjectByID(t.Context(), w.acct.ID, ann.JobID, "1")
	_, err4 := other.Subjects(t.Context(), SubjectQuery{AccountID: w.acct.ID, JobID: ann.JobID})
	_, err5 := other.Classes(t.Context(), w.acct.ID, ann.JobID)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if all, err := other.Subjects(t.Context(), SubjectQuery{ByChange: true}); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if s, err := w.s.View(w.acct.ID).SubjectByID(t.Context(), w.acct.ID, ann.JobID, "1"); err != nil || s.ID != ann.ID {
		t.Errorf("%+v, %v", s, err)
	}
}

// An account that is removed with its files takes the names, codes and assignments along;
// one that is kept keeps them. A job with subjects cannot be removed.
func TestNamesGoWithTheirAccount(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	ann := w.add(Subject{First: "Ann"})
	w.put("job1/A/1.jpg", "one")
	w.settle()
	w.tx(func(tx *Tx) error {
		_, err := tx.Assign(Assignment{PhotoID: w.photo("job1/A/1.jpg").ID, SubjectID: ann.ID, Way: ByOperator})
		return err
	})
	w.tx(func(tx *Tx) error {
		return errors.Join(tx.ChoosePose(ann.ID, w.photo("job1/A/1.jpg").ID, "olga"), tx.SetCropTop(Scope{w.acct.ID, ann.JobID}, 5), tx.SetCropTop(Scope{AccountID: w.acct.ID}, 5))
	})
	w.add(Subject{JobID: w.job("job2").ID})
	w.refuses("roster", func(tx *Tx) error { return tx.RemoveJob(w.acct, w.job("job2"), "") })
	w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, false) })
	if s := w.subject(ann.ID); s.First != "Ann" || s.Photos != 1 {
		t.Errorf("kept: %+v", s)
	}
	w.tx(func(tx *Tx) error { return tx.RemoveAccount(w.acct, true) })
	for _, table := range []string{"subject", "subject_code", "subject_photo", "roster", "pose", "crop_rule"} {
		if n, err := column[int](t.Context(), w.s.read, `SELECT count(1) FROM `+table); err != nil || n[0] != 0 {
			t.Errorf("%s: %d, %v", table, n, err)
		}
	}
}

package people

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"picday/internal/contract"
	"picday/internal/failure"
	"picday/internal/qr"
	"picday/internal/tables"
	"picday/internal/test/uploads"
	"picday/store"
)

// shoot publishes so many photos of job1/A, IMG_0001 and on, of which some show cards.
func shoot(s *uploads.Site, n int, cards map[int]string) (all []store.Photo) {
	s.Helper()
	for i := 1; i <= n; i++ {
		path := fmt.Sprintf("acme/job1/A/IMG_%04d.jpg", i)
		s.Write(path, path)
		p := s.Publish(path)
		found := &qr.Found{}
		if cards[i] != "" {
			found.Codes = []qr.Code{{Text: cards[i]}}
		}
		s.Update(func(tx *store.Tx) error { return tx.SetCodes(p.SHA, found) })
		all = append(all, p)
	}
	return all
}

func regroup(s *uploads.Site) {
	s.Helper()
	job := s.Job("job1")
	s.Update(func(tx *store.Tx) error {
		_, err := tx.Regroup(store.DueAlbum{JobID: job.ID, Album: "A"}, 100)
		return err
	})
}

// The rules of a job are shown and changed; what is no rule changes nothing.
func TestTheRulesOfAJob(t *testing.T) {
	s := uploads.New(t)
	p := Of(s.Store, s.Acme, "job1")
	for _, c := range []struct {
		x    Rules
		want contract.CardRules
	}{
		{Rules{}, contract.CardRules{Card: "before", Unknown: "take", QuietSeconds: 600}},
		{Rules{Card: "after", Quiet: "30m"}, contract.CardRules{Card: "after", Unknown: "take", QuietSeconds: 1800}},
		{Rules{Unknown: "refuse", Quiet: "0s"}, contract.CardRules{Card: "after", Unknown: "refuse"}},
		{Rules{Card: "before", Unknown: "take"}, contract.CardRules{Card: "before", Unknown: "take"}},
	} {
		if got, err := c.x.Run(t.Context(), p); got != c.want || err != nil {
			t.Errorf("%+v: %+v %v", c.x, got, err)
		}
		if got, err := (&Rules{}).Run(t.Context(), p); got != c.want || err != nil {
			t.Errorf("%+v is not kept: %+v %v", c.x, got, err)
		}
	}
	for _, x := range []Rules{{Card: "first"}, {Unknown: "no"}, {Quiet: "10"}, {Quiet: "-1s"}, {Quiet: "9999h"}} {
		if _, err := x.Run(t.Context(), p); !failure.IsUsage(err) {
			t.Errorf("%+v: %v", x, err)
		}
	}
	if _, err := (&Rules{}).Run(t.Context(), Of(s.Store, s.Acme, "job9")); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
}

// A proposal is listed with its photos, and decided about once; each way back is another
// link. Whoever comes too late is told so.
func TestProposalsAreDecidedAbout(t *testing.T) {
	s := uploads.New(t)
	all := shoot(s, 4, map[int]string{1: "K7Q2"})
	regroup(s)
	s.Update(func(tx *store.Tx) error { return tx.SetCardRules(s.Job("job1"), store.CardRules{}) })
	time.Sleep(2 * time.Millisecond) // the album is quiet once the clock has gone on
	regroup(s)
	list := func(state string) []contract.Proposal {
		got, err := Proposals(&state)(t.Context(), s.Store, "acme")
		s.Must(err)
		return got
	}
	if got := list("all"); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	propose := func(code string) string {
		s.Update(func(tx *store.Tx) error { return tx.SayCard(all[0].ID, code, "eva") })
		regroup(s)
		open := list("open")
		if len(open) != 1 || len(open[0].Photos) != 3 {
			t.Fatalf("%+v", open)
		}
		return fmt.Sprint(open[0].ID)
	}
	decide := func(decision, number string) (string, error) {
		said, err := Decide(t.Context(), s.Store, decision, number)
		return strings.Join(said, " "), err
	}
	id := propose("ABCD")
	if row := strings.Join(tables.Proposals.Row(list("open")[0]), "|"); !strings.Contains(row, "K7Q2 → ABCD|3 from job1/A/IMG_0002.jpg") {
		t.Error(row)
	}
	if _, err := decide("undo", id); !failure.IsRefusal(err) {
		t.Error("undone before it was approved:", err)
	}
	if said, err := decide("approve", id); err != nil || !strings.Contains(said, "new links") {
		t.Error(said, err)
	}
	approved := s.Photo("acme/job1/A/IMG_0002.jpg").Link
	if approved == all[1].Link {
		t.Error("approved, with the old link")
	}
	if _, err := decide("approve", id); !failure.IsRefusal(err) || !strings.Contains(err.Error(), "waits no more") {
		t.Error("approved twice:", err)
	}
	if _, err := decide("reject", id); !failure.IsRefusal(err) {
		t.Error("rejected after it was approved:", err)
	}
	if said, err := decide("undo", id); err != nil || s.Photo("acme/job1/A/IMG_0002.jpg").Link == approved {
		t.Error(said, err)
	}
	if len(list("open")) != 0 || len(list("undone")) != 1 || len(list("all")) != 1 {
		t.Errorf("%+v", list("all"))
	}
	for number, want := range map[string]string{"99": "not found", "x": "no number", "-1": "not found", "99999999999999999999": "no number"} {
		if _, err := decide("approve", number); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", number, err)
		}
	}
}

// Whoever is removed is forgotten; the photos stay, and the code is nobody else's.
func TestAPersonIsForgotten(t *testing.T) {
	s := uploads.New(t)
	shoot(s, 2, map[int]string{1: "K7Q2"})
	p := Of(s.Store, s.Acme, "job1")
	if _, err := run(t, Import{}, p, "ID;Last;First;Code\n0012;Abel;Ann;K7Q2\n"); err != nil {
		t.Fatal(err)
	}
	regroup(s)
	if _, err := p.Remove(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	if _, err := Of(s.Store, s.Acme, "job2").Remove(t.Context(), "K7Q2"); !errors.Is(err, store.ErrNotFound) {
		t.Error("of another job:", err)
	}
	said, err := p.Remove(t.Context(), "0012")
	if err != nil || !strings.Contains(strings.Join(said, " "), "Ann Abel is forgotten") || len(said) != 2 {
		t.Error(said, err)
	}
	if all, err := p.List(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("%+v %v", all, err)
	}
	if s.Photo("acme/job1/A/IMG_0002.jpg").ID == 0 {
		t.Error("the photo has gone")
	}
	if _, err := p.Remove(t.Context(), "K7Q2"); !errors.Is(err, store.ErrNotFound) {
		t.Error("twice:", err)
	}
}

// Who has only the photo of a card is missing too, and the card is named.
func TestOnlyACard(t *testing.T) {
	s := uploads.New(t)
	shoot(s, 2, map[int]string{1: "K7Q2", 2: "https://example.org/c/ABCD?x=1"})
	p := Of(s.Store, s.Acme, "job1")
	if _, err := run(t, Import{}, p, "ID;Last;First;Code\n1;Abel;Ann;K7Q2\n2;Berg;Bo;ABCD\n3;Cole;Cy;EFGH\n"); err != nil {
		t.Fatal(err)
	}
	regroup(s)
	all, err := p.Missing(t.Context())
	s.Must(err)
	got := ""
	for _, m := range all {
		got += fmt.Sprintf("%s %s %s; ", m.Last, m.Why, m.Path)
	}
	if got != "Abel only-card job1/A/IMG_0001.jpg; Berg only-card job1/A/IMG_0002.jpg; Cole no-photo ; " {
		t.Error(got)
	}
}

// Portraits of IDs that are almost one on the list, and the other way round, are named with
// each other.
func TestIDsThatAreAlmostTheSame(t *testing.T) {
	s := uploads.New(t)
	for _, id := range []string{"123", "77", "0045"} {
		path := "lincoln/lincoln/user-pictures/" + id + ".jpg"
		s.Write(path, id)
		s.Publish(path)
	}
	p := Of(s.Store, s.Lincoln)
	if _, err := run(t, Import{}, p, "ID;Last\n0123;Abel\n0045;Berg\n9;Cole\n"); err != nil {
		t.Fatal(err)
	}
	all, err := p.Missing(t.Context())
	s.Must(err)
	got := ""
	for _, m := range all {
		got += fmt.Sprintf("%s %s %s; ", m.ExternalID, m.Why, m.Near)
	}
	if got != "0123 no-photo 123; 9 no-photo ; 77 not-listed ; 123 not-listed 0123; " {
		t.Error(got)
	}
}

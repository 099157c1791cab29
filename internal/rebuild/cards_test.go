package rebuild

import (
	"errors"
	"os"
	"strings"
	"testing"

	"picday/internal/qr"
	"picday/internal/roster"
	"picday/internal/test/uploads"
	"picday/store"
)

// shown tells whether the link of a photo shows it.
func shown(s *uploads.Site, p store.Photo) bool {
	s.Helper()
	links, err := s.Store.OpenLinks(s.Context(), "large")
	s.Must(err)
	defer links.Close()
	all := 0
	for _, size := range []string{"", "large"} {
		_, err := links.Published(p.Link, size)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.Fatal(err)
		}
		if err == nil {
			all++
		}
	}
	if all == 1 {
		s.Errorf("%s is shown in one size only", p.Path)
	}
	return all > 0
}

// What the manifest did not know to be a card is shown by no link until codes were looked
// for, and people, lists, assignments and proposals are as the manifest knows them.
func TestARebuiltCatalogueShowsNoCardAndKnowsPeople(t *testing.T) {
	s := uploads.New(t)
	all := publish(s, "acme/job1/A/IMG_0001.jpg", "acme/job1/A/IMG_0002.jpg", "acme/job1/A/IMG_0003.jpg", "acme/job1/A/IMG_0004.jpg", "lincoln/lincoln/user-pictures/12.jpg")
	card, later, child, typed := all[0], all[1], all[2], all[3]
	codes := func(p store.Photo, texts ...string) {
		f := &qr.Found{}
		for _, text := range texts {
			f.Codes = append(f.Codes, qr.Code{Text: text})
		}
		s.Update(func(tx *store.Tx) error { return tx.SetCodes(p.SHA, f) })
	}
	job := s.Job("job1")
	file := store.RosterFile{Scope: store.Scope{AccountID: s.Acme.ID, JobID: job.ID}, File: "list.csv", Content: []byte("ID;Last name;First name;Code\n0012;Meier;Anna;K7Q2\n")}
	list, err := roster.Parse(file.Content)
	s.Must(err)
	s.Update(func(tx *store.Tx) error {
		if _, err := tx.TakeRoster(file, list, false); err != nil {
			return err
		}
		return tx.SayCard(typed.ID, "K7Q2", "eva")
	})
	codes(card, "K7Q2")
	s.Update(func(tx *store.Tx) error {
		_, err := tx.Regroup(store.DueAlbum{JobID: job.ID, Album: "A"}, 100)
		return err
	})
	who := func() (all string) {
		for _, p := range []store.Photo{later, child} {
			subjects, err := s.Store.All().SubjectsOf(t.Context(), p)
			s.Must(err)
			for _, x := range subjects {
				all += p.File + "=" + x.Name() + " "
			}
		}
		return all
	}
	before := who()
	if before != "IMG_0002.jpg=Anna Meier IMG_0003.jpg=Anna Meier " || shown(s, card) || shown(s, typed) || !shown(s, later) || !shown(s, child) {
		t.Fatalf("this test cannot see: %q", before)
	}
	s.Must(s.Store.WriteManifest(t.Context()))
	codes(later, "ABCD") // after the manifest it was found to be a card
	codes(child)
	if shown(s, later) {
		t.Fatal("this test cannot see: a card is shown")
	}
	lose(s, os.Remove)

	report, err := Run(t.Context(), configOf(s))
	s.Must(err)
	reopen(s)
	if report.Held != 2 || !strings.Contains(strings.Join(report.Unknown, "\n"), "proposals") {
		t.Errorf("%+v", report)
	}
	if shown(s, card) || shown(s, typed) {
		t.Error("a card that the manifest knows is shown")
	}
	if shown(s, later) || shown(s, child) {
		t.Error("a picture that may be a card is shown before it was looked at")
	}
	if !shown(s, all[4]) {
		t.Error("a portrait is not shown")
	}
	if after := who(); after != before {
		t.Errorf("%q is on the photos, not %q", after, before)
	}
	if lists, err := s.Store.All().Rosters(t.Context(), file.Scope); len(lists) != 1 || err != nil {
		t.Errorf("lists: %v %v", lists, err)
	}
	stamp := s.Photo("acme/job1/A/IMG_0003.jpg").ChangedAt
	codes(later, "ABCD")
	codes(child)
	if shown(s, later) || !shown(s, child) {
		t.Error("after codes were looked for:", shown(s, later), shown(s, child))
	}
	if now := s.Photo("acme/job1/A/IMG_0003.jpg").ChangedAt; now <= stamp {
		t.Error("a follower is not told that it is shown")
	}
}

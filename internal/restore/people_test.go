package restore

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"picday/internal/roster"
	"picday/store"
)

// addPeople takes a list, has IMG_0001 show the card of somebody who is on IMG_0002 and a
// change of that wait, and makes it unknown whether GRP_001 shows a card.
func (s *site) addPeople(old *store.Store, acme store.Account) {
	s.Helper()
	ids := map[string]store.Photo{}
	for _, p := range s.photos(old) {
		ids[p.File] = p
	}
	job, err := old.All().Job(s.Context(), "acme", "job1")
	s.must(err)
	content := []byte("ID,Last name,First name,Code\n0012,Meier,Anna,K7Q2\n0013,Huber,Max,ABCD\n")
	list, err := roster.Parse(content)
	s.must(err)
	album := store.DueAlbum{JobID: job.ID, Album: "A"}
	s.must(old.Update(s.Context(), func(tx *store.Tx) error {
		_, err := tx.TakeRoster(store.RosterFile{Scope: store.Scope{AccountID: acme.ID, JobID: job.ID}, File: "list.csv", Content: content}, list, false)
		return errors.Join(err, tx.SayCard(ids["IMG_0001.jpg"].ID, "K7Q2", "eva"))
	}))
	regroup := func(tx *store.Tx) error { _, err := tx.Regroup(album, 100); return err }
	s.must(old.Update(s.Context(), regroup))
	s.sql(old.DataDir(), `UPDATE card_album SET sealed_at = 1 << 50`)
	s.must(old.Update(s.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.SayCard(ids["IMG_0001.jpg"].ID, "ABCD", "eva"), regroup(tx))
	}))
	s.sql(old.DataDir(), fmt.Sprintf(`UPDATE original SET codes = NULL WHERE sha256 = x'%s'`, ids["GRP_001.jpg"].SHA))
	if got := s.people(old); got != wantPeople {
		s.Fatalf("this test cannot see: %s", got)
	}
}

const wantPeople = "IMG_0001.jpg: not shown; IMG_0002.jpg: Anna Meier (0012); lists 1, proposals 1"

func (s *site) photos(of *store.Store) []store.Photo {
	s.Helper()
	all, err := of.All().Photos(s.Context(), store.PhotoQuery{Account: "acme", Show: store.ShowPublished})
	s.must(err)
	return all
}

// people is what a catalogue knows of people, and which cards no link shows.
func (s *site) people(of *store.Store) string {
	s.Helper()
	links, err := of.OpenLinks(s.Context(), "large")
	s.must(err)
	defer links.Close()
	said := []string{}
	for _, p := range s.photos(of) {
		if shown := s.shown(links, p); !shown && p.File != "GRP_001.jpg" {
			said = append(said, p.File+": not shown")
		}
		all, err := of.All().SubjectsOf(s.Context(), p)
		s.must(err)
		for _, x := range all {
			said = append(said, fmt.Sprintf("%s: %s (%s)", p.File, x.Name(), x.ExternalID))
		}
	}
	slices.Sort(said)
	lists, err := of.All().AllRosters(s.Context(), store.Scope{}, 0, 10)
	s.must(err)
	open, err := of.All().Proposals(s.Context(), store.ProposalQuery{State: store.ProposalOpen})
	s.must(err)
	return fmt.Sprintf("%s; lists %d, proposals %d", strings.Join(said, "; "), len(lists), len(open))
}

// shown tells whether a link shows a photo in any size.
func (s *site) shown(links *store.Links, p store.Photo) (yes bool) {
	s.Helper()
	for _, size := range append([]string{""}, sizes(p)...) {
		_, err := links.Published(p.Link, size)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.Fatal(err)
		}
		yes = yes || err == nil
	}
	return yes
}

func sizes(p store.Photo) (all []string) {
	for _, r := range p.Renditions {
		all = append(all, r.Name)
	}
	return all
}

// restoredPeople checks that people, lists and proposals are there, and that no link shows
// a card, or what may have become one since the backup.
func (s *site) restoredPeople(live *store.Store) {
	s.Helper()
	if got := s.people(live); got != wantPeople {
		s.Errorf("of people: %s", got)
	}
	// Whether it is a card may have been found out after the backup.
	links, err := live.OpenLinks(s.Context(), "large")
	s.must(err)
	defer links.Close()
	for _, p := range s.photos(live) {
		if p.File == "GRP_001.jpg" && s.shown(links, p) {
			s.Error("what may be a card is shown")
		}
	}
}

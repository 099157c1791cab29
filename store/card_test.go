package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/qr"
)

// cards is a world whose pictures show codes.
type cards struct{ *world }

func newCards(t *testing.T) cards {
	return cards{newWorld(t, layout.Jobs)}
}

// A shot is a file of job1/A, taken by one camera: "411 K7Q2" shows a card, "412" nothing,
// "413 ?" a card that cannot be read. Several codes stand one behind the other.
func (w cards) shot(dir, what string) Arrival {
	w.Helper()
	words := strings.Fields(what)
	p := fmt.Sprintf("%s/IMG_0%s.JPG", dir, words[0])
	w.put(p, what)
	var n int
	_, err := fmt.Sscan(words[0], &n)
	w.must(err)
	o := w.original(what)
	o.Camera = Camera{Serial: "0815", TakenAt: time.Date(2026, 5, 4, 9, 0, 3*n, 0, time.UTC)}
	o.Codes = &qr.Found{}
	for _, text := range words[1:] {
		if text == "?" {
			o.Codes.Unread = true
		} else {
			o.Codes.Codes = append(o.Codes.Codes, qr.Code{Text: text})
		}
	}
	return Arrival{Account: w.acct, Place: w.place(p), Identity: w.files[p].Identity, Original: o}
}

func (w cards) arrive(dir string, shots ...string) {
	w.Helper()
	for _, what := range shots {
		a := w.shot(dir, what)
		w.tx(func(tx *Tx) error { _, err := tx.Publish(a, w); return err })
	}
}

// group regroups what is due at the time now, after after.
func (w cards) group(after time.Duration, most int) {
	w.Helper()
	for range 1000 {
		due, err := w.s.DueAlbums(w.Context(), time.Now().Add(w.ahead+after))
		w.must(err)
		if len(due) == 0 {
			return
		}
		for _, d := range due {
			w.tx(func(tx *Tx) error {
				tx.now = tx.now.Add(after)
				_, err := tx.Regroup(d, most)
				return err
			})
		}
	}
	w.Fatal("regrouping never ends")
}

// state is who is on each photo, or why nobody.
func (w cards) state() string {
	w.Helper()
	var all []string
	photos := w.photos(false)
	for _, p := range photos {
		as, why, _, err := w.s.All().Whose(w.Context(), p)
		w.must(err)
		said := ""
		for _, a := range as {
			said += "+" + w.subject(a.SubjectID).Code
		}
		if said == "" {
			said = " " + string(why)
		}
		all = append(all, p.File[4:8]+said)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

func (w cards) is(what, want string) {
	w.Helper()
	w.consistent()
	if faults, err := w.s.Faults(w.Context()); len(faults) > 0 || err != nil {
		w.Errorf("%s: %v %v", what, faults, err)
	}
	n, err := w.s.CountUndecided(w.Context())
	w.must(err)
	if got := strings.Count(want, "card-unread") + strings.Count(want, "card-foreign") + strings.Count(want, "card-refused"); n.Cards != got {
		w.Errorf("%s: %+v, not %d cards", what, n, got)
	}
	var lines []string
	for l := range strings.SplitSeq(want, ",") {
		lines = append(lines, "0"+strings.TrimSpace(l))
	}
	if got := w.state(); got != strings.Join(lines, "\n") {
		w.Errorf("%s:\n%s\nnot\n%s", what, got, strings.Join(lines, "\n"))
	}
}

const dirA = "job1/A"

// Whatever the order in which a shoot comes, and however few changes one transaction
// makes, who is on its photos is the same once the album is quiet.
func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	shots := []string{"410", "411 K7Q2", "412", "413", "414 ABCD EFGH", "415", "416 ?", "417", "418 K7Q2", "419", "421", "422 https://example.org/c/ABCD?x=1", "423"}
	for round := range 4 {
		w := newCards(t)
		w.rng.Shuffle(len(shots), func(i, j int) { shots[i], shots[j] = shots[j], shots[i] })
		for _, s := range shots {
			w.arrive(dirA, s)
			if round%2 == 0 {
				w.group(0, 1)
			}
		}
		w.group(time.Hour, 1+round)
		w.is(fmt.Sprint("round ", round), `410 no-card, 411 card, 412+K7Q2, 413+K7Q2, 414 card, 415+ABCD+EFGH, 416 card-unread, 417 unread-card,
			418 card, 419+K7Q2, 421 counter-gap, 422 card, 423+ABCD`)
		if due, err := w.s.DueAlbums(t.Context(), time.Now().Add(2*time.Hour)); err != nil || len(due) > 0 {
			t.Error(due, err)
		}
	}
}

// No link shows the picture of a card, in no size, from the first moment on: also where its
// code was not read, and as soon as the codes of a photo from before become known.
func TestNoLinkShowsACard(t *testing.T) {
	w := newCards(t)
	w.arrive(dirA, "411 K7Q2", "412", "413 ?")
	old := w.shot(dirA, "414 ABCD")
	codes := old.Original.Codes
	old.Original.Codes = nil
	w.tx(func(tx *Tx) error { _, err := tx.Publish(old, w); return err })
	links, err := w.s.OpenLinks(t.Context(), "large")
	w.must(err)
	defer links.Close()
	shown := func() (files string) {
		for n := 411; n <= 414; n++ {
			p := w.photo(fmt.Sprintf("acme/job1/A/IMG_0%d.JPG", n)[5:])
			for _, size := range []string{"", "large"} {
				_, err := links.Published(p.Link, size)
				if err != nil && !errors.Is(err, ErrNotFound) {
					t.Fatal(err)
				}
				if err == nil {
					files += fmt.Sprint(" ", n)
				}
			}
			if p.Card != slices.Contains(p.Flags, CardFlag) {
				t.Error(p.Flags)
			}
		}
		return files
	}
	if got := shown(); got != " 412 412 414 414" {
		t.Error("shown:", got)
	}
	w.tx(func(tx *Tx) error { return tx.SetCodes(old.Original.SHA, codes) })
	if got := shown(); got != " 412 412" {
		t.Error("once its codes are known:", got)
	}
	w.tx(func(tx *Tx) error { return tx.SayCard(w.photo("job1/A/IMG_0413.JPG").ID, "", "eva") })
	w.tx(func(tx *Tx) error { return tx.SayCard(w.photo("job1/A/IMG_0412.JPG").ID, "k7q2", "eva") })
	if got := shown(); got != " 413 413" {
		t.Error("after a person has said what is a card:", got)
	}
	// Another picture in its place is nothing that anybody has said.
	w.rm("job1/A/IMG_0412.JPG")
	w.arrive(dirA, "412  ")
	if got := shown(); got != " 412 412 413 413" {
		t.Error("after it was replaced:", got)
	}
}

// What could be seen under somebody's name changes by approval only, with another link;
// undoing that gives new links again.
func TestAProposalWaitsForAPerson(t *testing.T) {
	w := newCards(t)
	w.arrive(dirA, "411 AAAA", "412", "413", "415")
	w.group(0, 100)
	w.arrive(dirA, "414")
	w.group(0, 100)
	w.is("before it is quiet", "411 card, 412+AAAA, 413+AAAA, 414+AAAA, 415+AAAA")
	w.group(time.Hour, 100)
	// A person says that 413 is a card, and 416 comes late: what nobody has seen moves.
	w.tx(func(tx *Tx) error { return tx.SayCard(w.photo("job1/A/IMG_0413.JPG").ID, "BBBB", "eva") })
	w.arrive(dirA, "416")
	w.group(0, 100)
	w.is("while it waits", "411 card, 412+AAAA, 413+AAAA, 414+AAAA, 415+AAAA, 416+BBBB")
	open := func() Proposal {
		all, err := w.s.View(w.acct.ID).Proposals(t.Context(), ProposalQuery{Account: "acme", State: ProposalOpen, Job: w.job("job1"), Limit: 10})
		w.must(err)
		if len(all) != 1 {
			t.Fatalf("%+v", all)
		}
		return all[0]
	}
	p := open()
	if len(p.Photos) != 3 || p.Job != "job1" || p.Album != "A" || len(p.Photos[0].Becomes) != 0 || p.Photos[1].Becomes[0] == p.Photos[1].Was[0] {
		t.Fatalf("%+v", p)
	}
	w.group(2*time.Hour, 100)
	if again := open(); again.ID != p.ID {
		t.Error("the same proposal was made anew")
	}
	before := w.link("job1/A/IMG_0414.JPG")
	w.tx(func(tx *Tx) error { return tx.Approve(p.ID, "eva") })
	approved := w.link("job1/A/IMG_0414.JPG")
	w.group(3*time.Hour, 100)
	w.is("approved", "411 card, 412+AAAA, 413 card, 414+BBBB, 415+BBBB, 416+BBBB")
	w.refuses(ErrNotOpen.Error(), func(tx *Tx) error { return tx.Approve(p.ID, "eva") })
	w.tx(func(tx *Tx) error { return tx.Undo(p.ID, "eva") })
	w.group(4*time.Hour, 100)
	w.is("undone", "411 card, 412+AAAA, 413+AAAA, 414+AAAA, 415+AAAA, 416+BBBB")
	if undone := w.link("job1/A/IMG_0414.JPG"); before == approved || approved == undone || before == undone {
		t.Error("an old link is alive again")
	}
	if all, err := w.s.All().Proposals(t.Context(), ProposalQuery{State: ProposalOpen}); err != nil || len(all) > 0 {
		t.Error("what was undone is proposed again", all, err)
	}
}

// A rejected proposal is a person's word: it is not made again. One whose reason has gone
// away goes too.
func TestARejectedProposalIsNotMadeAgain(t *testing.T) {
	w := newCards(t)
	w.arrive(dirA, "411 AAAA", "412", "413")
	w.group(time.Hour, 100)
	count := func() int {
		all, err := w.s.All().Proposals(t.Context(), ProposalQuery{State: ProposalOpen})
		w.must(err)
		return len(all)
	}
	card := w.photo("job1/A/IMG_0412.JPG").ID
	w.tx(func(tx *Tx) error { return tx.SayCard(card, "BBBB", "eva") })
	w.group(time.Hour, 100)
	if count() != 1 {
		t.Fatal(count())
	}
	w.tx(func(tx *Tx) error { return tx.SayCard(card, "", "eva") })
	w.group(time.Hour, 100)
	if count() != 0 {
		t.Error("its reason has gone away")
	}
	w.tx(func(tx *Tx) error { return tx.SayCard(card, "BBBB", "eva") })
	w.group(time.Hour, 100)
	all, err := w.s.All().Proposals(t.Context(), ProposalQuery{State: ProposalOpen})
	w.must(err)
	p, err := w.s.View(w.acct.ID).Proposal(t.Context(), all[0].ID)
	w.must(err)
	w.tx(func(tx *Tx) error { return tx.Reject(p.ID, "eva") })
	w.tx(func(tx *Tx) error { return tx.SetCardRules(w.job("job1"), CardRules{Last: true, Quiet: time.Minute}) })
	w.group(2*time.Hour, 100)
	w.is("rejected", "411 card-empty, 412+AAAA, 413+AAAA")
	if count() != 0 {
		t.Error("it is proposed again")
	}
	if _, err := w.s.View(w.acct.ID+1).Proposal(t.Context(), p.ID); !errors.Is(err, ErrNotFound) {
		t.Error("another account sees it", err)
	}
}

// Codes of another job and codes that nobody has end a series, and wait for a person; a
// list that comes later makes them known. Groups' pictures are everybody's.
func TestForeignAndUnknownCodes(t *testing.T) {
	w := newCards(t)
	w.add(Subject{Code: "OTHER", JobID: w.job("job2").ID})
	w.add(Subject{Code: "ALL", Kind: Group})
	w.tx(func(tx *Tx) error {
		return tx.SetCardRules(w.job("job1"), CardRules{RefuseUnknown: true, Quiet: time.Hour})
	})
	w.add(Subject{Code: "AAAA"})
	w.arrive(dirA, "411 AAAA", "412", "413 OTHER", "414", "415 LATE", "416", "417 https://example.org/shirt", "418", "419 ALL", "420")
	w.group(0, 100)
	w.is("first", "411 card, 412+AAAA, 413 card-foreign, 414 foreign-card, 415 card-refused, 416 refused-card, 417 card-refused, 418 refused-card, 419 card, 420+ALL+AAAA")
	counts, err := w.s.View(w.acct.ID).CardCounts(t.Context(), w.job("job1"))
	if err != nil || counts[CardRefused] != 2 || counts[CardForeign] != 1 || counts[CardKnown] != 2 {
		t.Error(counts, err)
	}
	queue, err := w.s.View(w.acct.ID).Cards(t.Context(), CardQuery{Job: w.job("job1"), Why: CardsInDoubt, Limit: 2})
	if err != nil || len(queue) != 2 || queue[0].Codes.Codes[0].Text != "OTHER" || queue[1].Why != CardRefused {
		t.Error(queue, err)
	}
	w.add(Subject{Code: "late"})
	w.group(0, 100)
	w.is("with the list", "411 card, 412+AAAA, 413 card-foreign, 414 foreign-card, 415 card, 416+late, 417 card-refused, 418 refused-card, 419 card, 420+ALL+AAAA+late")
	w.refuses("not found", func(tx *Tx) error { return tx.SayCard(9999, "AAAA", "") })
	w.refuses("nobody has this code", func(tx *Tx) error { return tx.SayCard(queue[0].ID, "other", "") })
	w.refuses("nobody has this code", func(tx *Tx) error { return tx.SayCard(queue[0].ID, "NOBODY", "") })
}

// A photo that leaves an album with cards leaves its series; deleting a card gives its
// photos to nobody.
func TestPhotosMoveAndCardsGo(t *testing.T) {
	w := newCards(t)
	w.arrive(dirA, "411 AAAA", "412", "413 BBBB", "414")
	w.group(0, 100)
	w.mv("job1/A/IMG_0414.JPG", "job1/B/IMG_0414.JPG")
	w.rm("job1/A/IMG_0411.JPG")
	w.settle()
	w.expire()
	w.group(0, 100)
	w.is("after it was moved", "412 no-card, 413 card-empty, 414 no-card")
}

// An earlier copy of the catalogue shows no picture of a job that may have been found to be
// a card since, until codes were looked for in it, or a person says that it is none.
func TestAnEarlierCopyShowsNothingThatMayBeACard(t *testing.T) {
	w := newCards(t)
	for _, what := range []string{"411", "412", "413"} { // from before codes were looked for
		a := w.shot(dirA, what)
		a.Original.Codes = nil
		w.tx(func(tx *Tx) error { _, err := tx.Publish(a, w); return err })
	}
	w.arrive(dirA, "414")
	links, err := w.s.OpenLinks(t.Context(), "large")
	w.must(err)
	defer links.Close()
	shows := func(when, want string, held int) {
		t.Helper()
		got := ""
		for n := 411; n <= 414; n++ {
			_, err := links.Published(w.link(fmt.Sprintf("%s/IMG_0%d.JPG", dirA, n)), "")
			if err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
			if err == nil {
				got += fmt.Sprint(" ", n)
			}
		}
		if got != want {
			t.Errorf("%s these are shown:%s", when, got)
		}
		if n, err := w.s.HeldBack(t.Context()); n != held || err != nil {
			t.Errorf("%s %d are held back: %v", when, n, err)
		}
	}
	shows("before", " 411 412 413 414", 0)
	w.tx((*Tx).BeginAgain)
	shows("at first", " 414", 3)
	w.tx(func(tx *Tx) error {
		return errors.Join(tx.SetCodes(shaOf("411"), &qr.Found{}), tx.SetCodes(shaOf("412"), &qr.Found{Codes: []qr.Code{{Text: "K7Q2"}}}),
			tx.SayCard(w.photo(dirA+"/IMG_0413.JPG").ID, "", "eva"))
	})
	shows("after they were looked at", " 411 413 414", 0)
}

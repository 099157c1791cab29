package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/contract"
	"picday/internal/qr"
	"picday/store"
)

// shotOf publishes a photo of job00001/Class 1, with the codes that it shows.
func (b *adminBed) shotOf(n int, codes *qr.Found) store.Photo {
	b.Helper()
	path := "job00001/Class 1/IMG_000" + string(rune('0'+n)) + ".jpg"
	at := store.Place{Path: path, Shown: path, Job: "job00001", Album: "Class 1", Area: "individuals"}
	b.publishShot(b.other, at, "shot "+path, store.Camera{Serial: "1", TakenAt: time.Date(2026, 5, 4, 9, 0, n, 0, time.UTC)})
	all, err := b.s.All().Photos(b.Context(), store.PhotoQuery{Account: "acme", RawPath: path})
	b.must(err)
	p := all[0]
	b.tx(func(tx *store.Tx) error { return tx.SetCodes(p.SHA, codes) })
	return p
}

func (b *adminBed) regroup(after time.Duration) {
	b.Helper()
	due, err := b.s.DueAlbums(b.Context(), time.Now().Add(after))
	b.must(err)
	for _, d := range due {
		b.tx(func(tx *store.Tx) error { _, err := tx.Regroup(d, 100); return err })
	}
}

// A card that was not read waits on the job's page of cards, with its picture beside an
// input; who types its code has a proposal to approve, which gives new links.
func TestCardsAndProposalsOnThePages(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("eva", 0)
	b.addOperator("max", b.acct.ID) // of another account
	cookie, stranger := b.session("eva"), b.session("max")
	job, err := b.s.All().Job(t.Context(), "acme", "job00001")
	b.must(err)
	b.tx(func(tx *store.Tx) error { return tx.SetCardRules(job, store.CardRules{}) }) // quiet at once
	b.shotOf(1, &qr.Found{Codes: []qr.Code{{Text: "AAAA"}}})
	b.shotOf(2, &qr.Found{})
	unread := b.shotOf(3, &qr.Found{Unread: true})
	last := b.shotOf(4, &qr.Found{})
	b.regroup(0)
	cards := cardsURL("acme", "job00001")
	html := b.page(cookie, cards)
	for _, want := range []string{photoURL(unread.ID) + "/card", "could not be read", `id="nobodys"`, "IMG_0004.jpg", "<code>AAAA</code>"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
	if job := b.page(cookie, jobURL("acme", "job00001")); !strings.Contains(job, cards) || !strings.Contains(job, "1 card waits for you") {
		t.Error("the job's page does not say it")
	}
	post := func(cookie, path string, form url.Values) int {
		t.Helper()
		return b.ask("POST", path, form, "Cookie", cookie).Code
	}
	if got := post(cookie, photoURL(unread.ID)+"/card", url.Values{"code": {" "}}); got != http.StatusBadRequest {
		t.Error("an empty code:", got)
	}
	if got := post(cookie, photoURL(unread.ID)+"/card", url.Values{"code": {"bbbb"}, "back": {cards}}); got != http.StatusSeeOther {
		t.Error("a code:", got)
	}
	b.regroup(0)
	b.regroup(time.Second)
	if html := b.page(cookie, cards); strings.Contains(html, `id="queue"`) || !strings.Contains(html, "<code>bbbb</code>") && !strings.Contains(html, "<code>BBBB</code>") {
		t.Error(html)
	}
	// The photo of the second child is said to be a card, of the first one.
	if got := post(cookie, photoURL(last.ID)+"/card", url.Values{"code": {"AAAA"}, "back": {cards}}); got != http.StatusSeeOther {
		t.Error("a photo as a card:", got)
	}
	b.regroup(0)
	open, err := b.s.All().Proposals(t.Context(), store.ProposalQuery{State: store.ProposalOpen})
	b.must(err)
	if len(open) != 1 {
		t.Fatalf("%+v", open)
	}
	var answer struct{ Proposals []contract.Proposal }
	if code := b.get(b.token("all", 0), "/proposals?state=open&account=acme", &answer); code != http.StatusOK || len(answer.Proposals) != 1 ||
		answer.Proposals[0].Photos[0].Path != last.Path || len(answer.Proposals[0].Photos[0].Becomes) != 0 || !strings.EqualFold(answer.Proposals[0].Photos[0].Was[0], "BBBB") {
		t.Errorf("%d %+v", code, answer)
	}
	if code := b.get(b.token("one", b.acct.ID), "/proposals", &answer); code != http.StatusOK || len(answer.Proposals) != 0 {
		t.Errorf("another account's token: %d %+v", code, answer)
	}
	form := "/proposals/" + strconv.FormatInt(open[0].ID, 10)
	if html := b.page(cookie, cards); !strings.Contains(html, form+"/approve") || !strings.Contains(html, "IMG_0004.jpg") {
		t.Error(html)
	}
	for _, path := range []string{form + "/approve", form + "/reject", form + "/undo", photoURL(last.ID) + "/card", cards + "/rules"} {
		if got := post(stranger, path, url.Values{"code": {"AAAA"}, "quiet": {"1"}}); got != http.StatusNotFound {
			t.Errorf("another account's operator at %s: %d", path, got)
		}
	}
	link := func() string {
		p, err := b.s.All().Photo(t.Context(), last.ID)
		b.must(err)
		return p.Link
	}
	before := link()
	if got := post(cookie, form+"/approve", nil); got != http.StatusSeeOther || link() == before {
		t.Error("approve:", got)
	}
	if got := post(cookie, form+"/approve", nil); got != http.StatusConflict {
		t.Error("approved again:", got)
	}
	if got := post(cookie, form+"/undo", nil); got != http.StatusSeeOther {
		t.Error("undo:", got)
	}
	if got := post(cookie, cards+"/rules", url.Values{"last": {"yes"}, "quiet": {"5"}}); got != http.StatusSeeOther {
		t.Error("rules:", got)
	}
	job, err = b.s.All().Job(t.Context(), "acme", "job00001")
	if err != nil || !job.Cards.Last || job.Cards.RefuseUnknown || job.Cards.Quiet != 5*time.Minute {
		t.Errorf("%+v, %v", job.Cards, err)
	}
}

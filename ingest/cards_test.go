package ingest

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// The picture of a card is read on arrival, shown by no link, and says whose the pictures
// behind it are. One from before cards were read is found in the background, like a new
// rendition; one that was no job's before is read when it becomes one.
func TestCardsAreReadOnArrivalAndInTheBackground(t *testing.T) {
	b := newBed(t)
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	camera := func(n int) testphoto.Spec {
		return testphoto.Spec{Width: 900, Height: 600, Noise: 30, Serial: "7", Seed: uint64(n), TakenAt: at.Add(time.Duration(n) * time.Second)}
	}
	card := func(n int, text string) []byte {
		return testphoto.MakeCards(camera(n), testphoto.Card{Text: text, Edge: 0.25})
	}
	rendered, blind := 0, true // as picday was before it read cards
	look := func() {
		render := b.Render
		b.Render = func(c context.Context, account string, f *os.File, facts photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
			rendered++
			m, p, err := render(c, account, f, facts, sizes)
			if blind || account == "lincoln" {
				p.Codes = nil
			}
			return m, p, err
		}
	}
	look()
	shows := func(path string) bool {
		links, err := b.Store.OpenLinks(t.Context(), "large")
		b.must(err)
		defer links.Close()
		_, err = links.Published(b.photo(path).Link, "")
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	who := func(path string) string {
		due, err := b.Store.DueAlbums(t.Context(), time.Now())
		b.must(err)
		for _, d := range due {
			b.must(b.regroup(t.Context(), d))
		}
		all, err := b.Store.All().SubjectsOf(t.Context(), *b.photo(path))
		b.must(err)
		if len(all) != 1 {
			return ""
		}
		return all[0].Code
	}
	const first, second, third, fourth, portrait = "acme/job1/x/IMG_0001.jpg", "acme/job1/x/IMG_0002.jpg", "acme/job1/x/IMG_0003.jpg", "acme/job1/x/IMG_0004.jpg", "lincoln/lincoln/user-pictures/5.jpg"
	put := func(path string, pic []byte) {
		b.write(path, pic)
		b.settle(path)
	}
	put(first, card(1, "AAAA"))
	put(second, testphoto.Make(camera(2)))
	put(portrait, card(3, "BBBB"))
	if !shows(first) || who(second) != "" {
		t.Fatal("this test cannot see: the old version read the card")
	}
	blind = false
	b.running(func(chan<- upload.File, <-chan bool) { b.must(b.Rederive(t.Context())) })
	if shows(first) || !shows(second) || who(second) != "AAAA" {
		t.Error("in the background:", shows(first), shows(second), who(second))
	}
	b.restart()
	look()
	rendered = 0
	b.running(func(chan<- upload.File, <-chan bool) { b.must(b.Rederive(t.Context())) })
	if rendered != 0 {
		t.Error("looked for again:", rendered)
	}
	put(third, card(3, "BBBB"))
	put(fourth, testphoto.Make(camera(4)))
	if shows(third) || !shows(portrait) || who(fourth) != "BBBB" || rendered != 2 {
		t.Error("on arrival:", shows(third), shows(portrait), who(fourth), rendered)
	}
	put("acme/job1/x/group/IMG_0009.jpg", card(1, "AAAA")) // known, so nothing is read again
	if rendered != 2 || shows("acme/job1/x/group/IMG_0009.jpg") {
		t.Error("again:", rendered)
	}
	if flags := b.photo(third).Flags; !slices.Contains(flags, store.CardFlag) {
		t.Error(flags)
	}
}

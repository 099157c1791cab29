package series

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var morning = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// shoot makes photos of one camera from words: a number is the card of that subject, "1+2"
// of two, "g" of a group; "?" a card that was not read, "x" another job's, "r" a refused one;
// "." a photo, "-" one that was taken and is not there. Counters begin with first, photos
// are three seconds apart.
func shoot(id int64, serial string, first int, words string) (all []Photo) {
	n := first
	for i, w := range strings.Fields(words) {
		p := Photo{ID: id + int64(i), File: fmt.Sprintf("IMG_%04d.JPG", n), Serial: serial, Taken: morning.Add(time.Duration(3*i) * time.Second)}
		switch w {
		case ".", "-":
		case "?":
			p.Card.Kind = Unread
		case "x":
			p.Card.Kind = Foreign
		case "r":
			p.Card.Kind = Refused
		case "g":
			p.Card = Card{Kind: Known, Everyone: true}
		default:
			p.Card.Kind = Known
			for s := range strings.SplitSeq(w, "+") {
				var subject int64
				_, _ = fmt.Sscan(s, &subject)
				p.Card.Subjects = append(p.Card.Subjects, subject)
			}
		}
		if w != "-" {
			all = append(all, p)
		}
		if n++; n == wrap {
			n = 1
		}
	}
	return all
}

// said writes what becomes of photos, in the order given: a subject's number, or the reason.
func said(r Result, photos []Photo) string {
	var out []string
	for _, p := range photos {
		w := r.Whose[p.ID]
		switch {
		case w.Why == IsCard:
			out = append(out, "|")
		case w.Why == ByCard && w.Everyone:
			out = append(out, "all")
		case w.Why == ByCard:
			out = append(out, strings.ReplaceAll(strings.Trim(fmt.Sprint(w.Subjects), "[]"), " ", "+"))
		default:
			out = append(out, string(w.Why))
		}
	}
	return strings.Join(out, " ")
}

func TestSeries(t *testing.T) {
	for _, c := range []struct {
		name, words, want, last string
	}{
		{"two children", "1 . . 2 .", "| 1 1 | 2", "| 2 2 | no-card"},
		{"before any card", ". 1 .", "no-card | 1", "1 | no-card"},
		{"five siblings", "1+2+3+4+5 . .", "| 1+2+3+4+5 1+2+3+4+5", "| no-card no-card"},
		{"the same card three times", "1 . 2 . 1 . 1 .", "| 1 | 2 | 1 | 1", "| 2 | 1 | 1 | no-card"},
		{"a card that was not read", "1 . ? . 2 .", "| 1 | unread-card | 2", "| unread-card | 2 | no-card"},
		{"a foreign job's", "1 . x . 2 .", "| 1 | foreign-card | 2", "| foreign-card | 2 | no-card"},
		{"a refused one", "1 . r . 2 .", "| 1 | refused-card | 2", "| refused-card | 2 | no-card"},
		{"a gap", "1 . - . . 2 .", "| 1 counter-gap counter-gap | 2", "| counter-gap 2 2 | no-card"},
		{"a gap behind the card", "1 - . 2 .", "| counter-gap | 2", "| 2 | no-card"},
		{"a group's card", "1 . g . 2 .", "| 1 | all | 2", "| all | 2 | no-card"},
	} {
		for _, first := range []int{1, 9995, 9997, 9998, 9999} { // 9999 -> 0001
			photos := shoot(1, "A", first, c.words)
			if got := said(Assign(photos, false), photos); got != c.want {
				t.Errorf("%s, from %d: %s", c.name, first, got)
			}
			if got := said(Assign(photos, true), photos); got != c.last {
				t.Errorf("%s, from %d, card last: %s", c.name, first, got)
			}
			for i := range photos {
				photos[i].Taken, photos[i].Serial = time.Time{}, ""
			}
			if got := said(Assign(photos, false), photos); got != c.want {
				t.Errorf("%s, from %d, without EXIF: %s", c.name, first, got)
			}
		}
	}
}

func TestDoubtInTheOrder(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]Photo)
		want   string
	}{
		"the clock was set back":     {func(p []Photo) { p[3].Taken = morning.Add(-time.Hour) }, "| order-in-doubt order-in-doubt | order-in-doubt"},
		"the counter was reset":      {func(p []Photo) { p[3].File, p[4].File = "IMG_0001.JPG", "IMG_0002.JPG" }, "| 1 1 | order-in-doubt"},
		"two shots with one counter": {func(p []Photo) { p[2].File = p[1].File }, "| 1 order-in-doubt | order-in-doubt"},
		"a photo without a clock":    {func(p []Photo) { p[1].Taken = time.Time{} }, "| no-order counter-gap | 2"},
		"a card without a clock":     {func(p []Photo) { p[3].Taken = time.Time{} }, "| order-in-doubt order-in-doubt | order-in-doubt"},
		"a copy of a photo":          {func(p []Photo) { p[2].File, p[2].Taken = "IMG_0101 (2).JPG", p[1].Taken }, "| 1 1 | 2"},
		"the same second": {func(p []Photo) {
			for i := range p {
				p[i].Taken = morning
			}
		}, "| 1 1 | 2"},
		"fractions that contradict": {func(p []Photo) {
			for i := range p {
				p[i].Taken = morning.Add(time.Duration(900-100*i) * time.Millisecond)
			}
		}, "| order-in-doubt order-in-doubt | order-in-doubt"},
		"no counter, no fractions": {func(p []Photo) {
			for i := range p {
				p[i].File, p[i].Taken = fmt.Sprint("pic-", 'a'+i), morning
			}
		}, "| order-in-doubt order-in-doubt | order-in-doubt"},
		"no counter, but fractions": {func(p []Photo) {
			for i := range p {
				p[i].File, p[i].Taken = fmt.Sprintf("IMG_20260504_%06d.jpg", i), morning.Add(time.Duration(100+i)*time.Millisecond)
			}
		}, "| 1 1 | 2"},
	} {
		photos := shoot(1, "A", 100, "1 . . 2 .")
		c.change(photos)
		if got := said(Assign(photos, false), photos); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Two cameras, interleaved, one of them an hour off, do not mix; and cards without a photo
// are named.
func TestTwoCameras(t *testing.T) {
	a, b := shoot(1, "A", 100, "1 . . 2 3 ."), shoot(101, "B", 100, "4 . . 5")
	for i := range b {
		b[i].Taken = b[i].Taken.Add(time.Hour)
	}
	r := Assign(append(slices.Clone(b), a...), false)
	if got := said(r, append(a, b...)); got != "| 1 1 | | 3 | 4 4 |" || !slices.Equal(r.Empty, []int64{4, 104}) {
		t.Errorf("%s, empty %v", got, r.Empty)
	}
	// One model of which no serial number is known: two counters in one lane.
	for i := range a {
		a[i].Serial, a[i].Model = "", "R6"
	}
	c := shoot(201, "", 5200, ". . . . .")
	for i := range c {
		c[i].Model, c[i].Taken = "R6", a[0].Taken.Add(time.Duration(3*i+1)*time.Second)
	}
	if got := said(Assign(append(c, a...), false), a); strings.Contains(got, "1") {
		t.Errorf("mixed: %s", got)
	}
}

// Pictures of groups lie between in the counter, and are everybody's.
func TestGroupArea(t *testing.T) {
	photos := shoot(1, "A", 1, "1 . . . 2 .")
	photos[2].Group = true
	if got := said(Assign(photos, false), photos); got != "| 1 group-area 1 | 2" {
		t.Error(got)
	}
}

// random makes a shoot of up to three cameras, and says of each photo whose it truly is.
func random(rnd *rand.Rand) (photos []Photo, truth map[int64]int64) {
	truth = map[int64]int64{}
	child := int64(0)
	for camera := range 1 + rnd.IntN(3) {
		var words []string
		var whose []int64
		for range 1 + rnd.IntN(6) {
			child++
			words, whose = append(words, fmt.Sprint(child)), append(whose, 0)
			for range rnd.IntN(5) {
				words, whose = append(words, "."), append(whose, child)
			}
		}
		lane := shoot(int64(1000*camera), fmt.Sprint("camera ", camera), 1+rnd.IntN(wrap-1), strings.Join(words, " "))
		bare := rnd.IntN(4) == 0
		for i := range lane {
			truth[lane[i].ID] = whose[i]
			lane[i].Taken = lane[i].Taken.Add(time.Duration(camera) * time.Hour)
			if bare {
				lane[i].Taken, lane[i].Serial, lane[i].File = time.Time{}, "", fmt.Sprint("C", camera, "_", lane[i].File[4:])
			}
		}
		photos = append(photos, lane...)
	}
	return photos, truth
}

// Whatever order the photos come in, each has the child it truly is of; and without one of
// the cards, or with one that cannot be read, no photo has another child than that.
func TestNobodyGetsAnotherChildsPhoto(t *testing.T) {
	for seed := range uint64(400) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		photos, truth := random(rnd)
		want := Assign(photos, false)
		for id, child := range truth {
			if w := want.Whose[id]; child != 0 && !slices.Equal(w.Subjects, []int64{child}) {
				t.Fatalf("seed %d: photo %d is %+v, not %d", seed, id, w, child)
			}
		}
		rnd.Shuffle(len(photos), func(i, j int) { photos[i], photos[j] = photos[j], photos[i] })
		if got := Assign(photos, false); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: another order, another result", seed)
		}
		for i, p := range photos {
			for _, how := range []string{"never arrived", "not read", "foreign", "damaged too"} {
				changed := slices.Clone(photos)
				switch {
				case how == "damaged too": // not a card, but any photo
					changed = slices.Delete(changed, i, i+1)
				case p.Card.Kind == NoCard:
					continue
				case how == "never arrived":
					changed = slices.Delete(changed, i, i+1)
				case how == "not read":
					changed[i].Card = Card{Kind: Unread}
				case how == "foreign":
					changed[i].Card = Card{Kind: Foreign}
				}
				for id, w := range Assign(changed, false).Whose {
					if w.Why == ByCard && !slices.Equal(w.Subjects, []int64{truth[id]}) {
						t.Fatalf("seed %d, card %d %s: photo %d is given to %v, and is of %d", seed, p.ID, how, id, w.Subjects, truth[id])
					}
				}
			}
		}
	}
}

func TestCounters(t *testing.T) {
	for file, want := range map[string]int{
		"IMG_0412.JPG": 412, "DSC01234.jpg": 1234, "DSC_9999.JPG": 9999, "_MG_0001.jpeg": 1, "P1010412.JPG": 412, "IMG_0412 (2).JPG": 412,
		"IMG_0412-2.JPG": 412, "IMG_20260504_101112.jpg": -1, "Anna.jpg": -1, "12.jpg": -1, "": -1, "GX010123.JPG": -1, "7A1A0412.JPG": 412,
	} {
		if _, got := counterOf(file); got != want {
			t.Errorf("%s: %d", file, got)
		}
	}
}

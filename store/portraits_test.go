package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"picday/internal/layout"
)

// A portrait's link belongs to the ID. At first there are the IDs 12 and 13 with the
// pictures A and B.
func TestPortraitLinksBelongToTheID(t *testing.T) {
	const dir = "acme/user-pictures/"
	const p12, P12, p13, p14 = dir + "12.jpg", dir + "12.JPG", dir + "13.jpg", dir + "14.jpg"
	for name, sc := range map[string]struct {
		do            func(*world)
		on12, on13    string // what the links show as soon as all has settled
		end12, end13  string // and after the grace, if that differs: "-" for 404
		duplicate     string // the file that lost, if one did
		alsoPublished string // one more ID, with its picture
	}{
		"overwrite in place":       {do: func(w *world) { w.put(p12, "C") }, on12: "C", on13: "B"},
		"overwrite by a new file":  {do: func(w *world) { w.replace(p12, "C") }, on12: "C", on13: "B"},
		"rename 12 to 14":          {do: func(w *world) { w.mv(p12, p14) }, on13: "B", alsoPublished: "14 A"},
		"rename 12 over 13":        {do: func(w *world) { w.mv(p12, p13) }, on13: "A"},
		"swap":                     {do: func(w *world) { w.mv(p12, "out"); w.mv(p13, p12); w.mv("out", p13) }, on12: "B", on13: "A"},
		"shift and upload":         {do: func(w *world) { w.mv(p13, p14); w.mv(p12, p13); w.put(p12, "C") }, on12: "C", on13: "A", alsoPublished: "14 B"},
		"shift and upload broken":  {do: func(w *world) { w.mv(p12, p14); w.put(p12, "broken") }, on13: "B", alsoPublished: "14 A"},
		"delete":                   {do: func(w *world) { w.rm(p12) }, on12: "A", on13: "B", end12: "-"},
		"delete, back later":       {do: func(w *world) { w.rm(p12); w.settle(); w.expire(); w.put(p12, "C") }, on12: "C", on13: "B"},
		"delete one, upload other": {do: func(w *world) { w.rm(p12); w.put(p13, "C") }, on12: "A", on13: "C", end12: "-"},
		"newer duplicate":          {do: func(w *world) { w.put(P12, "C") }, on12: "C", on13: "B", duplicate: p12},
		"older duplicate":          {do: func(w *world) { w.put(P12, "C"); w.touch(p12) }, on12: "A", on13: "B", duplicate: P12},
		"the winner goes":          {do: func(w *world) { w.put(P12, "C"); w.settle(); w.rm(P12) }, on12: "A", on13: "B"},
		"the winner is renamed":    {do: func(w *world) { w.put(P12, "C"); w.settle(); w.mv(P12, p14) }, on12: "A", on13: "B", alsoPublished: "14 C"},
		"the loser goes":           {do: func(w *world) { w.put(P12, "C"); w.settle(); w.rm(p12) }, on12: "C", on13: "B"},
		"another spelling":         {do: func(w *world) { w.mv(p12, P12) }, on12: "A", on13: "B"},
		"hard link, one renamed":   {do: func(w *world) { w.ln(p12, P12); w.settle(); w.mv(P12, p14) }, on12: "A", on13: "B", alsoPublished: "14 A"},
		"broken":                   {do: func(w *world) { w.put(p12, "broken") }, on12: "A", on13: "B"},
		"broken, deleted":          {do: func(w *world) { w.put(p12, "broken"); w.settle(); w.rm(p12) }, on12: "A", on13: "B", end12: "-"},
		"back in time, then renamed": {do: func(w *world) {
			w.rm(p12)
			w.gone(p12)
			w.put("out", "keep the inode from being used again")
			w.put(p12, "A")
			w.settle()
			w.mv(p12, p14)
		}, on13: "B", alsoPublished: "14 A"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				w := newWorld(t, layout.Portraits)
				w.rng = rand.New(rand.NewPCG(seed, 0))
				w.put(p12, "A")
				w.put(p13, "B")
				w.settle()
				link12, link13 := w.link(p12), w.link(p13)
				sc.do(w)
				w.settle()
				shows := func(when, l12, l13 string) {
					t.Helper()
					for link, want := range map[string]string{link12: l12, link13: l13} {
						if got := w.shows(link, "A", "B", "C"); got != strings.Trim(want, "-") {
							t.Errorf("%s: the link of %s shows %q, want %q\n%s", when, map[bool]string{true: "12", false: "13"}[link == link12], got, want, strings.Join(w.log, "\n"))
						}
					}
				}
				shows("at once", sc.on12, sc.on13)
				w.expire()
				if sc.end12 == "" {
					sc.end12 = sc.on12
				}
				shows("after the grace", sc.end12, sc.on13)
				losers, err := w.s.Duplicates(t.Context(), w.acct, "")
				w.must(err)
				if (sc.duplicate != "") != (len(losers) == 1) || len(losers) == 1 && losers[0].Path != sc.duplicate {
					t.Errorf("duplicates: %+v", losers)
				}
				others := ""
				for link, p := range w.photos(false) {
					if link != link12 && link != link13 {
						others += p.Person + " " + w.shows(link, "A", "B", "C")
					}
				}
				if others != sc.alsoPublished {
					t.Errorf("also published: %q, want %q", others, sc.alsoPublished)
				}
			}
		})
	}
}

// After random changes, processed in random order, each ID shows its newest file under the
// link that it always had, and no ID shows a picture that is not named after it. All
// pictures have the same size, so that the size cannot tell them apart.
func TestPortraitsSettleToTheTruth(t *testing.T) {
	paths := []string{}
	for _, id := range []string{"1.jpg", "1.JPG", "2.jpg", "2.jpeg", "3.jpg"} {
		paths = append(paths, "acme/user-pictures/"+id)
	}
	for seed := range seeds(12) {
		w := newWorld(t, layout.Portraits)
		w.rng = rand.New(rand.NewPCG(seed, 3))
		links := map[string]string{} // by ID; they never change
		picture := 0
		fresh := func() string { picture++; return fmt.Sprintf("picture %04d", picture) }
		one := func() string { return paths[w.rng.IntN(len(paths))] }
		away := func() string { return fmt.Sprint("out", w.rng.IntN(2)) }
		for range 60 {
			for range 1 + w.rng.IntN(4) {
				switch w.rng.IntN(11) {
				case 0, 1:
					w.put(one(), fresh())
				case 10:
					w.put(one(), "broken "+fresh())
				case 2:
					w.replace(one(), fresh())
				case 3:
					w.rm(one())
				case 4, 5:
					w.mv(one(), one())
				case 6:
					p, q := one(), one()
					w.mv(p, "out")
					w.mv(q, p)
					w.mv("out", q)
				case 7:
					w.mv(one(), away())
				case 8:
					w.mv(away(), one())
				case 9: // another picture, under another spelling or name
					if p := one(); w.files[p] != nil {
						w.put(p, fresh())
						w.mv(p, one())
					}
				}
			}
			w.rm("out")
			w.settle()
			if w.rng.IntN(2) > 0 {
				w.expire()
				w.matches()
				w.log = nil
			}
			for link, p := range w.photos(false) {
				if links[p.Person] == "" {
					links[p.Person] = link
				}
				if links[p.Person] != link {
					t.Fatalf("seed %d: %s has another link", seed, p.Person)
				}
			}
		}
	}
}

// A file that was changed and renamed before the watcher saw it, or moved away and back,
// has several upload rows. If it gets another ID, the photos of all old IDs are withdrawn,
// in whatever order the catalogue has the rows.
func TestAPortraitOfManyNamesLeavesThemAll(t *testing.T) {
	const p103, p105, P105 = "acme/user-pictures/103.jpg", "acme/user-pictures/105.jpg", "acme/user-pictures/105.JPG"
	for name, before := range map[string]func(*world){
		"changed and renamed at once": func(w *world) {
			w.put(P105, "B")
			w.mv(P105, p105)
			w.settle()
		},
		"away, another in between, back": func(w *world) {
			w.mv(P105, "out")
			w.settle()
			w.put(P105, "B")
			w.settle()
			w.rm(P105)
			w.settle()
			w.mv("out", p105)
			w.settle()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, layout.Portraits)
			w.put(P105, "A")
			w.settle()
			link := w.link(P105)
			before(w)
			w.mv(p105, p103)
			w.settle()
			if got := w.shows(link, "A", "B"); got != "" {
				t.Errorf("105 shows %q, which is 103's", got)
			}
		})
	}
}

// If one of two hard links of a file is renamed to another ID, the photo of the other link
// stays published, although nothing makes the daemon process that link again.
func TestRenamedHardLinkLeavesTheOtherPublished(t *testing.T) {
	const p12, P12, p14 = "acme/user-pictures/12.jpg", "acme/user-pictures/12.JPG", "acme/user-pictures/14.jpg"
	w := newWorld(t, layout.Portraits)
	w.put(p12, "A")
	w.publish(p12)
	w.ln(p12, P12)
	w.publish(p12)
	w.publish(P12)
	link := w.link(p12)
	w.mv(P12, p14)
	w.publish(p14)
	w.consistent()
	if w.shows(link, "A") != "A" || w.link(p12) != link || w.link(p14) == link {
		t.Errorf("12 shows %q", w.shows(link, "A"))
	}
}

// The transaction that publishes a renamed portrait also withdraws the photo of its old
// ID, because the new name says whose picture it is.
func TestRenamedPortraitLeavesItsOldLinkAtOnce(t *testing.T) {
	const p12, p13 = "acme/user-pictures/12.jpg", "acme/user-pictures/13.jpg"
	w := newWorld(t, layout.Portraits)
	w.put(p12, "A")
	w.publish(p12)
	link := w.link(p12)
	w.mv(p12, p13)
	w.gone(p12) // begins its grace
	w.publish(p13)
	w.consistent()
	if got := w.shows(link, "A"); got != "" {
		t.Errorf("the link of 12 shows %q, which is 13's", got)
	}
}

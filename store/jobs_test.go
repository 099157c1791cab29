package store

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"picday/internal/layout"
)

// Each scenario changes files in a job as photographers do, and says what each link shows
// then. At first there are the files a and b with the pictures A and B. The changes are
// processed in many orders, because files can settle in any order.
func TestWhatHappensToLinks(t *testing.T) {
	const a, b, c = "job1/x/a.jpg", "job1/x/b.jpg", "job1/x/c.jpg"
	for name, sc := range map[string]struct {
		do           func(*world)
		showsA       string // what the links show that were given out for A and B
		showsB       string
		atA, atB     string // whose link is at the path now: A, B, "new" or "" for no photo
		early, later string // link A during and after the grace, if they differ from showsA
	}{
		"nothing":                     {do: func(*world) {}, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"touch":                       {do: func(w *world) { w.touch(a) }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"overwrite in place":          {do: func(w *world) { w.put(a, "C") }, showsA: "C", showsB: "B", atA: "A", atB: "B"},
		"overwrite by a new file":     {do: func(w *world) { w.replace(a, "C") }, showsA: "C", showsB: "B", atA: "A", atB: "B"},
		"overwrite, then the next":    {do: func(w *world) { w.replace(a, "C"); w.replace(b, "D") }, showsA: "C", showsB: "D", atA: "A", atB: "B"},
		"overwrite with a broken one": {do: func(w *world) { w.put(a, "broken") }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"broken, then deleted":        {do: func(w *world) { w.put(a, "broken"); w.settle(); w.rm(a) }, early: "A", showsB: "B", atB: "B"},
		"delete and upload, as WinSCP": {do: func(w *world) {
			w.put("job1/x/a.jpg.tmp", "C")
			w.rm(a)
			w.mv("job1/x/a.jpg.tmp", a)
		}, showsA: "C", showsB: "B", atA: "A", atB: "B"},
		"delete":                         {do: func(w *world) { w.rm(a) }, early: "A", showsB: "B", atB: "B"},
		"delete, back in time":           {do: func(w *world) { w.rm(a); w.settle(); w.put(a, "C") }, showsA: "C", showsB: "B", atA: "A", atB: "B"},
		"delete, back later, same":       {do: func(w *world) { w.rm(a); w.settle(); w.expire(); w.put(a, "A") }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"delete, back later, other":      {do: func(w *world) { w.rm(a); w.settle(); w.expire(); w.put(a, "C") }, showsB: "B", atA: "new", atB: "B"},
		"rename":                         {do: func(w *world) { w.mv(a, c) }, showsA: "A", showsB: "B", atB: "B"},
		"rename over":                    {do: func(w *world) { w.mv(b, a) }, early: "A", showsB: "B", atA: "B"},
		"rename over, and back":          {do: func(w *world) { w.mv(a, c); w.mv(b, a); w.settle(); w.mv(a, b); w.mv(c, a) }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"away for a while":               {do: func(w *world) { w.mv(a, "out"); w.mv(b, a); w.settle(); w.mv("out", a) }, showsA: "A", atA: "A", early: "A", later: "A"},
		"swap":                           {do: func(w *world) { w.mv(a, c); w.mv(b, a); w.mv(c, b) }, showsA: "A", showsB: "B", atA: "B", atB: "A"},
		"shift and upload":               {do: func(w *world) { w.mv(b, c); w.mv(a, b); w.put(a, "C") }, showsA: "A", showsB: "B", atA: "new", atB: "A"},
		"shift, noticed, upload":         {do: func(w *world) { w.mv(a, c); w.gone(a); w.put(a, "C") }, showsA: "A", showsB: "B", atA: "new", atB: "B"},
		"inode reused elsewhere":         {do: func(w *world) { w.rm(a); w.put(c, "C") }, early: "A", showsB: "B", atB: "B"},
		"inode reused, then overwritten": {do: func(w *world) { w.rm(a); w.put(c, "C"); w.put(a, "D") }, showsA: "D", showsB: "B", atA: "A", atB: "B"},
		"rename and overwrite in place":  {do: func(w *world) { w.mv(a, c); w.put(c, "C") }, early: "A", showsB: "B", atB: "B"},
		"folder renamed":                 {do: func(w *world) { w.mvdir("job1/x", "job1/y") }, showsA: "A", showsB: "B"},
		"folder away and back":           {do: func(w *world) { w.mvdir("job1/x", "out"); w.settleGone(); w.mvdir("out", "job1/x") }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"to another job":                 {do: func(w *world) { w.mv(a, "job2/x/a.jpg") }, showsA: "A", showsB: "B", atB: "B"},
		"hard link":                      {do: func(w *world) { w.ln(a, c) }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"hard link, then overwritten":    {do: func(w *world) { w.ln(a, c); w.settle(); w.replace(a, "C") }, showsA: "C", showsB: "B", atA: "A", atB: "B"},
		"copy":                           {do: func(w *world) { w.put(c, "A") }, showsA: "A", showsB: "B", atA: "A", atB: "B"},
		"spoilt after a rename over":     {do: func(w *world) { w.mv(b, a); w.settle(); w.put(a, "broken") }, early: "A", showsB: "B", atA: "B"},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(6) {
				w := newWorld(t, layout.Jobs)
				w.rng = rand.New(rand.NewPCG(seed, 0))
				w.put(a, "A")
				w.put(b, "B")
				w.settle()
				links := map[string]string{w.link(a): "A", w.link(b): "B"}
				linkA, linkB := w.link(a), w.link(b)
				sc.do(w)
				w.settle()
				early, later := sc.showsA, sc.showsA
				if sc.early != "" {
					early, later = sc.early, sc.later
				}
				if got := w.shows(linkA, "A", "B", "C", "D"); got != early {
					t.Errorf("link A, during the grace: %q, want %q", got, early)
				}
				w.expire()
				w.matches()
				if got := w.shows(linkA, "A", "B", "C", "D"); got != later {
					t.Errorf("link A: %q, want %q", got, later)
				}
				if got := w.shows(linkB, "A", "B", "C", "D"); got != sc.showsB {
					t.Errorf("link B: %q, want %q", got, sc.showsB)
				}
				for p, want := range map[string]string{a: sc.atA, b: sc.atB} {
					got := links[w.link(p)]
					if w.link(p) != "" && got == "" {
						got = "new"
					}
					if got != want {
						t.Errorf("at %s is the link of %q, want %q", p, got, want)
					}
				}
			}
		})
	}
}

func (w *world) settleGone() {
	known, err := column[string](w.Context(), w.s.read, `SELECT dir || '/' || name FROM upload WHERE gone_at IS NULL`)
	w.must(err)
	for _, p := range known {
		if w.files[p] == nil {
			w.gone(p)
		}
	}
}

// After random changes, processed in random order, the published photos are those on the
// volume; a file that has the same picture as before has the same link; and a link shows
// another picture only if the file at its path was overwritten.
func TestAnythingSettlesToTheTruth(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	paths := []string{"job1/x/1", "job1/x/2", "job1/x/3", "job1/y/1", "job1/y/2", "job1/y/group/1"}
	for seed := range seeds(6) {
		w := newWorld(t, layout.Jobs)
		w.rng = rand.New(rand.NewPCG(seed, 7))
		any := func() string { return paths[w.rng.IntN(len(paths))] }
		picture := 0
		fresh := func() string {
			picture++
			return "picture " + string(rune('0'+picture/100)) + string(rune('0'+picture/10%10)) + string(rune('0'+picture%10))
		}
		for range rounds {
			type was struct {
				link string
				file *inode
				inode
			}
			before := map[string]was{} // by path
			for _, ph := range w.photos(false) {
				if f := w.files[ph.RawPath]; f != nil && shaOf(f.content) == ph.SHA {
					before[ph.RawPath] = was{ph.Link, f, *f}
				}
			}
			shown := w.photos(false)
			w.log = nil
			for range 1 + w.rng.IntN(5) {
				switch w.rng.IntN(12) {
				case 0, 1:
					w.put(any(), fresh())
				case 2:
					w.replace(any(), fresh())
				case 3:
					w.rm(any())
				case 4, 5:
					w.mv(any(), any())
				case 6: // swap
					p, q := any(), any()
					w.mv(p, "out")
					w.mv(q, p)
					w.mv("out", q)
				case 7:
					if p := any(); w.files[p] != nil {
						w.put(p, "broken "+fresh())
					}
				case 8:
					if p := any(); w.files[p] != nil {
						w.touch(p)
					}
				case 9:
					w.mv(any(), "out1")
				case 10:
					w.mv("out1", any())
				case 11: // another picture of the same size, under another name
					if p := any(); w.files[p] != nil {
						w.put(p, fresh())
						w.mv(p, any())
					}
				}
			}
			w.rm("out")
			w.settle()
			w.ignoreSome()
			if w.rng.IntN(3) > 0 {
				w.expire()
				w.matches()
			}
			for p, f := range w.files {
				if p == "out1" {
					continue
				}
				for from, old := range before {
					if old.file == f && old.content == f.content && w.link(p) != old.link {
						t.Fatalf("seed %d: moved from %s to %s, link %.6s became %.6s\n%s", seed, from, p, old.link, w.link(p), strings.Join(w.log, "\n"))
					}
				}
			}
			for link, now := range w.photos(false) {
				if then, ok := shown[link]; ok && then.SHA != now.SHA && then.RawPath != now.RawPath {
					t.Fatalf("seed %d: link %.6s of %s shows another picture at %s", seed, link, then.RawPath, now.RawPath)
				}
			}
		}
		w.expire()
		w.expire()
		w.matches()
		for _, p := range slices.Sorted(maps.Keys(w.files)) {
			w.rm(p)
		}
		w.settle()
		w.expire()
		if n := len(w.photos(false)); n > 0 {
			t.Errorf("%d photos outlive their files", n)
		}
	}
}

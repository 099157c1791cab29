package qr

import (
	"fmt"
	"image"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	testphoto "picday/internal/test/photo"
)

// backdrops are the upright renditions of some portraits.
var backdrops = sync.OnceValue(func() (all []*image.YCbCr) {
	for seed := range uint64(6) {
		all = append(all, testphoto.CardScene(testphoto.Spec{Width: 1600, Height: 1067, Seed: seed, Noise: 30 + 20*int(seed)}))
	}
	return all
})

// with puts cards before a backdrop.
func with(n int, cards ...testphoto.Card) Luma {
	b := backdrops()[n%len(backdrops())]
	img := *b
	img.Y, img.Cb, img.Cr = slices.Clone(b.Y), slices.Clone(b.Cb), slices.Clone(b.Cr)
	testphoto.PaintCards(&img, uint64(n), cards...)
	return luma(&img)
}

// held is a card of our own as it is held before a camera: tilted by up to 30 degrees, in
// uneven light, a little out of focus, the thumb on it. Blur is in parts of a module.
func held(rnd *rand.Rand, text string, edge, blur float64) testphoto.Card {
	return testphoto.Card{
		Text: text, Edge: edge, X: 0.3 + 0.4*rnd.Float64(), Y: 0.3 + 0.4*rnd.Float64(),
		Tilt: 30 * rnd.Float64(), About: 360 * rnd.Float64(), Turn: 40 * (rnd.Float64() - 0.5),
		Blur: blur * edge * 1600 / 25, Light: 0.6 * rnd.Float64(), Hand: rnd.IntN(2) == 0,
	}
}

// scene is the same for each number: edges from 4 to 25 % of the picture's.
func scene(n int) (testphoto.Card, Luma) {
	rnd := rand.New(rand.NewPCG(uint64(n), 2))
	edge := []float64{0.04, 0.06, 0.08, 0.08, 0.1, 0.12, 0.16, 0.25}[n%8]
	c := held(rnd, fmt.Sprintf("%012d", rnd.Uint64N(1e12)), edge, 0.35*rnd.Float64())
	return c, with(n, c)
}

// Scenes are many, so most are for the long proofs and the benchmark.
const scenes, fewScenes = 240, 24

// Every card of our own of 8 % of the picture's edge or more, tilted by 30 degrees or less,
// is read; a smaller one is read or seen, and no other text is ever read.
func TestCardsAreRead(t *testing.T) {
	n := fewScenes
	if os.Getenv("PICDAY_TORTURE") != "" {
		n = scenes
	}
	for i := range n {
		c, p := scene(i)
		f := Read(p)
		if len(f.Codes) == 1 && f.Codes[0].Text == c.Text {
			center := Point{(f.Codes[0].Corners[0].X + f.Codes[0].Corners[2].X) / 2, (f.Codes[0].Corners[0].Y + f.Codes[0].Corners[2].Y) / 2}
			if f.Unread || max(center.X-c.X, c.X-center.X, center.Y-c.Y, c.Y-center.Y) > c.Edge/2 {
				t.Errorf("scene %d: %+v is at %.2v", i, c, f)
			}
			continue
		}
		if c.Edge >= 0.08 || len(f.Codes) > 0 || !f.Unread {
			t.Errorf("scene %d: %+v is %+v", i, c, f)
		}
	}
}

// A picture without a code is nothing else.
func TestPicturesWithoutACode(t *testing.T) {
	for i := range backdrops() {
		if f := Read(with(i)); f.Unread || len(f.Codes) > 0 {
			t.Errorf("picture %d: %+v", i, f)
		}
	}
	for name, p := range map[string]Luma{
		"nothing": {}, "a pixel": {Pix: []byte{1}, Stride: 1, Width: 1, Height: 1},
		"a line": {Pix: make([]byte, 4000), Stride: 4000, Width: 4000, Height: 1},
		"grey":   {Pix: make([]byte, 100*100), Stride: 100, Width: 100, Height: 100},
	} {
		if f := Read(p); f.Unread || len(f.Codes) > 0 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// What shows its finder patterns is seen if it cannot be read, beside others that can be.
func TestSeenButNotRead(t *testing.T) {
	smeared := testphoto.Card{Text: "A", Edge: 0.1, Smear: true, X: 0.7, Y: 0.5, Tilt: 20, About: 70, Turn: 10, Blur: 2}
	if f := Read(with(1, smeared)); !f.Unread || len(f.Codes) > 0 {
		t.Errorf("smeared: %+v", f)
	}
	good := testphoto.Card{Text: "GOOD", Edge: 0.1, X: 0.3, Y: 0.5}
	if f := Read(with(2, smeared, good)); !f.Unread || len(f.Codes) != 1 || f.Codes[0].Text != "GOOD" {
		t.Errorf("smeared, and a good one: %+v", f)
	}
	for i := range 6 { // the eye reads nothing any more at half a module
		c := held(rand.New(rand.NewPCG(uint64(i), 3)), "ABCDEFGH", 0.12, 0.3+0.04*float64(i))
		if f := Read(with(i, c)); !f.Unread && len(f.Codes) == 0 {
			t.Errorf("blurred by %.2f modules: not seen", c.Blur*25/1600/c.Edge)
		}
	}
}

// Five siblings hold their cards.
func TestSeveralCodes(t *testing.T) {
	var cards []testphoto.Card
	for i := range 5 {
		cards = append(cards, held(rand.New(rand.NewPCG(uint64(i), 4)), fmt.Sprintf("CHILD-%d", i), 0.1, 0.2))
		cards[i].X, cards[i].Y, cards[i].Turn = 0.12+0.19*float64(i), 0.5, 5
	}
	f := Read(with(3, cards...))
	texts := map[string]bool{}
	for _, c := range f.Codes {
		texts[c.Text] = true
	}
	if len(texts) != 5 || len(f.Codes) != 5 || f.Unread {
		t.Errorf("%v, unread %v", slices.Sorted(maps.Keys(texts)), f.Unread)
	}
}

// Whatever the samples are, reading ends, and what it returns is bounded.
func FuzzRead(f *testing.F) {
	f.Add([]byte("abcdef"), uint16(300))
	f.Fuzz(func(t *testing.T, pattern []byte, width uint16) {
		if len(pattern) == 0 {
			return
		}
		p := Luma{Width: int(width)%500 + 1, Height: 200}
		p.Stride = p.Width
		p.Pix = make([]byte, p.Stride*p.Height)
		for i := range p.Pix {
			p.Pix[i] = pattern[i%len(pattern)]
		}
		got := Read(p)
		if len(got.Codes) > MaxCodes {
			t.Fatal(len(got.Codes))
		}
		for _, c := range got.Codes {
			for _, at := range c.Corners {
				if !(at.X >= 0 && at.X <= 1 && at.Y >= 0 && at.Y <= 1) || len(c.Text) > MaxText {
					t.Fatal(c)
				}
			}
		}
	})
}

// BenchmarkRead is the CPU time for the rendition of a photo with 1600 pixels; wall time is
// not ours alone.
func BenchmarkRead(b *testing.B) {
	for name, p := range map[string]Luma{"no-code": with(0), "card": with(0, testphoto.Card{Text: "K7Q2AB12CD34", Edge: 0.1})} {
		b.Run(name, func(b *testing.B) {
			used := func() time.Duration {
				var u syscall.Rusage
				if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
					b.Fatal(err)
				}
				return time.Duration(u.Utime.Nano() + u.Stime.Nano())
			}
			start := used()
			for b.Loop() {
				Read(p)
			}
			b.ReportMetric(float64(used()-start)/1e6/float64(b.N), "cpu-ms/photo")
		})
	}
}

// BenchmarkScenes says how many of the scenes are read, by the size of the card.
func BenchmarkScenes(b *testing.B) {
	type count struct{ all, read, seen, wrong int }
	var n map[float64]*count
	for b.Loop() {
		n = map[float64]*count{}
		for i := range scenes {
			c, p := scene(i)
			if n[c.Edge] == nil {
				n[c.Edge] = &count{}
			}
			n[c.Edge].all++
			switch f := Read(p); {
			case len(f.Codes) == 1 && f.Codes[0].Text == c.Text:
				n[c.Edge].read++
			case len(f.Codes) > 0:
				n[c.Edge].wrong++
			case f.Unread:
				n[c.Edge].seen++
			}
		}
	}
	for _, edge := range slices.Sorted(maps.Keys(n)) {
		b.Logf("%2.0f %% of the edge: %d of %d read, %d seen only, %d wrong", 100*edge, n[edge].read, n[edge].all, n[edge].seen, n[edge].wrong)
	}
}

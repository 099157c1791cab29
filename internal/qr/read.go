package qr

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/detector"
)

const (
	maxSide   = 2400 // the longest side that is looked at; a larger picture is halved before
	maxTries  = 250  // of gozxing's; no picture but a hostile one needs a tenth of it
	smallSide = 700  // a smaller picture is looked at in twice its size too
)

// Read reads the codes of a picture, as it is and at half the size.
func Read(p Luma) Found { return look(p).found() }

func look(p Luma) *reader {
	for max(p.Width, p.Height) > maxSide {
		p = p.half()
	}
	r := &reader{width: float64(p.Width), height: float64(p.Height)}
	if min(p.Width, p.Height) < 5*block {
		return r
	}
	r.look(p, 1)
	if max(p.Width, p.Height) <= smallSide {
		r.look(p.double(), 0.5)
	}
	if h := p.half(); min(h.Width, h.Height) >= 5*block {
		r.look(h, 2)
	}
	if r.pairs {
		// Blur, ink that has run, and light that shines through make modules larger or smaller.
		for _, percent := range [...]int{80, 90, 110, 120} {
			r.lookAt(local(p, percent), 1)
		}
	}
	return r
}

// A reader collects what is found in several versions of one picture.
type reader struct {
	width, height float64
	read          []read
	unread        []corner
	tries         int  // of gozxing's
	pairs         bool // two finder patterns were found whose third one was not, or gives no code
}

// read is a code with its finder patterns, in pixels of the whole picture.
type read struct {
	text string
	corner
	modules int // of a side
}

// look looks at one version, of which a pixel is as large as scale pixels of the picture.
func (r *reader) look(p Luma, scale float64) {
	r.lookAt(local(p, 100), scale)
	if limit, ok := blackPoint(p); ok {
		r.lookAt(below(p, limit), scale)
	}
}

func (r *reader) lookAt(b *bitmap, scale float64) {
	found := finders(b)
	var m *gozxing.BitMatrix
	for _, c := range corners(found) {
		if m == nil {
			m = b.matrix()
		}
		whole := c.scaled(scale)
		if len(r.read) > MaxCodes || r.known(whole) {
			continue
		}
		if r.tries++; r.tries > maxTries {
			r.unread = append(r.unread, whole)
			break
		}
		if text, modules, ok := decode(m, c); ok {
			r.read = append(r.read, read{text, whole, modules})
		} else if c.likely() {
			r.unread = append(r.unread, whole)
		}
	}
	r.pairs = r.pairs || r.pair(found, scale)
}

// pair tells whether two finder patterns can be of one code, and of none that was read.
func (r *reader) pair(all []finder, scale float64) bool {
	for i, a := range all {
		for _, b := range all[:i] {
			module := (a.module + b.module) / 2
			apart := math.Hypot(a.x-b.x, a.y-b.y) / module
			if a.clear() && b.clear() && max(a.module, b.module) < 1.4*min(a.module, b.module) && apart > 9 && apart < 60 {
				if c := (corner{a, b, b, 0}); !r.known(c.scaled(scale)) {
					return true
				}
			}
		}
	}
	return false
}

// known tells whether a code that was read has one of the finder patterns.
func (r *reader) known(c corner) bool {
	return slices.ContainsFunc(r.read, func(q read) bool { return q.shares(c) })
}

func (r *reader) found() Found {
	var f Found
	for _, q := range r.read {
		if q.text == "" || len(q.text) > MaxText || !utf8.ValidString(q.text) || len(f.Codes) == MaxCodes {
			f.Unread = true
			continue
		}
		f.Codes = append(f.Codes, Code{q.text, q.outline(q.modules, r.width, r.height)})
	}
	// From left to right, whatever found them.
	slices.SortFunc(f.Codes, func(a, b Code) int {
		return cmp.Or(cmp.Compare(a.Corners[0].X, b.Corners[0].X), cmp.Compare(a.Corners[0].Y, b.Corners[0].Y), cmp.Compare(a.Text, b.Text))
	})
	f.Unread = f.Unread || slices.ContainsFunc(r.unread, func(c corner) bool { return !r.known(c) })
	return f
}

// decode has gozxing read the code that has these finder patterns.
func decode(m *gozxing.BitMatrix, c corner) (text string, modules int, ok bool) {
	// It has never panicked; if it does, the code is one that was not read.
	defer func() { _ = recover() }()
	pattern := func(f finder) *detector.FinderPattern { return detector.NewFinderPattern1(f.x, f.y, f.module) }
	info := detector.NewFinderPatternInfo(pattern(c.bottomLeft), pattern(c.topLeft), pattern(c.topRight))
	d, err := detector.NewDetector(m).ProcessFinderPatternInfo(info)
	if err != nil {
		return "", 0, false
	}
	got, err := decoder.NewDecoder().Decode(d.GetBits(), nil)
	if err != nil {
		return "", 0, false
	}
	return got.GetText(), d.GetBits().GetWidth(), true
}

func (c corner) scaled(by float64) corner {
	scale := func(f finder) finder { f.x, f.y, f.module = by*f.x, by*f.y, by*f.module; return f }
	return corner{scale(c.topLeft), scale(c.topRight), scale(c.bottomLeft), c.odd}
}

// shares tells whether two have a finder pattern in common.
func (c corner) shares(o corner) bool {
	for _, a := range [3]finder{c.topLeft, c.topRight, c.bottomLeft} {
		for _, b := range [3]finder{o.topLeft, o.topRight, o.bottomLeft} {
			if math.Hypot(a.x-b.x, a.y-b.y) <= 2.5*max(a.module, b.module) {
				return true
			}
		}
	}
	return false
}

// likely tells whether three finder patterns are surely those of a code.
func (c corner) likely() bool {
	return c.topLeft.clear() && c.topRight.clear() && c.bottomLeft.clear()
}

// clear tells whether enough of the rows that meet the inner square, 3 modules, saw it.
func (f finder) clear() bool { return float64(f.seen) >= max(2, 0.75*f.module) }

// outline estimates the corners as if the card were not tilted out of the picture's plane.
func (c corner) outline(modules int, width, height float64) [4]Point {
	// From centre to centre it is 7 modules less; the corner modules are 3 further out.
	out := 3 / float64(modules-7)
	ux, uy := c.topRight.x-c.topLeft.x, c.topRight.y-c.topLeft.y
	vx, vy := c.bottomLeft.x-c.topLeft.x, c.bottomLeft.y-c.topLeft.y
	at := func(u, v float64) Point {
		x, y := c.topLeft.x+u*ux+v*vx, c.topLeft.y+u*uy+v*vy
		return Point{max(0, min(1, x/width)), max(0, min(1, y/height))}
	}
	return [4]Point{at(-out, -out), at(1+out, -out), at(1+out, 1+out), at(-out, 1+out)}
}

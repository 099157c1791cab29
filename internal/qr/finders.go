package qr

import (
	"cmp"
	"math"
	"slices"
)

// A finder is a finder pattern: a black square in a white ring in a black one. Any line
// through its centre meets black, white, black, white, black as 1:1:3:1:1.
type finder struct {
	x, y   float64 // centre in pixels
	module float64 // pixels of one module
	seen   int     // rows that met it
}

// maxFinders bounds what a hostile picture can cost.
const maxFinders = 400

// finders looks at every second row.
func finders(b *bitmap) []finder {
	var all []finder
	for y := 1; y < b.height; y += 2 {
		var run [5]int // the last five, the last of them black
		for x, n := 0, 0; x < b.width; n++ {
			end := b.runEnd(x, y)
			run[0], run[1], run[2], run[3], run[4] = run[1], run[2], run[3], run[4], end-x
			if n >= 4 && b.black(x, y) && ratio(run, 2) {
				if f, ok := confirm(b, float64(end)-float64(run[4]+run[3])-float64(run[2])/2, y, run); ok {
					all = add(all, f)
				}
			}
			x = end
		}
		if len(all) >= maxFinders {
			break
		}
	}
	return all
}

// add merges what several rows meet.
func add(all []finder, f finder) []finder {
	for i := range all {
		o := &all[i]
		if math.Abs(o.x-f.x) <= o.module && math.Abs(o.y-f.y) <= o.module && math.Abs(o.module-f.module) <= max(1, o.module/2) {
			n := float64(o.seen)
			o.x, o.y, o.module = (n*o.x+f.x)/(n+1), (n*o.y+f.y)/(n+1), (n*o.module+f.module)/(n+1)
			o.seen++
			return all
		}
	}
	return append(all, f)
}

// ratio tells whether runs are as 1:1:3:1:1, each within a module divided by strict.
func ratio(run [5]int, strict float64) bool {
	total := run[0] + run[1] + run[2] + run[3] + run[4]
	if total < 7 {
		return false
	}
	module := float64(total) / 7
	slack := min(module/strict+0.5, 0.75*module) // half a pixel for the grid
	near := func(n int) bool { return math.Abs(float64(n)-module) < slack }
	return near(run[0]) && near(run[1]) && near(run[3]) && near(run[4]) && math.Abs(float64(run[2])-3*module) < 3*slack
}

// confirm looks along the column, the row and a diagonal through a possible centre.
func confirm(b *bitmap, x float64, y int, run [5]int) (finder, bool) {
	total := run[0] + run[1] + run[2] + run[3] + run[4]
	down, cy, ok := cross(b, int(x), y, 0, 1, total)
	if !ok || !ratio(down, 2) || 5*abs(sum(down)-total) >= 3*total {
		return finder{}, false
	}
	along, cx, ok := cross(b, int(x), int(cy), 1, 0, total)
	if !ok || !ratio(along, 2) || 5*abs(sum(along)-total) >= total+5 {
		return finder{}, false
	}
	slant, _, ok := cross(b, int(cx), int(cy), 1, 1, total)
	if !ok || !ratio(slant, 1.333) {
		return finder{}, false
	}
	return finder{cx, cy, float64(sum(along)+sum(down)) / 14, 1}, true
}

// cross counts the five runs of which the middle one contains x, y, in a direction in
// which dx and dy are 0 or 1, and returns the middle of the middle one: its y if dy is 1
// and dx is not, else its x. No run may be longer than limit.
func cross(b *bitmap, x, y, dx, dy, limit int) (run [5]int, middle float64, ok bool) {
	inside := func(x, y int) bool { return x >= 0 && y >= 0 && x < b.width && y < b.height }
	if !inside(x, y) || !b.black(x, y) {
		return run, 0, false
	}
	i, j := x, y
	for k, colour := 2, true; k >= 0; k, colour = k-1, !colour {
		for inside(i, j) && b.black(i, j) == colour && run[k] <= limit {
			run[k]++
			i, j = i-dx, j-dy
		}
		if run[k] == 0 || run[k] > limit {
			return run, 0, false
		}
	}
	before := run[2]
	i, j = x+dx, y+dy
	for k, colour := 2, true; k <= 4; k, colour = k+1, !colour {
		for inside(i, j) && b.black(i, j) == colour && run[k] <= limit {
			run[k]++
			i, j = i+dx, j+dy
		}
		if run[k] == 0 || run[k] > limit {
			return run, 0, false
		}
	}
	at := x
	if dx == 0 {
		at = y
	}
	return run, float64(at-before+1) + float64(run[2])/2, true
}

func sum(run [5]int) int { return run[0] + run[1] + run[2] + run[3] + run[4] }

func abs(n int) int { return max(n, -n) }

// A corner is three finder patterns that can be those of one code.
type corner struct {
	topLeft, topRight, bottomLeft finder
	odd                           float64 // how far from what an upright code shows
}

const (
	maxCorners = 60      // bounds what a hostile picture can cost
	maxTriples = 200_000 // and so does this
)

// corners puts finder patterns together: of about the same size, two sides of about the
// same length, an angle that a tilted card can have, and as far apart as in a QR code. The
// most regular come first.
func corners(all []finder) []corner {
	var out []corner
	// Those that several rows have met are tried first, if there are too many.
	slices.SortStableFunc(all, func(a, b finder) int { return b.seen - a.seen })
	for n := 3; (n-1)*(n-2)*n/2 < maxTriples && n <= len(all); n++ {
		// All triples with the last of the first n.
		last := all[n-1]
		for i, a := range all[:n-1] {
			for _, b := range all[:i] {
				for _, t := range [3][3]finder{{a, b, last}, {b, a, last}, {last, a, b}} {
					if c, ok := together(t[0], t[1], t[2]); ok {
						out = append(out, c)
					}
				}
			}
		}
	}
	slices.SortStableFunc(out, func(a, b corner) int { return cmp.Compare(a.odd, b.odd) })
	return out[:min(len(out), maxCorners)]
}

func together(at, b, c finder) (corner, bool) {
	const size, side, slant = 1.6, 1.8, 0.5 // a card tilted by 45 degrees, seen from three times its width
	least, most := min(at.module, b.module, c.module), max(at.module, b.module, c.module)
	if most > size*least {
		return corner{}, false
	}
	bx, by, cx, cy := b.x-at.x, b.y-at.y, c.x-at.x, c.y-at.y
	lb, lc := math.Hypot(bx, by), math.Hypot(cx, cy)
	cosine := math.Abs(bx*cx+by*cy) / (lb * lc)
	if max(lb, lc) > side*min(lb, lc) || cosine > slant {
		return corner{}, false
	}
	module := (at.module + b.module + c.module) / 3
	// Version 1 has 14 modules from centre to centre, version 40 has 170.
	if min(lb, lc) < 9*module || max(lb, lc) > 190*module {
		return corner{}, false
	}
	if bx*cy-by*cx < 0 { // y goes down
		b, c = c, b
	}
	return corner{at, b, c, cosine + math.Log(max(lb, lc)/min(lb, lc)) + math.Log(most/least)}, true
}

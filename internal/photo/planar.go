package photo

// source is a picture that sizes can be made from.
type source struct {
	planes
	w, h        int // pixels, as stored
	orientation int // still to be applied
}

// fit makes planes of w x h pixels as stored, subsampled for c, and turns them
// upright. Planes that fit already are not copied.
func (s source) fit(w, h int, c style) planes {
	out := make(planes, len(s.planes))
	for i, p := range s.planes {
		g := grid{w: w, h: h, spanW: float64(w), spanH: float64(h)}
		if i > 0 {
			ch, cv := c.h, c.v
			if swaps(s.orientation) {
				ch, cv = cv, ch
			}
			g = subsampled(w, h, ch, cv, flipsX(s.orientation), flipsY(s.orientation))
		}
		out[i] = p.resample(g).upright(s.orientation)
		if i > 0 { // the picture begins with the first sample now
			out[i].spanW, out[i].spanH = float64(w)/float64(c.h), float64(h)/float64(c.v)
			if swaps(s.orientation) {
				out[i].spanW, out[i].spanH = float64(h)/float64(c.h), float64(w)/float64(c.v)
			}
		}
	}
	return out
}

// subsampled is where colour samples lie, of which each covers h x v pixels, counted
// from the corner that will be the upper left one. In a picture of odd width that is
// to be mirrored, the first sample thus lies half outside.
func subsampled(w, h, ch, cv int, flipX, flipY bool) grid {
	g := grid{w: (w + ch - 1) / ch, h: (h + cv - 1) / cv, spanW: float64(w) / float64(ch), spanH: float64(h) / float64(cv)}
	if flipX {
		g.shiftX = float64(g.w) - g.spanW
	}
	if flipY {
		g.shiftY = float64(g.h) - g.spanH
	}
	return g
}

func flipsX(orientation int) bool {
	return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
}

func flipsY(orientation int) bool {
	return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
}

// upright turns one plane as [Upright] does an image.
func (p plane) upright(orientation int) plane {
	if orientation < 2 || orientation > 8 {
		return p
	}
	w, h := p.w, p.h
	if swaps(orientation) {
		w, h = h, w
	}
	out := newPlane(w, h)
	// In squares that fit into the first-level cache: where rows become columns,
	// each sample written touches another line of it.
	const square = 64
	for y := 0; y < p.h; y += square {
		for x := 0; x < p.w; x += square {
			p.turnSquare(out, x, y, min(x+square, p.w), min(y+square, p.h), orientation)
		}
	}
	return out
}

func (p plane) turnSquare(out plane, x0, y0, x1, y1, orientation int) {
	for y := y0; y < y1; y++ {
		at, step := place(x0, y, p.w, p.h, 1, out.stride, orientation)
		for _, v := range p.pix[y*p.stride+x0 : y*p.stride+x1] {
			out.pix[at] = v
			at += step
		}
	}
}

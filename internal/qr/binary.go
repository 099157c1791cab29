package qr

import (
	"math/bits"

	"github.com/makiuchi-d/gozxing"
)

// A bitmap is a picture in black (1) and white, each row in words of 64 pixels, the
// first in the lowest bit. Bits beyond the width are white.
type bitmap struct {
	width, height, row int
	words              []uint64
}

func newBitmap(w, h int) *bitmap {
	row := (w + 63) / 64
	return &bitmap{w, h, row, make([]uint64, row*h)}
}

func (b *bitmap) black(x, y int) bool { return b.words[y*b.row+x>>6]>>(x&63)&1 != 0 }

// runEnd returns where the run of one colour that x is in ends in row y.
func (b *bitmap) runEnd(x, y int) int {
	row := b.words[y*b.row : (y+1)*b.row]
	var flip uint64
	if row[x>>6]>>(x&63)&1 != 0 {
		flip = ^uint64(0)
	}
	i := x >> 6
	rest := (row[i] ^ flip) >> (x & 63) << (x & 63)
	for rest == 0 {
		if i++; i == len(row) {
			return b.width
		}
		rest = row[i] ^ flip
	}
	return min(b.width, i<<6+bits.TrailingZeros64(rest))
}

// matrix is the same for gozxing.
func (b *bitmap) matrix() *gozxing.BitMatrix {
	m, err := gozxing.NewBitMatrix(b.width, b.height)
	if err != nil {
		panic(err) // only for an empty picture
	}
	for y := range b.height {
		line := gozxing.NewBitArray(b.width)
		for i, w := range b.words[y*b.row : (y+1)*b.row] {
			line.SetBulk(i<<6, uint32(w))
			if i<<6+32 < b.width {
				line.SetBulk(i<<6+32, uint32(w>>32))
			}
		}
		m.SetRow(y, line)
	}
	return m
}

const (
	block      = 8  // pixels of one side of the squares that have a threshold of their own
	minDynamic = 24 // of a square that shows both black and white
)

// local makes the picture black and white as gozxing's HybridBinarizer does: by the
// average of 5 x 5 squares of 8 x 8 pixels around each, which uneven light does not disturb, and percent of it.
func local(p Luma, percent int) *bitmap {
	cols, rows := (p.Width+block-1)/block, (p.Height+block-1)/block
	points := blackPoints(p, cols, rows)
	b := newBitmap(p.Width, p.Height)
	limits := make([]byte, cols)
	for by := range rows {
		cy := max(2, min(by, rows-3))
		for bx := range cols {
			cx := max(2, min(bx, cols-3))
			sum := 0
			for _, y := range [5]int{cy - 2, cy - 1, cy, cy + 1, cy + 2} {
				at := y*cols + cx
				sum += int(points[at-2]) + int(points[at-1]) + int(points[at]) + int(points[at+1]) + int(points[at+2])
			}
			limits[bx] = byte(min(255, sum*percent/2500))
		}
		y0 := min(by*block, p.Height-block)
		for y := y0; y < y0+block; y++ {
			line, out := p.Pix[y*p.Stride:y*p.Stride+p.Width], b.words[y*b.row:(y+1)*b.row]
			clear(out)
			for bx, limit := range limits {
				x := min(bx*block, p.Width-block)
				s := (*[block]byte)(line[x:])
				w := dark(s[0], limit) | dark(s[1], limit)<<1 | dark(s[2], limit)<<2 | dark(s[3], limit)<<3 |
					dark(s[4], limit)<<4 | dark(s[5], limit)<<5 | dark(s[6], limit)<<6 | dark(s[7], limit)<<7
				out[x>>6] |= w << (x & 63)
				if x&63 > 56 {
					out[x>>6+1] |= w >> (64 - x&63)
				}
			}
		}
	}
	return b
}

// dark is 1 if v <= limit, without a branch.
func dark(v, limit byte) uint64 { return uint64(int64(v)-int64(limit)-1) >> 63 }

// blackPoints is the average of each square. In one without contrast there is either
// nothing black, or it is as its neighbours are.
func blackPoints(p Luma, cols, rows int) []byte {
	points := make([]byte, cols*rows)
	for by := range rows {
		y0 := min(by*block, p.Height-block)
		for bx := range cols {
			x0 := min(bx*block, p.Width-block)
			sum, lo, hi := 0, byte(255), byte(0)
			for y := y0; y < y0+block; y++ {
				s := (*[block]byte)(p.Pix[y*p.Stride+x0:])
				sum += int(s[0]) + int(s[1]) + int(s[2]) + int(s[3]) + int(s[4]) + int(s[5]) + int(s[6]) + int(s[7])
				lo = min(lo, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
				hi = max(hi, s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7])
			}
			average := sum / (block * block)
			if hi-lo <= minDynamic {
				average = int(lo) / 2
				if by > 0 && bx > 0 {
					neighbours := (int(points[(by-1)*cols+bx]) + 2*int(points[by*cols+bx-1]) + int(points[(by-1)*cols+bx-1])) / 4
					if int(lo) < neighbours {
						average = neighbours
					}
				}
			}
			points[by*cols+bx] = byte(average)
		}
	}
	return points
}

// below makes everything darker than one limit black.
func below(p Luma, limit byte) *bitmap {
	b := newBitmap(p.Width, p.Height)
	if limit == 0 {
		return b
	}
	for y := range p.Height {
		line, out := p.Pix[y*p.Stride:y*p.Stride+p.Width], b.words[y*b.row:(y+1)*b.row]
		for x, v := range line {
			out[x>>6] |= dark(v, limit-1) << (x & 63)
		}
	}
	return b
}

// half is the picture at half the size, each pixel the average of four.
func (p Luma) half() Luma {
	h := Luma{Width: p.Width / 2, Height: p.Height / 2, Stride: p.Width / 2}
	h.Pix = make([]byte, h.Width*h.Height)
	for y := range h.Height {
		a, b := p.Pix[2*y*p.Stride:][:2*h.Width], p.Pix[(2*y+1)*p.Stride:][:2*h.Width]
		out := h.Pix[y*h.Stride:][:h.Width]
		for x := range out {
			out[x] = byte((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1]) + 2) / 4)
		}
	}
	return h
}

// double is the picture at twice the size.
func (p Luma) double() Luma {
	d := Luma{Width: 2 * p.Width, Height: 2 * p.Height, Stride: 2 * p.Width}
	d.Pix = make([]byte, d.Width*d.Height)
	for y := range d.Height {
		near, far := p.Pix[y/2*p.Stride:][:p.Width], p.Pix[max(0, min(y/2-1+y%2*2, p.Height-1))*p.Stride:][:p.Width]
		out := d.Pix[y*d.Stride:][:d.Width]
		at := func(x int) int { return 3*int(near[x]) + int(far[x]) }
		for x := range p.Width {
			l, c, r := at(max(0, x-1)), at(x), at(min(x+1, p.Width-1))
			out[2*x], out[2*x+1] = byte((l+3*c+8)/16), byte((3*c+r+8)/16)
		}
	}
	return d
}

const buckets = 32

// blackPoint is a limit for the whole picture, found as gozxing's GlobalHistogramBinarizer
// does: the valley between the two peaks of four rows. Without contrast there is none.
func blackPoint(p Luma) (limit byte, ok bool) {
	var n [buckets]int
	for i := 1; i < 5; i++ {
		row := p.Pix[p.Height*i/5*p.Stride:][:p.Width]
		for _, v := range row[p.Width/5 : p.Width*4/5] {
			n[v>>3]++
		}
	}
	first, second := 0, 0
	for i := range n {
		if n[i] > n[first] {
			first = i
		}
	}
	best := 0
	for i := range n {
		if score := n[i] * (i - first) * (i - first); score > best {
			second, best = i, score
		}
	}
	highest := n[first]
	if first > second {
		first, second = second, first
	}
	if second-first <= buckets/16 {
		return 0, false
	}
	valley := second - 1
	best = -1
	for i := second - 1; i > first; i-- {
		if score := (i - first) * (i - first) * (second - i) * (highest - n[i]); score > best {
			valley, best = i, score
		}
	}
	return byte(valley << 3), true
}

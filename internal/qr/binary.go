package qr

import (
	"encoding/binary"
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
				// Not darker than the limit is lighter than or equal to it.
				w := onePerByte(^less(eight(limit), binary.LittleEndian.Uint64(line[x:])))
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

// The functions that follow treat a word as eight pixels, the first in the lowest byte.

const highBits = 0x8080808080808080 // of each pixel

// eight is the same pixel eight times.
func eight(v byte) uint64 { return uint64(v) * 0x0101010101010101 }

// less sets the highest bit of each pixel of a that is darker than the one of b. The
// other bits mean nothing.
func less(a, b uint64) uint64 {
	lower := (a | highBits) - b&^highBits // its highest bits tell where the seven lower bits of a are not less
	return ^a&b | ^(a^b)&^lower
}

// onePerByte moves the highest bits of eight bytes into the lowest byte.
func onePerByte(w uint64) uint64 { return (w & highBits >> 7) * 0x0102040810204080 >> 56 }

// sumOf is the sum, the darkest and the lightest of a square's pixels.
func sumOf(pix []byte, stride int) (sum int, lo, hi byte) {
	const odd = 0x00ff00ff00ff00ff
	first := binary.LittleEndian.Uint64(pix)
	sums, least, most := first&odd+first>>8&odd, first, first
	for y := 1; y < block; y++ {
		w := binary.LittleEndian.Uint64(pix[y*stride:])
		sums += w&odd + w>>8&odd
		darker, lighter := less(w, least), less(most, w)
		least ^= (least ^ w) & whole(darker)
		most ^= (most ^ w) & whole(lighter)
	}
	lo, hi = byte(least), byte(most)
	for i := 8; i < 64; i += 8 {
		lo, hi = min(lo, byte(least>>i)), max(hi, byte(most>>i))
	}
	return int(sums * 0x0001000100010001 >> 48), lo, hi
}

// whole sets all bits of the pixels whose highest bit is set, and clears the others.
func whole(w uint64) uint64 { return w & highBits >> 7 * 0xff }

// blackPoints is the average of each square. In one without contrast there is either
// nothing black, or it is as its neighbours are.
func blackPoints(p Luma, cols, rows int) []byte {
	points := make([]byte, cols*rows)
	for by := range rows {
		y0 := min(by*block, p.Height-block)
		for bx := range cols {
			x0 := min(bx*block, p.Width-block)
			sum, lo, hi := sumOf(p.Pix[y0*p.Stride+x0:], p.Stride)
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
		x := 0
		for ; x+8 <= len(line); x += 8 {
			out[x>>6] |= onePerByte(less(binary.LittleEndian.Uint64(line[x:]), eight(limit))) << (x & 63)
		}
		for ; x < len(line); x++ {
			out[x>>6] |= dark(line[x], limit-1) << (x & 63)
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

package qr

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// What works on eight pixels at once gives what the same rule gives pixel by pixel.
func TestEightPixelsAtOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		p := Luma{Width: 40 + r.IntN(90), Height: 40 + r.IntN(20)}
		p.Stride = p.Width + r.IntN(9)
		p.Pix = make([]byte, p.Stride*p.Height)
		spread, middle := 1+r.IntN(256), r.IntN(256)
		for i := range p.Pix {
			p.Pix[i] = byte(max(0, min(255, middle+r.IntN(spread)-spread/2)))
		}
		limit := byte(r.IntN(256))
		b := below(p, limit)
		for y := range p.Height {
			for x := range p.Width {
				if v := p.Pix[y*p.Stride+x]; b.black(x, y) != (v < limit) {
					t.Fatalf("%d below %d: %v", v, limit, b.black(x, y))
				}
			}
			for x := p.Width; x < b.row*64; x++ {
				if b.black(x, y) {
					t.Fatalf("black at %d, beyond the width of %d", x, p.Width)
				}
			}
		}
		x, y := r.IntN(p.Width-block), r.IntN(p.Height-block)
		var square []byte
		want := 0
		for i := range block {
			row := p.Pix[(y+i)*p.Stride+x:][:block]
			square = append(square, row...)
			for _, v := range row {
				want += int(v)
			}
		}
		if sum, lo, hi := sumOf(p.Pix[y*p.Stride+x:], p.Stride); sum != want || lo != slices.Min(square) || hi != slices.Max(square) {
			t.Fatalf("%v: %d, %d to %d", square, sum, lo, hi)
		}
	}
	for a := range 256 {
		for b := range 256 {
			if got, want := onePerByte(less(eight(byte(a)), eight(byte(b)))), map[bool]uint64{true: 255}[a < b]; got != want {
				t.Fatalf("%d less than %d: %b", a, b, got)
			}
		}
	}
}

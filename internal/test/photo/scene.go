package photo

import (
	"image"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// A scene is a head and shoulders before a background, coarse, plus a tile of fine
// detail. Coarse shapes are computed once in 16 pixels and stretched; the tile is
// repeated, which neither an eye nor a JPEG coder can make use of.

const (
	cell    = 16  // pixels of a coarse cell
	tile    = 512 // pixels of the tile of detail, a power of two
	octaves = 7   // of detail: from single pixels to 64
)

// coarse is a small picture in Y, Cb, Cr, with one more row and column than cells.
type coarse struct {
	w, h int
	pix  [][3]float32
}

func scene(s Spec) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, s.Width, s.Height), image.YCbCrSubsampleRatio420)
	rnd := rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15))
	shapes := portrait(s, rnd)
	detail := texture(rnd, s.Noise)

	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for i := range workers {
		// Bands start on even rows: two rows share their colours.
		from, to := s.Height*i/workers&^1, s.Height*(i+1)/workers&^1
		if i == workers-1 {
			to = s.Height
		}
		wg.Go(func() { paint(img, shapes, detail, from, to) })
	}
	wg.Wait()
	return img
}

// portrait draws the coarse picture so that it is upright once the orientation is
// applied.
func portrait(s Spec, rnd *rand.Rand) *coarse {
	c := &coarse{w: s.Width/cell + 2, h: s.Height/cell + 2}
	c.pix = make([][3]float32, c.w*c.h)
	tone := func(lo, hi float64) [3]float32 {
		return [3]float32{
			float32(lo + rnd.Float64()*(hi-lo)),
			float32(96 + rnd.Float64()*64), float32(96 + rnd.Float64()*64),
		}
	}
	back, shirt, hair := tone(90, 200), tone(50, 200), tone(25, 110)
	skin := [3]float32{float32(120 + rnd.Float64()*80), 110, 150}
	cx, lean := 0.42+rnd.Float64()*0.16, rnd.Float64()*6.28

	w, h := float64(s.Width), float64(s.Height)
	if s.Orientation >= 5 {
		w, h = h, w
	}
	for y := range c.h {
		for x := range c.w {
			u, v := upright(float64(x*cell)/float64(s.Width), float64(y*cell)/float64(s.Height), s.Orientation)
			du, dv := (u-cx)*w/h, v-0.42
			col := back
			col[0] += float32(30*math.Sin(3*u+lean) - 40*v)
			switch {
			case v > 0.66 && du*du/0.16+(v-1.05)*(v-1.05)/0.14 < 1:
				col = shirt
				col[0] += float32(20 * math.Sin(40*du))
			case du*du/0.020+dv*dv/0.036 < 1:
				col = skin
				col[0] -= float32(400 * du * du)
			case du*du/0.027+(dv+0.05)*(dv+0.05)/0.046 < 1:
				col = hair
			}
			col[0] += float32(rnd.NormFloat64() * 4)
			c.pix[y*c.w+x] = col
		}
	}
	return c
}

// upright maps a place in the stored picture to where it is seen, both 0 to 1.
func upright(x, y float64, orientation int) (u, v float64) {
	switch orientation {
	case 2:
		return 1 - x, y
	case 3:
		return 1 - x, 1 - y
	case 4:
		return x, 1 - y
	case 5:
		return y, x
	case 6:
		return 1 - y, x
	case 7:
		return 1 - y, 1 - x
	case 8:
		return y, 1 - x
	}
	return x, y
}

// texture is the tile: value noise in octaves, each half as fine and about as strong
// as natural pictures have it (amplitude falls with frequency), plus grain.
func texture(rnd *rand.Rand, percent int) []int16 {
	sum := make([]float32, tile*tile)
	for o := range octaves {
		step := 1 << o
		n := tile / step
		grid := make([]float32, n*n)
		for i := range grid {
			grid[i] = float32(rnd.NormFloat64())
		}
		amp := float32(3.4 * math.Pow(1.28, float64(o)))
		for y := range tile {
			gy, fy := y/step, float32(y%step)/float32(step)
			a, b := grid[gy*n:gy*n+n], grid[(gy+1)%n*n:(gy+1)%n*n+n]
			for x := range tile {
				gx, fx := x/step, float32(x%step)/float32(step)
				gx2 := (gx + 1) % n
				top, bottom := a[gx]+(a[gx2]-a[gx])*fx, b[gx]+(b[gx2]-b[gx])*fx
				sum[y*tile+x] += amp * (top + (bottom-top)*fy)
			}
		}
	}
	out := make([]int16, len(sum))
	for i, v := range sum {
		out[i] = int16(v * 64 * float32(percent) / 100)
	}
	return out
}

// paint fills rows from to to. Fixed point, 6 bits: this is the loop that makes a
// 24-megapixel photo affordable.
func paint(img *image.YCbCr, c *coarse, detail []int16, from, to int) {
	w := img.Rect.Dx()
	for y := from; y < to; y++ {
		gy, fy := y/cell, float32(y%cell)/cell
		top, bottom := c.pix[gy*c.w:(gy+1)*c.w], c.pix[(gy+1)*c.w:(gy+2)*c.w]
		// The tile is sheared, so that its repetitions make no grid.
		row := detail[y%tile*tile : (y%tile+1)*tile]
		shift := y * 197 / tile
		out := img.Y[y*img.YStride : y*img.YStride+w]
		for x0 := 0; x0 < w; x0 += cell {
			i := x0 / cell
			l := int32((top[i][0] + (bottom[i][0]-top[i][0])*fy) * 64)
			r := int32((top[i+1][0] + (bottom[i+1][0]-top[i+1][0])*fy) * 64)
			d := (r - l) / cell
			for x := x0; x < min(x0+cell, w); x++ {
				out[x] = clamp((l + int32(row[(x+shift)&(tile-1)])) >> 6)
				l += d
			}
		}
		if y%2 != 0 {
			continue
		}
		for ch, plane := range [][]byte{img.Cb, img.Cr} {
			out := plane[y/2*img.CStride : y/2*img.CStride+(w+1)/2]
			for x := range out {
				i, f := 2*x/cell, float32(2*x%cell)/cell
				l := top[i][ch+1] + (bottom[i][ch+1]-top[i][ch+1])*fy
				r := top[i+1][ch+1] + (bottom[i+1][ch+1]-top[i+1][ch+1])*fy
				grain := int32(row[(2*x+shift+tile/3*(ch+1))&(tile-1)]) / 6
				out[x] = clamp((int32((l+(r-l)*f)*64) + grain) >> 6)
			}
		}
	}
}

func clamp(v int32) byte { return byte(max(0, min(255, v))) }

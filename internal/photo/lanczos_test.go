package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"

	testphoto "picday/internal/test/photo"
)

// grey makes a plane from what it is at each place.
func grey(w, h int, at func(x, y int) byte) plane {
	p := newPlane(w, h)
	for y := range h {
		for x := range w {
			p.pix[y*p.stride+x] = at(x, y)
		}
	}
	return p
}

// zone is a zone plate: rings that get finer outwards, up to what pixels can show.
func zone(w, h int) plane {
	return grey(w, h, func(x, y int) byte {
		u, v := float64(x-w/2), float64(y-h/2)
		return byte(127.5 + 127.5*math.Cos(math.Pi*(u*u+v*v)/float64(max(w, h))))
	})
}

func noise(w, h int) plane {
	r := rand.New(rand.NewPCG(1, 2))
	return grey(w, h, func(int, int) byte { return byte(r.Uint32()) })
}

// brightness is the Y of a JPEG, decoded in full.
func brightness(t testing.TB, b []byte) plane {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	p := newPlane(img.Bounds().Dx(), img.Bounds().Dy())
	switch in := img.(type) {
	case *image.YCbCr:
		p.pix, p.stride = in.Y, in.YStride
	case *image.Gray:
		p.pix, p.stride = in.Pix, in.Stride
	}
	return p
}

func (p plane) image() *image.Gray {
	return &image.Gray{Pix: p.pix, Stride: p.stride, Rect: image.Rect(0, 0, p.w, p.h)}
}

func (p plane) to(w, h int) plane {
	return p.resample(grid{w: w, h: h, spanW: float64(w), spanH: float64(h)})
}

// psnr compares planes of one size, in dB, and says how much brighter b is.
func psnr(a, b plane) (db, bias float64) {
	sum, n := 0., float64(a.w*a.h)
	for y := range a.h {
		for x := range a.w {
			d := float64(b.pix[y*b.stride+x]) - float64(a.pix[y*a.stride+x])
			sum, bias = sum+d*d, bias+d
		}
	}
	if sum == 0 {
		return 99, 0
	}
	return 10 * math.Log10(255*255*n/sum), bias / n
}

// Our planes against nfnt's, which rounds down twice and so is up to one level
// darker: that alone is 48 dB. Its weights have 8 bits, which costs the rest where
// neighbours differ by up to 255 levels.
func TestLanczosAgainstNfnt(t *testing.T) {
	bound := map[string]float64{"photo": 47, "strong photo": 47, "zone plate": 45} // dB
	pics := map[string]plane{
		"photo":        brightness(t, testphoto.Make(testphoto.Spec{Width: 1500, Height: 1000, Seed: 3})),
		"strong photo": brightness(t, testphoto.Make(testphoto.Spec{Width: 1501, Height: 997, Seed: 4, Noise: 250})),
		"noise":        noise(700, 501),
		"zone plate":   zone(801, 640),
		"one row":      noise(999, 1),
		"one column":   noise(1, 999),
		"one pixel":    noise(1, 1),
		"tiny":         noise(3, 2),
	}
	for name, p := range pics {
		worst, least := 99., max(40, bound[name])
		for _, longest := range []int{1, 2, 7, 100, 333, 400, p.w / 2, max(p.w, p.h) - 1, max(p.w, p.h) * 2} {
			side := float64(max(longest, 1)) / float64(max(p.w, p.h))
			w, h := max(1, int(math.Round(float64(p.w)*side))), max(1, int(math.Round(float64(p.h)*side)))
			if w == p.w && h == p.h {
				continue
			}
			img := lanczos(p.image(), w, h).(*image.Gray)
			want := plane{pix: img.Pix, stride: img.Stride, w: w, h: h}
			got := p.to(w, h)
			db, bias := psnr(want, got)
			if worst = min(worst, db); db < least || bias < -0.1 || bias > 1.2 {
				t.Errorf("%s to %d x %d: %.1f dB, %.2f levels brighter", name, w, h, db, bias)
			}
		}
		t.Logf("%s: at least %.1f dB", name, worst)
	}
}

// exact is the same filter in floating point, rounded once at the end.
func exact(p plane, w, h int) plane {
	line := func(size, dst, i int) (int, []float64) {
		step := float64(size) / float64(dst)
		wide := max(step, 1)
		at := (float64(i)+0.5)*step - 0.5
		first, last := int(math.Floor(at-3*wide))+1, int(math.Floor(at+3*wide))
		out, sum := []float64{}, 0.
		for k := first; k <= last; k++ {
			out = append(out, lanczos3((float64(k)-at)/wide))
			sum += out[len(out)-1]
		}
		for k := range out {
			out[k] /= sum
		}
		return first, out
	}
	mid := make([]float64, p.w*h)
	for y := range h {
		first, ws := line(p.h, h, y)
		for k, wt := range ws {
			row := p.pix[max(0, min(first+k, p.h-1))*p.stride:]
			for x := range p.w {
				mid[y*p.w+x] += wt * float64(row[x])
			}
		}
	}
	out := newPlane(w, h)
	for x := range w {
		first, ws := line(p.w, w, x)
		for y := range h {
			v := 0.
			for k, wt := range ws {
				v += wt * mid[y*p.w+max(0, min(first+k, p.w-1))]
			}
			out.pix[y*out.stride+x] = byte(max(0, min(255, math.Round(v))))
		}
	}
	return out
}

// Against the same filter in floating point nothing but rounding may differ.
func TestLanczosIsExact(t *testing.T) {
	for name, p := range map[string]plane{
		"photo": brightness(t, testphoto.Make(testphoto.Spec{Width: 900, Height: 600})), "noise": noise(500, 333), "zone": zone(400, 401),
		"black": grey(300, 300, func(int, int) byte { return 0 }), "white": grey(299, 301, func(int, int) byte { return 255 }),
		"checks": grey(300, 300, func(x, y int) byte { return byte(255 * ((x + y) & 1)) }),
	} {
		for _, size := range [][2]int{{400, 267}, {401, 100}, {17, 300}, {1, 1}, {3, 2}, {1000, 500}} {
			got, want := p.to(size[0], size[1]), exact(p, size[0], size[1])
			for y := range got.h {
				for x := range got.w {
					g, w := int(got.pix[y*got.stride+x]), int(want.pix[y*want.stride+x])
					if g-w > 1 || w-g > 1 {
						t.Fatalf("%s to %v: %d at %d,%d, want %d", name, size, g, x, y, w)
					}
				}
			}
			if db, bias := psnr(want, got); db < 54 || math.Abs(bias) > 0.15 {
				t.Errorf("%s to %v: %.1f dB, bias %.3f", name, size, db, bias)
			}
		}
	}
}

// What lanczos.c relies on.
func TestWeights(t *testing.T) {
	for _, size := range []int{1, 2, 5, 31, 500, 3000, 65500} {
		for _, dst := range []int{1, 2, 3, 30, 267, 1600, 2999, 5000} {
			for _, part := range []float64{0, 0.5, 0.9} {
				f := lanczosWeights(size, float64(size)-part, dst, float64(dst)-part, part)
				for i, start := range f.start {
					sum, size1 := 0, 0
					for _, w := range f.w[i*f.n : (i+1)*f.n] {
						sum += int(w)
						size1 += max(int(w), -int(w))
					}
					if start < 0 || int(start)+f.n > size || sum != one || size1 >= 2*one {
						t.Fatalf("%d to %d, %d: from %d, %d weights, sum %d, magnitudes %d", size, dst, i, start, f.n, sum, size1)
					}
				}
			}
		}
	}
}

func BenchmarkLanczos(b *testing.B) {
	p := noise(3000, 2000)
	for _, w := range []int{1600, 400} {
		b.Run(fmt.Sprint(w), func(b *testing.B) { perPhoto(b, func() { p.to(w, w*2/3) }) })
	}
}

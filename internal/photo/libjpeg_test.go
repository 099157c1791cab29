package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

func decodeFor(t testing.TB, b []byte, n need) *decoded {
	t.Helper()
	f := factsOf(b)
	d, err := decodePlanes(b, false, f.Width, f.Height, n, Limits{}.decoderMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.free)
	return d
}

// odd is a photo in every subsampling, of a size that fits no block.
func odd(t testing.TB) map[string][]byte {
	pic := testphoto.Make(testphoto.Spec{Width: 333, Height: 251, Noise: 50})
	out := map[string][]byte{}
	for name, s := range map[string]style{
		"444": {1, 1, 0}, "422": {2, 1, 0}, "420": {2, 2, 0}, "440": {1, 2, 0}, "411": {4, 1, 0}, "410": {4, 2, 0}, "441": {1, 4, 0},
		"420 progressive": {2, 2, progressive}, "444 optimal": {1, 1, optimalTables},
	} {
		out[name] = recode(pic, s, 95)
	}
	d := decodeFor(t, pic, needAll)
	grey, err := encodePlanes(source{d.planes[:1], 333, 251, 1}.fit(333, 251, style{}), style{}, 95)
	if err != nil {
		t.Fatal(err)
	}
	out["grey"] = grey
	return out
}

// Decoded in full, the planes are those of image/jpeg but for the rounding of its
// transform.
func TestDecodeAgainstGo(t *testing.T) {
	for name, b := range odd(t) {
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		for i, p := range decodeFor(t, b, needAll).planes {
			q := plane{w: p.w, h: p.h}
			switch in := img.(type) {
			case *image.Gray:
				q.pix, q.stride = in.Pix, in.Stride
			case *image.YCbCr:
				q.pix, q.stride = [][]byte{in.Y, in.Cb, in.Cr}[i], []int{in.YStride, in.CStride, in.CStride}[i]
			}
			if db, _ := psnr(p, q); db < 48 {
				t.Errorf("%s, plane %d: %.1f dB", name, i, db)
			}
		}
	}
}

// Decoded smaller, each plane is the full one made smaller: also colour, where we
// override libjpeg's choice, and whatever the size of brightness is.
func TestDecodeScaled(t *testing.T) {
	for name, b := range odd(t) {
		full := decodeFor(t, b, needAll).planes
		for _, y := range []float64{1, 2, 4, 8} {
			for _, c := range []float64{1, 2, 4, 8} {
				n := need{333 / y, 251 / y, 0, 0}
				if len(full) == 3 {
					n.colourW, n.colourH = full[1].spanW/c, full[1].spanH/c
				}
				for i, p := range decodeFor(t, b, n).planes {
					want := y
					if i > 0 {
						want = c
					}
					if p.spanW != full[i].spanW/want || p.spanH != full[i].spanH/want {
						t.Fatalf("%s at 1/%g, 1/%g: plane %d covers %g x %g", name, y, c, i, p.spanW, p.spanH)
					}
					small := full[i].resample(grid{w: p.w, h: p.h, spanW: p.spanW, spanH: p.spanH})
					if db, bias := psnr(small, p); db < 30 || bias > 0.5 || bias < -0.5 {
						t.Errorf("%s at 1/%g, 1/%g: plane %d %.1f dB, bias %.2f", name, y, c, i, db, bias)
					}
				}
			}
		}
	}
}

// Every subsampling and orientation gives the same picture as in the photo before.
func TestRenderOddSubsampling(t *testing.T) {
	for name, b := range odd(t) {
		f := factsOf(b)
		var first planes
		for o := 1; o <= 8; o++ {
			for _, longest := range []int{333, 201, 60} {
				pic, err := Render(bytes.NewReader(b), Meta{Orientation: o}, f, Limits{}, []rendition.Spec{{Name: "x", Longest: longest, Quality: 95}})
				out := pic.Renditions
				if err != nil {
					t.Fatal(name, err)
				}
				w, h := UprightSize(f, o)
				if w, h = Fit(w, h, longest); out[0].Width != w || out[0].Height != h {
					t.Errorf("%s, %d: %d x %d", name, o, out[0].Width, out[0].Height)
				}
				if longest != 201 {
					continue
				}
				// Turned back, it is the first one, colour included: where a colour
				// sample lay half a pixel off, that would be seen here.
				g := factsOf(out[0].JPEG)
				d := decodeFor(t, out[0].JPEG, needAll)
				back := []int{0, 1, 2, 3, 4, 5, 8, 7, 6}[o]
				p := source{d.planes, g.Width, g.Height, back}.fit(g.Width, g.Height, style{1, 1, 0})
				if o == 1 {
					first = p
				}
				for i := range p {
					if db, _ := psnr(first[i], p[i]); db < 34 {
						t.Errorf("%s, orientation %d, plane %d: %.1f dB", name, o, i, db)
					}
				}
			}
		}
	}
}

func TestRenderWhatFollowsTheEnd(t *testing.T) {
	b := withThumbnail()
	want := render(t, b, sizes...)
	for name, tail := range map[string][]byte{"garbage": bytes.Repeat([]byte("tail\xff\xd8\xff"), 1000), "second image": b, "zeros": make([]byte, 9999)} {
		for i, r := range render(t, append(slices.Clone(b), tail...), sizes...) {
			if !bytes.Equal(r.JPEG, want[i].JPEG) {
				t.Errorf("%s: %s differs", name, r.Name)
			}
		}
	}
}

// The memory of the decoder is bounded before it begins, also where the frame is one
// of those that are not called progressive and need as much.
func TestDecoderMemory(t *testing.T) {
	for name, b := range map[string][]byte{"progressive": samples(t)["progressive"], "three scans": samples(t)["three-scans"]} {
		b = slices.Clone(b)
		f := factsOf(b)
		i := bytes.Index(b, []byte{0xff, f.SOF, 0, 17})
		copy(b[i+5:], []byte{0x27, 0x10, 0x27, 0x10}) // 10,000 x 10,000
		f.Width, f.Height = 10000, 10000
		_, err := Render(bytes.NewReader(b), Meta{}, f, Limits{MaxProgressive: 1, MaxPixels: 1 << 30}, sizes)
		if !errors.Is(err, ErrTooComplex) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := decodePlanes(b, false, 10000, 10000, need{}, 1<<20); !errors.Is(err, ErrTooComplex) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Good files broken at random: nothing crashes, each is a photo or refused with one
// of our reasons, and what is a photo is one for which image/jpeg and a second
// decoding in full by libjpeg have no complaint either.
func TestRenderCorrupted(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	good := map[string][]byte{"exif": withThumbnail(), "restart": samples(t)["restart"], "cmyk": samples(t)["cmyk"], "rgb": samples(t)["rgb"]}
	for name, b := range odd(t) {
		good[name] = b
	}
	published, goSawNothing, outcome := 0, 0, map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(good)) {
		for range 60 {
			b := slices.Clone(good[name])
			switch rnd.IntN(4) {
			case 0: // cut, and an end put on
				b = append(b[:rnd.IntN(len(b))], eoi...)
			case 1: // a hole
				at := rnd.IntN(len(b))
				clear(b[at:min(len(b), at+rnd.IntN(4096))])
			default: // some bits
				for range 1 + rnd.IntN(3) {
					b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
				}
			}
			f := factsOf(b)
			out, err := Render(bytes.NewReader(b), ReadMeta(bytes.NewReader(b)), f, Limits{}, sizes)
			_, goErr := jpeg.Decode(bytes.NewReader(b))
			switch {
			case err == nil:
				outcome["published"]++
				published++
				d, err := decodePlanes(b[:f.EOI], false, f.Width, f.Height, needAll, 1<<30)
				if err != nil || len(out.Renditions) != len(sizes) {
					t.Errorf("%s: published, but %v", name, err)
				} else {
					d.free()
				}
			case errors.Is(err, ErrDamaged), errors.Is(err, ErrIncomplete), errors.Is(err, ErrTooComplex), errors.Is(err, ErrNotJPEG):
				outcome[fmt.Sprint(errors.Unwrap(err))]++
				if goErr == nil {
					goSawNothing++
				}
			default:
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	t.Logf("%v; of those refused image/jpeg would have taken %d", outcome, goSawNothing)
	if published == 0 {
		t.Error("nothing published: the test tests nothing")
	}
}

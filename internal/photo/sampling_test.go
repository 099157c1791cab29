package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"picday/internal/rendition"
)

// flat is a JPEG of w x h pixels of the same middle grey, its components sampled as
// given, each in a scan of its own or all in one. Its Huffman tables have one code, a
// single 0, for "no difference" and "end of block", so that its data are zeros.
func flat(w, h int, s []sampling, separate bool, extra ...[]byte) []byte {
	var b bytes.Buffer
	seg := func(code byte, body ...byte) {
		b.Write([]byte{0xff, code})
		_ = binary.Write(&b, binary.BigEndian, uint16(len(body)+2))
		b.Write(body)
	}
	b.Write([]byte{0xff, 0xd8})
	for _, x := range extra {
		b.Write(x)
	}
	seg(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)
	frame := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), byte(len(s))}
	maxH, maxV := 1, 1
	for i, c := range s {
		frame = append(frame, byte(i+1), byte(c.h<<4|c.v), 0)
		maxH, maxV = max(maxH, c.h), max(maxV, c.v)
	}
	seg(0xc0, frame...)
	one := append([]byte{1}, make([]byte, 15)...)
	seg(0xc4, append(append([]byte{0}, one...), 0)...)
	seg(0xc4, append(append([]byte{0x10}, one...), 0)...)
	up := func(n, by int) int { return (n + by - 1) / by }
	scan := func(blocks int, of ...int) {
		head := []byte{byte(len(of))}
		for _, i := range of {
			head = append(head, byte(i+1), 0)
		}
		seg(0xda, append(head, 0, 63, 0)...)
		data := make([]byte, up(2*blocks, 8))
		if n := 2 * blocks % 8; n > 0 {
			data[len(data)-1] = 0xff >> n
		}
		b.Write(data)
	}
	alone := func(i int) int { return up(up(w*s[i].h, maxH), 8) * up(up(h*s[i].v, maxV), 8) }
	switch {
	case len(s) == 1:
		scan(alone(0), 0)
	case separate:
		for i := range s {
			scan(alone(i), i)
		}
	default:
		all, sum := []int{}, 0
		for i, c := range s {
			all, sum = append(all, i), sum+c.h*c.v
		}
		scan(sum*up(w, 8*maxH)*up(h, 8*maxV), all...)
	}
	b.Write([]byte{0xff, 0xd9})
	return b.Bytes()
}

// mustStayGrey renders a flat picture, and wants one grey in the whole of each
// rendition. It returns whether libjpeg takes such a file.
func mustStayGrey(t *testing.T, name string, pic []byte) bool {
	t.Helper()
	f := factsOf(pic)
	for o := 1; o <= 8; o += 5 { // upright, and turned
		out, err := Render(bytes.NewReader(pic), Meta{Orientation: o}, f, Limits{}, []rendition.Spec{{Name: "same", Longest: 5000, Quality: 90}, {Name: "half", Longest: max(f.Width, f.Height) / 2, Quality: 85}, {Name: "small", Longest: 9, Quality: 80}})
		if err != nil {
			if !errors.Is(err, ErrTooComplex) && !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", name, err)
			}
			return false
		}
		for _, r := range out.Renditions {
			img, err := jpeg.Decode(bytes.NewReader(r.JPEG))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			first := img.At(0, 0)
			if cr, cg, cb, _ := first.RGBA(); cr != cg || cg != cb {
				t.Fatalf("%s, orientation %d: %s begins with %v, which is no grey", name, o, r.Name, first)
			}
			for y := range img.Bounds().Dy() {
				for x := range img.Bounds().Dx() {
					if img.At(x, y) != first {
						t.Fatalf("%s, orientation %d: %s has %v at %d, %d and %v at 0, 0: samples of something else", name, o, r.Name, img.At(x, y), x, y, first)
					}
				}
			}
		}
	}
	return true
}

// soil leaves memory behind that is not grey, as the photo before does.
func soil(t *testing.T) {
	t.Helper()
	for _, b := range [][]byte{samples(t)["420"], samples(t)["444"], samples(t)["progressive"]} {
		render(t, b, sizes...)
	}
}

// Whatever the sampling factors say, a rendition shows the picture's own samples and
// no others. Colour planes of two sizes were once taken for planes of one.
func TestSampling(t *testing.T) {
	soil(t)
	factors := []sampling{{1, 1}, {2, 1}, {1, 2}, {2, 2}}
	all := []sampling{}
	for h := 1; h <= 4; h++ {
		for v := 1; v <= 4; v++ {
			all = append(all, sampling{h, v})
		}
	}
	kinds := [][]sampling{}
	for _, s := range all {
		kinds = append(kinds, []sampling{s})
	}
	add := func(from []sampling) {
		for _, y := range from {
			for _, cb := range from {
				for _, cr := range from {
					kinds = append(kinds, []sampling{y, cb, cr})
				}
			}
		}
	}
	sizes := [][2]int{{45, 37}}
	if os.Getenv("PICDAY_TORTURE") != "" {
		sizes = append(sizes, [2]int{64, 64}, [2]int{131, 9})
		add(all)
	} else {
		add(factors)
		rnd := rand.New(rand.NewPCG(1, 2))
		pick := func() sampling { return all[rnd.IntN(len(all))] }
		for range 200 {
			kinds = append(kinds, []sampling{pick(), pick(), pick()})
		}
	}
	taken, refused := 0, 0
	for i, s := range kinds {
		for _, size := range sizes {
			for _, separate := range []bool{false, true} {
				if mustStayGrey(t, fmt.Sprintf("%v %v separate=%t", size, s, separate), flat(size[0], size[1], s, separate)) {
					taken++
				} else {
					refused++
				}
			}
		}
		if i%100 == 0 {
			soil(t)
		}
	}
	t.Logf("%d kinds, %d files taken, %d refused", len(kinds), taken, refused)
	if taken < len(kinds) {
		t.Error("hardly any were taken: the test tests nothing")
	}
}

// Planes that do not fit are refused by both sides of the border to C, whatever made
// them.
func TestPlanesThatDoNotFit(t *testing.T) {
	good := func() planes { return planes{newPlane(45, 37), newPlane(23, 19), newPlane(23, 19)} }
	if _, err := encodePlanes(good(), style{2, 2, 0}, 80); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(planes) planes{
		"Cr wider than Cb":    func(p planes) planes { p[2] = newPlane(45, 19); return p },
		"Cr higher than Cb":   func(p planes) planes { p[2] = newPlane(23, 37); return p },
		"Cr narrower":         func(p planes) planes { p[2] = newPlane(12, 19); return p },
		"Cr lower":            func(p planes) planes { p[2] = newPlane(23, 10); return p },
		"rows not padded":     func(p planes) planes { p[2].stride = 23; return p },
		"bytes missing":       func(p planes) planes { p[1].pix = p[1].pix[:len(p[1].pix)-1]; return p },
		"no bytes":            func(p planes) planes { p[1].pix = nil; return p },
		"no width":            func(p planes) planes { p[1].w = 0; return p },
		"covers too much":     func(p planes) planes { p[0].spanW = 46; return p },
		"covers nothing":      func(p planes) planes { p[0].spanH = 0; return p },
		"two planes":          func(p planes) planes { return p[:2] },
		"brightness too high": func(p planes) planes { p[0] = newPlane(45, 39); return p },
	} {
		if _, err := encodePlanes(spoil(good()), style{2, 2, 0}, 80); err == nil {
			t.Errorf("%s: coded", name)
		}
	}
}

// The same under AddressSanitizer, in a build of its own, with every kind there is.
func TestSamplingSanitized(t *testing.T) {
	if os.Getenv("PICDAY_TORTURE") == "" {
		t.Skip("a build of its own: only with PICDAY_TORTURE=1")
	}
	if os.Getenv("PICDAY_SANITIZED") != "" {
		t.Skip("this is that build")
	}
	cmd := exec.Command("go", "test", "-asan", "-count=1", "-timeout=30m", "-v", "-run=^(TestSampling|TestPlanesThatDoNotFit|TestRenderCorrupted|TestRenderSamples|TestRenderOddSubsampling)$", ".")
	cmd.Env = append(os.Environ(), "PICDAY_SANITIZED=1", "ASAN_OPTIONS=detect_leaks=0")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS: Test") != 5 {
		t.Fatalf("%v\n%s", err, out)
	}
}

package photo

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

var sizes = []rendition.Spec{{Name: "thumb", Longest: 20, Quality: 80}, {Name: "large", Longest: 50, Quality: 85}, {Name: "same", Longest: 5000, Quality: 90}}

func render(t testing.TB, b []byte, sizes ...rendition.Spec) []Rendition {
	t.Helper()
	r := bytes.NewReader(b)
	out, err := Render(r, ReadMeta(r), factsOf(b), Limits{}, sizes)
	if err != nil {
		t.Fatal(err)
	}
	return out.Renditions
}

func TestRenderSamples(t *testing.T) {
	all := samples(t)
	reference, err := jpeg.Decode(bytes.NewReader(all["444"]))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range all {
		if name == "arithmetic" {
			continue
		}
		o := ReadMeta(bytes.NewReader(b)).Orientation
		for i, r := range render(t, b, sizes...) {
			img, err := jpeg.Decode(bytes.NewReader(r.JPEG))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			w, h := UprightSize(factsOf(b), o)
			w, h = Fit(w, h, sizes[i].Longest)
			if r.Name != sizes[i].Name || r.Width != w || r.Height != h || img.Bounds() != image.Rect(0, 0, w, h) {
				t.Errorf("%s: %s is %d x %d, %v; want %d x %d", name, r.Name, r.Width, r.Height, img.Bounds(), w, h)
			}
			if bytes.Contains(r.JPEG, []byte("Exif")) || bytes.Contains(r.JPEG, []byte(iccTag)) != (name == "icc") {
				t.Errorf("%s: wrong metadata in %s", name, r.Name)
			}
			if o == 1 && name != "grey" {
				if d := distance(reference, img); d > 12 {
					t.Errorf("%s: %s is %.1f levels away from the original", name, r.Name, d)
				}
			}
		}
	}
}

// distance is the mean difference of two pictures of any size, in levels of 255,
// over a grid of small areas.
func distance(a, b image.Image) float64 {
	const n = 6
	mean := func(img image.Image, i, j int) (out [3]float64) {
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		count := 0.
		for y := j * h / n; y < (j+1)*h/n; y++ {
			for x := i * w / n; x < (i+1)*w/n; x++ {
				c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
				out[0], out[1], out[2] = out[0]+float64(c.R), out[1]+float64(c.G), out[2]+float64(c.B)
				count++
			}
		}
		for i := range out {
			out[i] /= count
		}
		return out
	}
	sum := 0.
	for j := range n {
		for i := range n {
			p, q := mean(a, i, j), mean(b, i, j)
			for c := range p {
				sum += max(p[c]-q[c], q[c]-p[c]) / (n * n * 3)
			}
		}
	}
	return sum
}

// The same scene stored in eight ways gives eight times the same picture.
func TestRenderOrientations(t *testing.T) {
	var first image.Image
	for o := 1; o <= 8; o++ {
		w, h := 300, 200
		if o >= 5 {
			w, h = h, w
		}
		b := testphoto.Make(testphoto.Spec{Width: w, Height: h, Orientation: o, Noise: 10, Thumbnail: true})
		r := render(t, b, rendition.Spec{Name: "x", Longest: 150, Quality: 90})[0]
		img, err := jpeg.Decode(bytes.NewReader(r.JPEG))
		if err != nil || r.Width != 150 || r.Height != 100 {
			t.Fatalf("%d: %d x %d, %v", o, r.Width, r.Height, err)
		}
		if first == nil {
			first = img
		} else if d := distance(first, img); d > 6 {
			t.Errorf("orientation %d is %.1f levels away", o, d)
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range [][5]int{
		{6000, 4000, 1600, 1600, 1067},
		{4000, 6000, 1600, 1067, 1600},
		{100, 50, 400, 100, 50},
		{400, 400, 400, 400, 400},
		{65500, 1, 1600, 1600, 1},
		{1, 65500, 400, 1, 400},
		{3, 2, 1, 1, 1},
		{10, 10, 0, 1, 1},
		{65535, 65534, 65534, 65534, 65533},
	} {
		if w, h := Fit(c[0], c[1], c[2]); w != c[3] || h != c[4] {
			t.Errorf("Fit(%d, %d, %d) = %d, %d", c[0], c[1], c[2], w, h)
		}
	}
}

func TestResizeExtremes(t *testing.T) {
	for _, r := range []image.Rectangle{image.Rect(0, 0, 3000, 1), image.Rect(0, 0, 1, 3000), image.Rect(3, 5, 20, 400), image.Rect(0, 0, 2, 2)} {
		for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio410, image.YCbCrSubsampleRatio411} {
			for _, img := range []image.Image{image.NewYCbCr(r, ratio), image.NewGray(r), image.NewCMYK(r), image.NewRGBA(r)} {
				for _, longest := range []int{1, 2, 7, 100} {
					w, h := Fit(r.Dx(), r.Dy(), longest)
					got := resizeTo(img, w, h).Bounds()
					if got.Dx() != w || got.Dy() != h {
						t.Errorf("%T %v to %d: %v", img, r, longest, got)
					}
				}
			}
		}
	}
}

func TestRenderTwiceTheSame(t *testing.T) {
	b := withThumbnail()
	one, two := render(t, b, sizes...), render(t, b, sizes...)
	for i := range one {
		if !bytes.Equal(one[i].JPEG, two[i].JPEG) {
			t.Errorf("%s differs", one[i].Name)
		}
	}
}

func TestRenderDamaged(t *testing.T) {
	b := withThumbnail()
	f := factsOf(b)
	r := bytes.NewReader(append(slices.Clone(b[:f.HeaderEnd+40]), eoi...))
	if _, err := Render(r, Meta{}, f, Limits{}, sizes); !errors.Is(err, ErrDamaged) {
		t.Errorf("picture data missing: %v", err)
	}
	// A disk that fails is not the photo's fault.
	_, err := Render(failing{r, iotest.ErrReader(errDisk)}, Meta{}, f, Limits{}, sizes)
	if !errors.Is(err, errDisk) || errors.Is(err, ErrDamaged) {
		t.Errorf("failing disk: %v", err)
	}
}

// failing can be sought, and not read.
type failing struct {
	io.Seeker
	io.Reader
}

func FuzzRender(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b, 6)
	}
	f.Add(withThumbnail(), 8)
	limits := Limits{MaxPixels: 1 << 16, MaxProgressive: 1 << 16, MaxScans: 12}
	f.Fuzz(func(t *testing.T, b []byte, orientation int) {
		r := bytes.NewReader(b)
		m := ReadMeta(r)
		m.Orientation = orientation
		out, err := Render(r, m, factsOf(b), limits, []rendition.Spec{{Name: "a", Longest: 40, Quality: 80}, {Name: "b", Longest: 10, Quality: 80}})
		if err != nil {
			if !errors.Is(err, ErrNotJPEG) && !errors.Is(err, ErrIncomplete) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrTooComplex) {
				t.Errorf("unclassified: %v", err)
			}
			return
		}
		for _, o := range out.Renditions {
			if f := factsOf(o.JPEG); !f.Whole || f.Width != o.Width || f.Height != o.Height || f.Trailing != 0 {
				t.Errorf("rendition: %+v", f)
			}
		}
	})
}

func BenchmarkReadMeta(b *testing.B) {
	pic := testphoto.Make(testphoto.Spec{Width: 1000, Height: 800, Orientation: 6, TakenAt: time.Unix(1e9, 0), Make: "Canon", Thumbnail: true, GPS: true})
	b.ReportAllocs()
	for b.Loop() {
		ReadMeta(bytes.NewReader(pic))
	}
}

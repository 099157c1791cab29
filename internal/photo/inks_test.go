package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"picday/internal/rendition"
)

// inkFile is a picture of one colour, its components sampled as given.
func inkFile(t *testing.T, s []sampling, extra ...[]byte) []byte {
	t.Helper()
	return flat(96, 80, s, false, extra...)
}

func app14(transform byte) []byte {
	return seg(0xee, append([]byte("Adobe"), 0, 100, 0, 0, 0, 0, transform)...)
}

// CMYK with colours sampled less, and CMYK that does not say it is Adobe's, are photos.
func TestInksAreTaken(t *testing.T) {
	full, half := []sampling{{1, 1}, {1, 1}, {1, 1}, {1, 1}}, []sampling{{2, 2}, {1, 1}, {1, 1}, {2, 2}}
	for name, pic := range map[string][]byte{
		"4:4:4, CMYK":           inkFile(t, full, app14(0)),
		"4:4:4, YCCK":           inkFile(t, full, app14(2)),
		"4:2:0, CMYK":           inkFile(t, half, app14(0)),
		"4:2:0, YCCK":           inkFile(t, half, app14(2)),
		"4:4:4, no APP14":       inkFile(t, full),
		"4:2:0, no APP14":       inkFile(t, half),
		"all of one sampling":   inkFile(t, []sampling{{2, 1}, {2, 1}, {2, 1}, {2, 1}}, app14(0)),
		"RGB":                   inkFile(t, []sampling{{1, 1}, {1, 1}, {1, 1}}, app14(0)),
		"RGB, sampled":          inkFile(t, []sampling{{2, 2}, {1, 1}, {1, 1}}, app14(0)),
		"APP14, unknown colour": inkFile(t, full, app14(7)),
	} {
		out, err := Render(bytes.NewReader(pic), Meta{}, factsOf(pic), Limits{}, []rendition.Spec{{Name: "x", Longest: 50, Quality: 90}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if img, err := jpeg.Decode(bytes.NewReader(out.Renditions[0].JPEG)); err != nil || img.Bounds() != image.Rect(0, 0, 50, 42) {
			t.Errorf("%s: %v, %v", name, img.Bounds(), err)
		}
	}
}

// With a profile the colours are those of libvips, and without one those of browsers.
func TestInksAgainstLibvips(t *testing.T) {
	vips, err := exec.LookPath("vips")
	if err != nil {
		t.Skip("needs libvips-tools")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(vips, args...).CombinedOutput(); err != nil {
			t.Fatalf("vips %v: %v\n%s", args, err, out)
		}
	}
	rgb := image.NewRGBA(image.Rect(0, 0, 256, 192))
	for y := range 192 {
		for x := range 256 {
			rgb.Set(x, y, color.RGBA{uint8(x / 32 * 36), uint8(y / 32 * 51), uint8((x/32 + y/32) % 4 * 80), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, rgb, &jpeg.Options{Quality: 98}); err != nil {
		t.Fatal(err)
	}
	name := func(s string) string { return filepath.Join(dir, s) }
	if err := os.WriteFile(name("rgb.jpg"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	run("icc_transform", name("rgb.jpg"), name("cmyk.jpg")+"[Q=98]", "cmyk", "--input-profile", "srgb")
	run("icc_transform", name("cmyk.jpg"), name("back.png"), "srgb", "--embedded", "--intent", "relative")
	run("copy", name("back.png"), name("back.jpg")+"[Q=99,subsample-mode=off]")
	pic, err := os.ReadFile(name("cmyk.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	if !iccFits(embeddedICC(bytes.NewReader(pic)), 4) {
		t.Fatal("vips has embedded no profile: the test tests nothing")
	}
	want := decodeFile(t, name("back.jpg"))
	out, err := Render(bytes.NewReader(pic), Meta{}, factsOf(pic), Limits{}, []rendition.Spec{{Name: "x", Longest: 256, Quality: 98}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := jpeg.Decode(bytes.NewReader(out.Renditions[0].JPEG))
	if err != nil {
		t.Fatal(err)
	}
	worst := 0
	for y := 16; y < 192; y += 32 {
		for x := 16; x < 256; x += 32 {
			worst = max(worst, apart(want.At(x, y), got.At(x, y)))
		}
	}
	t.Logf("at most %d of 255 from libvips", worst)
	if worst > 5 {
		t.Errorf("%d of 255 from libvips", worst)
	}
}

func decodeFile(t *testing.T, name string) image.Image {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(fmt.Errorf("%s: %w", name, err))
	}
	return img
}

// apart is the largest difference of two colours in one channel.
func apart(a, b color.Color) int {
	p, q := color.RGBAModel.Convert(a).(color.RGBA), color.RGBAModel.Convert(b).(color.RGBA)
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(d(p.R, q.R), d(p.G, q.G), d(p.B, q.B))
}

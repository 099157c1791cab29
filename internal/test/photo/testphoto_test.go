package photo

import (
	"bytes"
	"image/jpeg"
	"testing"
	"time"

	"github.com/bep/imagemeta"
)

var full = Spec{
	Width: 640, Height: 427, Seed: 7, Orientation: 6, Make: "Canon", Model: "EOS R6", Serial: "0123456789",
	TakenAt:   time.Date(2026, 5, 4, 9, 8, 7, 45_000_000, time.FixedZone("", 2*3600)),
	Thumbnail: true, GPS: true,
}

func TestReadable(t *testing.T) {
	pic := Make(full)
	img, err := jpeg.Decode(bytes.NewReader(pic))
	if err != nil || img.Bounds().Dx() != 640 || img.Bounds().Dy() != 427 {
		t.Fatalf("decoded: %v", err)
	}
	got := map[string]any{}
	_, err = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(pic), ImageFormat: imagemeta.JPEG, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(imagemeta.TagInfo) bool { return true },
		HandleTag:       func(ti imagemeta.TagInfo) error { got[ti.Tag] = ti.Value; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]any{
		"Orientation": uint16(6), "Make": "Canon", "Model": "EOS R6", "SerialNumber": "0123456789",
		"DateTimeOriginal": "2026:05:04 09:08:07", "OffsetTimeOriginal": "+02:00", "SubSecTimeOriginal": 45,
		"GPSLatitudeRef": "N", "GPSLongitudeRef": "W",
	} {
		if got[tag] != want {
			t.Errorf("%s is %v (%T), want %v", tag, got[tag], got[tag], want)
		}
	}
	at, ok := got["ThumbnailOffset"].(uint32)
	if !ok {
		t.Fatalf("no thumbnail: %v", got)
	}
	thumb, err := jpeg.Decode(bytes.NewReader(pic[at:]))
	if err != nil || thumb.Bounds().Dx() != 160 {
		t.Errorf("thumbnail: %v", err)
	}
	if n := bytes.Count(pic, []byte{0xff, 0xd9}); n != 2 {
		t.Errorf("%d EOI, want the thumbnail's and the photo's", n)
	}
}

func TestPlainHasNoEXIF(t *testing.T) {
	if bytes.Contains(Make(Spec{}), []byte("Exif")) {
		t.Error("EXIF without asking")
	}
}

func TestDistinctAndRepeatable(t *testing.T) {
	a := Make(full)
	if !bytes.Equal(a, Make(full)) {
		t.Error("equal specs, other bytes")
	}
	other := full
	other.Seed++
	if bytes.Equal(a, Make(other)) {
		t.Error("other seed, equal bytes")
	}
	seen := map[string]bool{}
	for i := range 1000 {
		seen[string(Tiny(i))] = true
		seen[string(Vary(a, i))] = true
	}
	if len(seen) != 2000 {
		t.Errorf("%d distinct photos of 2000", len(seen))
	}
	if n := len(Tiny(3)); n < 3000 || n > 20_000 {
		t.Errorf("Tiny is %d bytes", n)
	}
	for _, pic := range [][]byte{Tiny(12), Vary(a, 1), Vary(Vary(a, 1), 2)} {
		if _, err := jpeg.Decode(bytes.NewReader(pic)); err != nil {
			t.Error(err)
		}
	}
}

func TestOddSizes(t *testing.T) {
	for _, s := range []Spec{{Width: 1, Height: 1}, {Width: 1, Height: 999}, {Width: 17, Height: 15}, {Width: 16, Height: 33}} {
		s.Thumbnail = true
		c, err := jpeg.DecodeConfig(bytes.NewReader(Make(s)))
		if err != nil || c.Width != s.Width || c.Height != s.Height {
			t.Errorf("%+v: %v %+v", s, err, c)
		}
	}
}

// A camera's 24 megapixels are 6 to 12 MB.
func TestCameraSize(t *testing.T) {
	if testing.Short() {
		t.Skip("24 megapixels")
	}
	start := time.Now()
	pic := Make(Spec{Width: 6000, Height: 4000})
	t.Logf("%d bytes in %v", len(pic), time.Since(start))
	if len(pic) < 6_000_000 || len(pic) > 12_000_000 {
		t.Errorf("%d bytes", len(pic))
	}
}

func BenchmarkMake24MP(b *testing.B) {
	for b.Loop() {
		Make(Spec{Width: 6000, Height: 4000})
	}
}

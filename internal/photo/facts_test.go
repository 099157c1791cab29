package photo

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"picday/internal/rendition"
)

func TestCheck(t *testing.T) {
	ok := Facts{JPEG: true, Whole: true, SOF: 0xc0, Width: 6000, Height: 4000, Components: 3, Precision: 8, Scans: 1}
	for name, c := range map[string]struct {
		edit func(*Facts)
		want error
	}{
		"camera":           {func(*Facts) {}, nil},
		"extended":         {func(f *Facts) { f.SOF = 0xc1 }, nil},
		"151 megapixels":   {func(f *Facts) { f.Width, f.Height = 14204, 10652 }, nil},
		"200 megapixels":   {func(f *Facts) { f.Width, f.Height = 16320, 12240 }, nil},
		"108, progressive": {func(f *Facts) { f.Width, f.Height, f.Progressive = 12000, 9000, true }, nil},
		"grey":             {func(f *Facts) { f.Components = 1 }, nil},
		"CMYK":             {func(f *Facts) { f.Components = 4 }, nil},
		"not JPEG":         {func(f *Facts) { f.JPEG = false }, ErrNotJPEG},
		"cut off":          {func(f *Facts) { f.Whole = false }, ErrIncomplete},
		"damaged":          {func(f *Facts) { f.Whole, f.Damaged = false, true }, ErrDamaged},
		"no width":         {func(f *Facts) { f.Width = 0 }, ErrDamaged},
		"no height":        {func(f *Facts) { f.Height = 0 }, ErrDamaged},
		"DNL":              {func(f *Facts) { f.DNL = true }, ErrTooComplex},
		"huge":             {func(f *Facts) { f.Width, f.Height = 65500, 65500 }, ErrTooComplex},
		"big progressive": {func(f *Facts) {
			f.SOF, f.Progressive, f.Width, f.Height = 0xc2, true, 14204, 10652
		}, ErrTooComplex},
		"lossless":     {func(f *Facts) { f.SOF = 0xc3 }, ErrTooComplex},
		"arithmetic":   {func(f *Facts) { f.SOF = 0xc9 }, ErrTooComplex},
		"hierarchical": {func(f *Facts) { f.SOF = 0xde }, ErrTooComplex},
		"12 bits":      {func(f *Facts) { f.SOF, f.Precision = 0xc1, 12 }, ErrTooComplex},
		"2 components": {func(f *Facts) { f.Components = 2 }, ErrTooComplex},
		"scans":        {func(f *Facts) { f.Scans = 65 }, ErrTooComplex},
	} {
		f := ok
		c.edit(&f)
		if err := Check(f, Limits{}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := Check(ok, Limits{MaxPixels: 1000}); !errors.Is(err, ErrTooComplex) {
		t.Errorf("own limit: %v", err)
	}
}

// must not be read: a refusal comes before decoding.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) { u.t.Error("read"); return 0, io.EOF }

func (u untouchable) Seek(int64, int) (int64, error) { return 0, nil }

func TestRefusedBeforeDecoding(t *testing.T) {
	all := samples(t)
	edit := func(name string, at int, b ...byte) []byte {
		p := slices.Clone(all[name])
		i := bytes.Index(p, []byte{0xff, factsOf(p).SOF, 0x00})
		copy(p[i+at:], b)
		return p
	}
	for name, pic := range map[string][]byte{
		"65500 x 65500": edit("420", 5, 0xff, 0xdc, 0xff, 0xdc),
		"progressive":   edit("progressive", 5, 0xff, 0xdc, 0xff, 0xdc),
		"12 bits":       edit("420", 4, 12),
		"lossless":      edit("420", 1, 0xc3),
		"arithmetic":    all["arithmetic"],
	} {
		f := factsOf(pic)
		if !f.Whole {
			t.Errorf("%s: %+v", name, f)
		}
		if _, err := Render(untouchable{t}, Meta{}, f, Limits{}, []rendition.Spec{{Name: "x", Longest: 10, Quality: 80}}); !errors.Is(err, ErrTooComplex) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string]string{"text": strings.Repeat("text ", 99), "png": "\x89PNG\r\n\x1a\n\x00\x00"} {
		if _, err := Render(untouchable{t}, Meta{}, factsOf([]byte(b)), Limits{}, nil); !errors.Is(err, ErrNotJPEG) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Render(untouchable{t}, Meta{}, factsOf(nil), Limits{}, nil); !errors.Is(err, ErrIncomplete) {
		t.Errorf("empty: %v", err)
	}
}

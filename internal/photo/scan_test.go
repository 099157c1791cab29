package photo

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	testphoto "picday/internal/test/photo"
)

func factsOf(b []byte) Facts {
	var s Scan
	_, _ = s.Write(b)
	return s.Facts()
}

// samples are the checked-in JPEGs by name; all are whole.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(names) < 10 {
		t.Fatalf("testdata: %v %v", names, err)
	}
	out := map[string][]byte{}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(n), ".jpg")] = b
	}
	return out
}

func withThumbnail() []byte {
	return testphoto.Make(testphoto.Spec{Width: 200, Height: 133, Orientation: 6, Thumbnail: true, Make: "Canon", Quality: 70})
}

// seg is a marker segment.
func seg(code byte, content ...byte) []byte {
	b := []byte{0xff, code}
	b = binary.BigEndian.AppendUint16(b, uint16(len(content)+2))
	return append(b, content...)
}

var (
	soi = []byte{0xff, 0xd8}
	eoi = []byte{0xff, 0xd9}
	sos = seg(0xda, 1, 1, 0, 0, 63, 0)
)

func sof(code byte, w, h int) []byte {
	return seg(code, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 1, 1, 0x11, 0)
}

func TestScanSamples(t *testing.T) {
	for name, b := range samples(t) {
		f := factsOf(b)
		if !f.JPEG || !f.Whole || f.Damaged || f.Width != 67 || f.Height != 45 || f.Precision != 8 || f.EOI != int64(len(b)) ||
			f.Trailing != 0 || f.Extraneous != 0 || f.HeaderEnd == 0 {
			t.Errorf("%s: %+v", name, f)
		}
		components, scans, sof := 3, 1, byte(0xc0)
		switch name {
		case "grey":
			components = 1
		case "cmyk":
			components = 4
		case "arithmetic":
			sof = 0xc9
		case "progressive":
			scans, sof = 10, 0xc2
		case "three-scans":
			scans = 3
		}
		if f.Components != components || f.Scans != scans || f.SOF != sof || f.Progressive != (sof == 0xc2) {
			t.Errorf("%s: %+v", name, f)
		}
		_, err := jpeg.Decode(bytes.NewReader(b))
		if (err == nil) != (Check(f, Limits{}) == nil) {
			t.Errorf("%s: Check says %v, image/jpeg %v", name, Check(f, Limits{}), err)
		}
	}
}

// Cut anywhere, a JPEG is a JPEG, not whole, and not damaged: it waits.
func TestScanTruncated(t *testing.T) {
	all := samples(t)
	all["thumbnail"] = withThumbnail()
	for name, b := range all {
		var s Scan
		for n := range len(b) {
			if f := s.Facts(); !f.JPEG || f.Whole || f.Damaged || f.Bytes != int64(n) || f.EOI != 0 {
				t.Fatalf("%s cut to %d: %+v", name, n, f)
			}
			_, _ = s.Write(b[n : n+1])
		}
		if f := s.Facts(); !f.Whole || f != factsOf(b) {
			t.Errorf("%s byte by byte: %+v", name, f)
		}
	}
	big := testphoto.Make(testphoto.Spec{Width: 1500, Height: 1000, Thumbnail: true})
	for _, percent := range []int{1, 10, 50, 99} {
		f := factsOf(big[:len(big)*percent/100])
		if err := Check(f, Limits{}); f.Whole || f.Damaged || err == nil {
			t.Errorf("%d %%: %+v", percent, f)
		}
	}
	// A client that sets the size first leaves zeros where the data will be.
	for _, n := range []int{0, 2, 100, len(big) / 2, len(big) - 2, len(big) - 1} {
		holed := append(slices.Clone(big[:n]), make([]byte, len(big)-n)...)
		if f := factsOf(holed); f.Whole {
			t.Errorf("zeros from %d on: %+v", n, f)
		}
	}
}

func TestScanShapes(t *testing.T) {
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	data := []byte{1, 2, 0xff, 0x00, 0xff, 0xd3, 4, 0xff, 0xff, 0x00, 5}
	ok := join(soi, sof(0xc0, 8, 9), sos, data, eoi)
	type want struct{ jpeg, whole, damaged bool }
	whole, cut, no, bad := want{jpeg: true, whole: true}, want{jpeg: true}, want{}, want{jpeg: true, damaged: true}
	for name, c := range map[string]struct {
		b []byte
		want
	}{
		"plain":              {ok, whole},
		"empty":              {nil, cut},
		"one byte":           {[]byte{0xff}, cut},
		"SOI":                {soi, cut},
		"three bytes":        {[]byte{0xff, 0xd8, 0xff}, cut},
		"text":               {[]byte("hello, world"), no},
		"PNG":                {[]byte("\x89PNG\r\n\x1a\n"), no},
		"zeros":              {make([]byte, 100), no},
		"newline before":     {append([]byte("\n"), ok...), no},
		"SOI and text":       {[]byte("\xff\xd8text"), no},
		"JPEG in CR3":        {append([]byte("\x00\x00\x00\x18ftypcrx "), ok...), no},
		"fill bytes":         {join(soi, []byte{0xff, 0xff, 0xff}, sof(0xc0, 8, 9), []byte{0xff}, sos, data, []byte{0xff, 0xff}, eoi), whole},
		"garbage after":      {join(ok, []byte("anything \xff\xd8\xff\xd9")), whole},
		"second image":       {join(ok, ok), whole},
		"thumbnail":          {join(soi, seg(0xe1, ok...), sof(0xc0, 8, 9), sos, data, eoi), whole},
		"only a thumbnail":   {join(soi, seg(0xe1, ok...)), cut},
		"EOI in thumbnail":   {join(soi, seg(0xe1, ok...), sof(0xc0, 8, 9), sos, data), cut},
		"empty segment":      {join(soi, seg(0xfe), sof(0xc0, 8, 9), sos, data, eoi), whole},
		"DNL":                {join(soi, sof(0xc0, 8, 0), sos, data, seg(0xdc, 0, 9), eoi), whole},
		"stray bytes":        {join(soi, seg(0xfe), []byte{0, 0, 0xff, 0, 7}, sof(0xc0, 8, 9), sos, data, eoi), whole},
		"RST after the scan": {join(soi, sof(0xc0, 8, 9), sos, data, seg(0xfe), []byte{0xff, 0xd7}, eoi), whole},
		"tables between":     {join(soi, sof(0xc2, 8, 9), sos, data, seg(0xc4, 1, 2), sos, data, eoi), whole},
		"EOI at once":        {join(soi, eoi), bad},
		"EOI before a scan":  {join(soi, sof(0xc0, 8, 9), eoi), bad},
		"scan, no frame":     {join(soi, sos, data, eoi), bad},
		"two frames":         {join(soi, sof(0xc0, 8, 9), sof(0xc0, 8, 9), sos, data, eoi), bad},
		"SOI inside":         {join(soi, sof(0xc0, 8, 9), sos, data, soi, eoi), bad},
		"length 1":           {join(soi, []byte{0xff, 0xe0, 0, 1}, ok), bad},
		"reserved marker":    {join(soi, sof(0xc0, 8, 9), sos, data, []byte{0xff, 0x12}, data, eoi), bad},
		"short frame":        {join(soi, seg(0xc0, 8, 0, 9), sos, data, eoi), bad},
		"no components":      {join(soi, sof(0xc0, 8, 9), seg(0xda, 0), data, eoi), bad},
		"half copied":        {join(ok[:len(ok)-5], ok), bad},
	} {
		f := factsOf(c.b)
		if got := (want{f.JPEG, f.Whole, f.Damaged}); got != c.want {
			t.Errorf("%s: %+v", name, f)
		}
		if f.Whole && (f.Width != 8 || f.Height != 9 || f.EOI+f.Trailing != f.Bytes) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	scans := join(soi, sof(0xc2, 8, 9), sos, data, seg(0xc4, 1, 2), sos, data, eoi)
	if f := factsOf(scans); f.Scans != 2 || f.HeaderEnd != int64(len(join(soi, sof(0xc2, 8, 9), sos))) {
		t.Errorf("two scans: %+v", f)
	}
	if f := factsOf(join(ok, []byte("tail"))); f.Trailing != 4 || f.EOI != int64(len(ok)) || f.HeaderEnd != int64(len(ok)-len(data)-2) {
		t.Errorf("offsets: %+v", f)
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	b := withThumbnail()
	if n := testing.AllocsPerRun(10, func() { factsOf(b) }); n > 1 { // the Scan itself
		t.Errorf("%v allocations", n)
	}
}

func FuzzScan(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b, uint16(7))
		f.Add(b[:len(b)/2], uint16(1))
		f.Add(append(slices.Clone(b), "tail"...), uint16(300))
	}
	f.Add(withThumbnail(), uint16(64))
	f.Fuzz(func(t *testing.T, b []byte, chunk uint16) {
		whole := factsOf(b)
		var s Scan
		for c := range slices.Chunk(b, int(chunk)+1) {
			if n, err := s.Write(c); n != len(c) || err != nil {
				t.Fatal(n, err)
			}
		}
		if got := s.Facts(); got != whole {
			t.Errorf("in chunks of %d: %+v, at once: %+v", int(chunk)+1, got, whole)
		}
		if whole.Bytes != int64(len(b)) || whole.Whole && whole.Damaged || whole.Damaged && !whole.JPEG {
			t.Errorf("%+v", whole)
		}
		if whole.Whole && (whole.EOI < whole.HeaderEnd+2 || whole.HeaderEnd == 0 || whole.EOI+whole.Trailing != whole.Bytes ||
			whole.SOF == 0 || !bytes.Equal(b[whole.EOI-2:whole.EOI], eoi)) {
			t.Errorf("%+v", whole)
		}
		// What the decoder takes, the scan must have found whole, with the same
		// dimensions: they are what Check judges.
		if !whole.JPEG || whole.Pixels() > 1<<20 || whole.Scans > 20 {
			return // image/jpeg also takes FF D8 and garbage
		}
		if img, err := jpeg.Decode(bytes.NewReader(b)); err == nil {
			if b := img.Bounds(); !whole.Whole || whole.Width != b.Dx() || whole.Height != b.Dy() {
				t.Errorf("image/jpeg decodes %v, scan: %+v", b, whole)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	pic := testphoto.Make(testphoto.Spec{Width: 6000, Height: 4000, Thumbnail: true})
	b.SetBytes(int64(len(pic)))
	b.ReportAllocs()
	for b.Loop() {
		var s Scan
		for c := range slices.Chunk(pic, 64<<10) {
			_, _ = s.Write(c)
		}
	}
}

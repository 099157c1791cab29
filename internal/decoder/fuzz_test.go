package decoder

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/photo"
	"picday/internal/qr"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
)

// answer is what a good child says to q about pic.
func answer(t testing.TB, pic []byte, q request) []byte {
	t.Helper()
	m := photo.ReadMeta(bytes.NewReader(pic))
	out, err := photo.Render(bytes.NewReader(pic), m, q.Facts, q.Limits, q.Sizes)
	if err != nil {
		t.Fatal(err)
	}
	a, data := reply{Meta: m, Unusual: out.Unusual}, []byte(nil)
	for _, r := range out.Renditions {
		a.Renditions = append(a.Renditions, piece{r.Name, r.Width, r.Height, len(r.JPEG)})
		data = append(data, r.JPEG...)
	}
	return append(must(t, a), data...)
}

func must(t testing.TB, v any) []byte {
	t.Helper()
	b, err := pack(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func question() ([]byte, request) {
	pic := testphoto.Make(testphoto.Spec{Width: 40, Height: 30, Orientation: 6, Make: "A"})
	var s photo.Scan
	_, _ = s.Write(pic)
	return pic, request{Facts: s.Facts(), Sizes: []rendition.Spec{{Name: "a", Longest: 20, Quality: 80}, {Name: "b", Longest: 10, Quality: 80}}}
}

// Each is a lie; none may be believed.
func TestLies(t *testing.T) {
	pic, q := question()
	good := answer(t, pic, q)
	if _, out, err := readReply(bytes.NewReader(good), q); err != nil || len(out.Renditions) != 2 {
		t.Fatal(err)
	}
	var a reply
	if err := unpack(bytes.NewReader(good), &a); err != nil {
		t.Fatal(err)
	}
	data := good[len(must(t, a)):]
	first := a.Renditions[0].Bytes
	with := func(change func(a *reply), data []byte) []byte {
		c := a
		c.Renditions = append([]piece(nil), a.Renditions...)
		change(&c)
		return append(must(t, c), data...)
	}
	same := func(*reply) {}
	grown := func(add ...byte) []byte { // the first rendition with a segment more
		return append(append([]byte{0xff, 0xd8}, add...), data[2:]...)
	}
	// 60 kB of a stranger's bytes that call themselves a profile, with a header like one's.
	profile := append([]byte("\xff\xe2\xea\x72ICC_PROFILE\x00\x01\x01\x00\x00\xea\x60\x00\x00\x00\x00\x04\x00\x00\x00mntrRGB XYZ "), make([]byte, 60_000-24)...)
	copy(profile[18+36:], "acsp")
	codes := func(f *qr.Found) []byte { return with(func(a *reply) { a.Codes = f }, data) }
	corner := [4]qr.Point{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 1}}
	asked := q
	asked.Codes = true
	for name, lie := range map[string][]byte{
		"no answer":     good,
		"too many":      codes(&qr.Found{Codes: slices.Repeat([]qr.Code{{Text: "A", Corners: corner}}, qr.MaxCodes+1)}),
		"no text":       codes(&qr.Found{Codes: []qr.Code{{Corners: corner}}}),
		"a long text":   codes(&qr.Found{Codes: []qr.Code{{Text: strings.Repeat("A", qr.MaxText+1), Corners: corner}}}),
		"beside it":     codes(&qr.Found{Codes: []qr.Code{{Text: "A", Corners: [4]qr.Point{{X: 1.01}}}}}),
		"left of it":    codes(&qr.Found{Codes: []qr.Code{{Text: "A", Corners: [4]qr.Point{{Y: -1}}}}}),
		"not a number":  bytes.Replace(codes(&qr.Found{Codes: []qr.Code{{Text: "A", Corners: [4]qr.Point{{Y: 0.125}}}}}), []byte("0.125"), []byte("1e999"), 1),
		"half a corner": bytes.Replace(codes(&qr.Found{Codes: []qr.Code{{Text: "A", Corners: [4]qr.Point{{Y: 0.125}}}}}), []byte("0.125"), []byte("\"up\" "), 1),
	} {
		if _, _, err := readReply(bytes.NewReader(lie), asked); !errors.Is(err, errBadReply) {
			t.Errorf("QR codes, %s: %v", name, err)
		}
	}
	if _, out, err := readReply(bytes.NewReader(codes(&qr.Found{Codes: []qr.Code{{Text: "A", Corners: corner}}, Unread: true})), asked); err != nil || out.Codes.Codes[0].Text != "A" || !out.Codes.Unread {
		t.Error(err)
	}
	for name, lie := range map[string][]byte{
		"codes not asked": codes(&qr.Found{}),
		"no orientation":  with(func(a *reply) { a.Meta.Orientation = 0 }, data),
		"orientation":     with(func(a *reply) { a.Meta.Orientation = 1 }, data),
		"camera":          with(func(a *reply) { a.Meta.Make = "a\nb" }, data),
		"long camera":     with(func(a *reply) { a.Meta.Model = string(make([]byte, 300)) }, data),
		"taken never":     with(func(a *reply) { a.Meta.TakenAt = time.Date(0, 1, 1, 0, 0, 0, 0, time.FixedZone("", 5*3600)) }, data),
		"taken too late":  with(func(a *reply) { a.Meta.TakenAt = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC) }, data),
		"a mere zone":     with(func(a *reply) { a.Meta.TakenZone = true }, data),
		"name":            with(func(a *reply) { a.Renditions[0].Name = "../../x" }, data),
		"width":           with(func(a *reply) { a.Renditions[0].Width++ }, data),
		"fewer":           with(func(a *reply) { a.Renditions = a.Renditions[:1] }, data),
		"more":            with(func(a *reply) { a.Renditions = append(a.Renditions, a.Renditions[0]) }, data),
		"negative":        with(func(a *reply) { a.Renditions[0].Bytes = -1 }, data),
		"huge":            with(func(a *reply) { a.Renditions[0].Bytes = 1 << 40 }, data),
		"one byte less":   with(func(a *reply) { a.Renditions[0].Bytes-- }, data),
		"one byte more":   with(func(a *reply) { a.Renditions[0].Bytes++ }, data),
		"exchanged":       with(same, append(bytes.Clone(data[first:]), data[:first]...)),
		"no JPEG":         with(same, bytes.Repeat([]byte("<svg>"), 10000)),
		"cut off":         with(same, data[:len(data)-1]),
		"with EXIF":       with(func(a *reply) { a.Renditions[0].Bytes += 8 }, grown(0xff, 0xe1, 0, 6, 'E', 'x', 'i', 'f')),
		"with comment":    with(func(a *reply) { a.Renditions[0].Bytes += 8 }, grown(0xff, 0xfe, 0, 6, 'h', 'e', 'l', 'o')),
		"with fill":       with(func(a *reply) { a.Renditions[0].Bytes += 9 }, grown(0xff, 0xff, 0xfe, 0, 6, 'h', 'e', 'l', 'o')),
		"other APP2":      with(func(a *reply) { a.Renditions[0].Bytes += 8 }, grown(0xff, 0xe2, 0, 6, 'M', 'P', 'F', 0)),
		"a false profile": with(func(a *reply) { a.Renditions[0].Bytes += len(profile) }, grown(profile...)),
		"odd refusal":     must(t, reply{Refused: "because"}),
		"only words":      must(t, reply{Why: "because"}),
		"long message":    {0xff, 0xff, 0xff, 0xff, '{'},
		"nothing":         {},
	} {
		_, out, err := readReply(bytes.NewReader(lie), q)
		if err == nil || out.Renditions != nil {
			t.Errorf("%s: believed", name)
		}
		var r refusalError
		if errors.As(err, &r) {
			t.Errorf("%s: %v passes for a refusal", name, err)
		}
	}
	_, _, err := readReply(bytes.NewReader(must(t, refusal(photo.ErrTooComplex))), q)
	if !errors.Is(err, photo.ErrTooComplex) || err.Error() != photo.ErrTooComplex.Error() {
		t.Error(err)
	}
}

// A profile that is one passes: the parent finds in it what the child wrote.
func TestAProfilePasses(t *testing.T) {
	pic, err := os.ReadFile("../photo/testdata/icc.jpg")
	if err != nil {
		t.Fatal(err)
	}
	var s photo.Scan
	_, _ = s.Write(pic)
	q := request{Facts: s.Facts(), Sizes: []rendition.Spec{{Name: "a", Longest: 20, Quality: 80}}}
	_, out, err := readReply(bytes.NewReader(answer(t, pic, q)), q)
	if err != nil || !bytes.Contains(out.Renditions[0].JPEG, []byte("ICC_PROFILE")) {
		t.Error(err)
	}
}

func FuzzReply(f *testing.F) {
	pic, q := question()
	f.Add(answer(f, pic, q))
	f.Add(must(f, refusal(photo.ErrDamaged)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, out, err := readReply(bytes.NewReader(b), q)
		if err != nil {
			return
		}
		if len(out.Renditions) != 2 || m.Orientation < 1 || m.Orientation > 8 {
			t.Fatal(m, len(out.Renditions))
		}
		uw, uh := photo.UprightSize(q.Facts, m.Orientation)
		for i, r := range out.Renditions {
			var s photo.Scan
			_, _ = s.Write(r.JPEG)
			w, h := photo.Fit(uw, uh, q.Sizes[i].Longest)
			if fa := s.Facts(); !fa.Whole || fa.Width != w || fa.Height != h {
				t.Fatal(fa)
			}
		}
	})
}

func FuzzRequest(f *testing.F) {
	_, q := question()
	f.Add(must(f, q))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readRequest(bytes.NewReader(b))
		if err == nil && len(q.Sizes) == 0 {
			t.Fatal("a request for nothing")
		}
	})
}

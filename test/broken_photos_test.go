package test

import (
	"bytes"
	"image"
	"image/png"
	"slices"
	"strings"
	"testing"

	testphoto "picday/internal/test/photo"
)

func TestBrokenFiles(t *testing.T) {
	s := newSite(t)
	u := s.jobs("broken", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	whole := testphoto.Make(testphoto.Spec{Width: 800, Height: 600, Thumbnail: true, Make: "Test"})
	var pixels bytes.Buffer
	s.must(png.Encode(&pixels, image.NewGray(image.Rect(0, 0, 700, 700))))
	zeroed := bytes.Clone(whole)
	clear(zeroed[len(zeroed)/2 : len(zeroed)-2])
	tables := bytes.Clone(whole)
	at := bytes.LastIndex(tables, []byte{0xff, 0xc4}) // the Huffman tables
	clear(tables[at+4 : at+60])
	bomb := bytes.Clone(whole)
	at = bytes.LastIndex(bomb, []byte{0xff, 0xc0, 0x00, 0x11, 0x08})
	copy(bomb[at+5:], "\xff\xff\xff\xff") // 65535 x 65535

	// Only EOI is missing, which some phones leave out. Such a file becomes a photo after
	// settle_unsure without a write.
	noEOI := whole[:len(whole)-1]
	s.must(wire.Put("/job1/A/no eoi.jpg", noEOI))
	for name, c := range map[string]struct {
		data   []byte
		reason string // allowed reasons; "" = a photo
	}{
		"empty.jpg":   {nil, "incomplete"},
		"text.jpg":    {[]byte("Please find the photos attached.\n"), "not-jpeg"},
		"png.jpg":     {pixels.Bytes(), "not-jpeg"},
		"10.jpg":      {whole[:len(whole)/10], "incomplete"},
		"50.jpg":      {whole[:len(whole)/2], "incomplete"},
		"99.jpg":      {whole[:len(whole)*99/100], "incomplete"},
		"soi.jpg":     {whole[:2], "incomplete"},
		"zeroes.jpg":  {append(bytes.Clone(whole[:len(whole)/2]), make([]byte, len(whole)/2)...), "incomplete"},
		"tables.jpg":  {tables, "damaged"},
		"bomb.jpg":    {bomb, "too-complex damaged"},
		"whole.jpg":   {whole, ""},
		"garbage.jpg": {append(bytes.Clone(whole), "garbage after the end"...), ""},
		"twice.jpg":   {append(bytes.Clone(whole), whole...), ""},
		"no name":     {whole, "not-jpeg unknown"}, // either reason is correct
	} {
		s.must(wire.Put("/job1/A/"+name, c.data))
		if c.reason == "" {
			s.Eventually(name+" is a photo", func() (bool, any) {
				p, ok := s.photos(u)["job1/A/"+name]
				return ok && p.SHA256 == sum(c.data) && p.Width == 800 && len(p.Renditions) == 2, s.problems(u)
			})
			continue
		}
		if name == "no name" {
			continue
		}
		s.Eventually(name+" is a problem: "+c.reason, func() (bool, any) {
			p := s.problems(u)["job1/A/"+name]
			return p.Reason != "" && strings.Contains(c.reason, p.Reason) && len(p.Message) > 15, p
		})
	}
	s.uploadAndWait(u, "/job1/A/proof.jpg")
	s.waitPhotos(u, "job1/A/whole.jpg", "job1/A/garbage.jpg", "job1/A/twice.jpg", "job1/A/proof.jpg", "job1/A/no eoi.jpg")
	if p := s.photos(u)["job1/A/no eoi.jpg"]; p.SHA256 != sum(noEOI) || !slices.Contains(p.Flags, "unusual") {
		t.Errorf("without EOI: %+v", p)
	}

	// A complete upload of the file ends the problem.
	s.must(wire.Put("/job1/A/99.jpg", whole))
	s.must(wire.Put("/job1/A/text.jpg", whole))
	s.must(wire.Remove("/job1/A/png.jpg"))
	s.Eventually("the problems are solved", func() (bool, any) {
		problems, photos := s.problems(u), s.photos(u)
		_, a := problems["job1/A/99.jpg"]
		_, b := problems["job1/A/text.jpg"]
		_, c := problems["job1/A/png.jpg"]
		_, d := photos["job1/A/text.jpg"]
		return !a && !b && !c && d, keys(problems)
	})
	if d := s.daemon; d.Pid() == 0 || !s.status().Running {
		t.Error("the daemon is gone")
	}
}

// If a photo's file is overwritten by a broken one, the earlier picture stays published.
func TestABrokenSuccessorIsNotPublished(t *testing.T) {
	s := newSite(t)
	u := s.jobs("succ", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	good := photo()
	for _, name := range []string{"cut.jpg", "text.jpg", "empty.jpg"} {
		s.must(wire.Put("/job1/A/"+name, good))
	}
	s.waitPhotos(u, "job1/A/cut.jpg", "job1/A/text.jpg", "job1/A/empty.jpg")
	s.must(wire.Put("/job1/A/cut.jpg", photo()[:5000]))
	s.must(wire.Put("/job1/A/text.jpg", []byte("not a photo at all")))
	s.must(wire.Put("/job1/A/empty.jpg", nil))
	s.waitProblems(u, map[string]string{"job1/A/cut.jpg": "incomplete", "job1/A/text.jpg": "not-jpeg", "job1/A/empty.jpg": "incomplete"})
	for path, p := range s.waitPhotos(u, "job1/A/cut.jpg", "job1/A/text.jpg", "job1/A/empty.jpg") {
		if p.SHA256 != sum(good) {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestWhatACatalogueKnows(t *testing.T) {
	s := newSite(t)
	u := s.jobs("facts", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	turned := testphoto.Make(testphoto.Spec{Width: 2000, Height: 1000, Orientation: 6, GPS: true, Make: "ACME", Thumbnail: true})
	s.must(wire.Put("/job1/A/turned.jpg", turned))
	s.must(wire.Put("/job1/A/narrow.jpg", testphoto.Make(testphoto.Spec{Width: 500, Height: 400})))
	got := s.waitPhotos(u, "job1/A/turned.jpg", "job1/A/narrow.jpg")

	p := got["job1/A/turned.jpg"]
	if p.Width != 1000 || p.Height != 2000 || len(p.Flags) != 0 || len(p.Link) != 56 || !strings.Contains(p.URL, p.Link) {
		t.Errorf("%+v", p)
	}
	if r := p.Renditions; len(r) != 2 || r[0].Name != "large" || r[0].Height != 1600 || r[0].Width != 800 || r[1].Height != 400 {
		t.Errorf("renditions: %+v", r)
	}
	if p := got["job1/A/narrow.jpg"]; len(p.Flags) != 1 || p.Flags[0] != "small" || p.Renditions[0].Width != 500 {
		t.Errorf("%+v", p)
	}
	for path := range s.renditions() {
		if data := readFile(t, path); bytes.Contains(data, []byte("Exif")) || bytes.Contains(data, []byte("ACME")) {
			t.Errorf("%s carries EXIF", path)
		}
	}
}

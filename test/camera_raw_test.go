package test

import "testing"

// A RAW file with its JPEG in the same folder is no problem. A RAW file alone is one, whose
// message asks for the JPEG.
func TestRAWBesideJPEG(t *testing.T) {
	s := newSite(t)
	u := s.jobs("raw", "job1")
	wire, raw := u.ByKey().MustWire(), []byte("II*\x00 not a JPEG")
	s.must(wire.Mkdir("job1/A"))
	s.must(wire.Put("job1/A/IMG_1.CR2", raw))
	s.must(wire.Put("job1/A/IMG_2.CR2", raw))
	s.must(wire.Put("job1/A/IMG_2.xmp", []byte("<x/>")))
	s.waitProblems(u, map[string]string{"job1/A/IMG_1.CR2": "not-jpeg", "job1/A/IMG_2.CR2": "not-jpeg", "job1/A/IMG_2.xmp": "not-jpeg"})
	s.requireExplained("problem", "upload its JPEG too", "job1/A/IMG_2.CR2")
	s.must(wire.Put("job1/A/IMG_2.JPG", photo()))
	s.waitProblems(u, map[string]string{"job1/A/IMG_1.CR2": "not-jpeg"})
	s.requireExplained("ignored", "RAW beside JPEG called IMG_2", "job1/A/IMG_2.CR2")
	s.must(wire.Put("job1/A/IMG_2.nef", raw))
	s.Eventually("the later RAW file is set aside, too", func() (bool, any) {
		var all []explained
		s.JSON(&all, "explain", "job1/A/IMG_2.nef")
		return len(all) == 1 && all[0].State == "ignored", all
	})
	s.MustPicday("verify")
	s.must(wire.Remove("job1/A/IMG_2.JPG"))
	s.waitProblems(u, map[string]string{
		"job1/A/IMG_1.CR2": "not-jpeg", "job1/A/IMG_2.CR2": "not-jpeg", "job1/A/IMG_2.nef": "not-jpeg", "job1/A/IMG_2.xmp": "not-jpeg",
	})
}

package test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	jpeg "picday/internal/photo"
	"picday/internal/rendition"
	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// A randomly corrupted photo becomes a photo, or a problem with the right reason. No such
// file blocks others, and the daemon has as many children and descriptors as before.
// PICDAY_TORTURE=1 tests 10,000, with another seed each time.
func TestCorruptions(t *testing.T) {
	n, seed := 300, uint64(1)
	if os.Getenv("PICDAY_TORTURE") != "" {
		n, seed = 10_000, rand.Uint64()
	}
	t.Logf("seed %d", seed)
	s := newSite(t, bed.Options{Workers: 2})
	u := s.jobs("corrupt", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.warmUp(u)
	children, open := len(s.children()), s.descriptors()

	r := rand.New(rand.NewPCG(seed, seed))
	good := wholePhotos(t)
	data := map[string][]byte{}
	for i := range n {
		name := fmt.Sprintf("%d/%d.jpg", i/100, i)
		data["job1/"+name] = corrupt(r, good[i%len(good)])
		s.Local("corrupt/"+name, data["job1/"+name])
	}
	s.runAs(u, "cp", "-r", s.Dir+"/local/corrupt/.", u.Dir()+"/job1/")
	s.Eventually("every corrupted file is a photo or a problem", func() (bool, any) {
		st := s.status()
		return st.Photos+st.Problems == n+warmUpPhotos, fmt.Sprintf("%d photos, %d problems, %v", st.Photos, st.Problems, st.InProgress)
	})

	photos, problems := s.photos(u), s.problems(u)
	count := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(data)) {
		_, published := photos[path]
		reason := problems[path].Reason
		if published {
			reason = "photo"
		}
		count[reason]++
		if want := expectedResult(data[path]); reason != want {
			t.Errorf("%s: %q, not %q", path, reason, want)
			s.must(os.WriteFile(filepath.Join(t.ArtifactDir(), filepath.Base(path)), data[path], 0o644))
		}
	}
	t.Logf("%v, %d decoders replaced", count, strings.Count(string(readFile(t, s.daemon.LogPath())), "decoder replaced"))
	for _, kind := range []string{"photo", "not-jpeg", "incomplete", "damaged", "too-complex"} {
		if count[kind] == 0 {
			t.Errorf("nothing became %q: this test cannot see", kind)
		}
	}

	s.warmUp(u)
	s.Eventually("the daemon has no more children and descriptors than before", func() (bool, any) {
		c, o := len(s.children()), s.descriptors()
		return c > 0 && c <= children && len(o) <= len(open), fmt.Sprintf("%d children, were %d; open %q, were %q", c, children, o, open)
	})
	if tmp, _ := filepath.Glob(s.Data + "/tmp/*"); len(tmp) > 0 {
		t.Errorf("temporary files are left: %v", tmp)
	}
}

// warmUpPhotos is the number of photos that warmUp uploads.
const warmUpPhotos = 8

// warmUp uploads enough photos that each decoder has worked, and that the daemon has opened
// the files that it keeps open.
func (s *site) warmUp(u *bed.Uploader) {
	s.t.Helper()
	dir := fmt.Sprintf("warm%d", photoCount.Add(1))
	for i := range warmUpPhotos {
		s.Local(fmt.Sprintf("%s/%d.jpg", dir, i), photo())
	}
	s.runAs(u, "cp", "-r", s.Dir+"/local/"+dir, u.Dir()+"/job1/")
	s.Eventually("good photos are taken", func() (bool, any) {
		have := s.photos(u, "--album", dir)
		return len(have) == warmUpPhotos, keys(have)
	})
	s.rescan()
}

// wholePhotos are small good JPEGs of several kinds.
func wholePhotos(t *testing.T) [][]byte {
	all := [][]byte{
		testphoto.Tiny(0),
		testphoto.Make(testphoto.Spec{Width: 640, Height: 480, Quality: 40, Noise: 40, Orientation: 6, Make: "ACME", Thumbnail: true, GPS: true}),
	}
	for _, kind := range []string{"420", "444", "grey", "progressive", "restart", "three-scans", "icc", "exif-little-endian", "cmyk"} {
		all = append(all, readFile(t, "../internal/photo/testdata/"+kind+".jpg"))
	}
	return all
}

// expectedResult returns the expected result for a file, from what package photo finds in it.
func expectedResult(data []byte) string {
	var scan jpeg.Scan
	_, _ = scan.Write(data)
	r := bytes.NewReader(data)
	facts := scan.Facts()
	if assumed, ok := facts.AssumeEOI(); ok {
		facts = assumed
	}
	// A file is read only until it is certain that it cannot become a photo. That gives the
	// reason, even if the file is cut off too.
	err := jpeg.CheckBeginning(scan.Facts(), jpeg.Limits{})
	if err == nil {
		_, err = jpeg.Render(r, jpeg.ReadMeta(r), facts, jpeg.Limits{}, []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}})
	}
	switch {
	case err == nil:
		return "photo"
	case !bytes.HasPrefix(data, []byte{0xff, 0xd8, 0xff}) && len(data) > 2:
		return "not-jpeg"
	case errors.Is(err, jpeg.ErrIncomplete):
		return "incomplete"
	case errors.Is(err, jpeg.ErrTooComplex):
		return "too-complex"
	case errors.Is(err, jpeg.ErrDamaged):
		return "damaged"
	}
	return err.Error()
}

// corrupt does one or two bad things to a copy of a photo, often to its header.
func corrupt(r *rand.Rand, good []byte) []byte {
	b := slices.Clone(good)
	for range 1 + r.IntN(2) {
		if len(b) < 4 {
			return b
		}
		at := r.IntN(len(b))
		if r.IntN(3) == 0 {
			at = r.IntN(min(len(b), 800))
		}
		length := 1 + r.IntN(1<<r.IntN(12))
		end := min(len(b), at+length)
		switch r.IntN(7) {
		case 0, 1: // flip bits
			for range 1 + r.IntN(3) {
				b[at] ^= 1 << r.IntN(8)
				at = r.IntN(len(b))
			}
		case 2: // overwrite a range with noise or with one byte
			fill := []byte{0, 0xff, byte(r.Uint32())}[r.IntN(3)]
			for i, noise := at, r.IntN(2) == 0; i < end; i++ {
				if b[i] = fill; noise {
					b[i] = byte(r.Uint32())
				}
			}
		case 3: // remove a range
			b = slices.Delete(b, at, end)
		case 4: // duplicate a range
			b = slices.Insert(b, at, slices.Clone(b[at:end])...)
		case 5: // cut off the end
			b = b[:at]
		case 6: // swap two markers
			var markers []int
			for i := range len(b) - 1 {
				if b[i] == 0xff && b[i+1] != 0 && b[i+1] != 0xff {
					markers = append(markers, i+1)
				}
			}
			if len(markers) > 0 {
				x, y := markers[r.IntN(len(markers))], markers[r.IntN(len(markers))]
				b[x], b[y] = b[y], b[x]
			}
		}
	}
	return b
}

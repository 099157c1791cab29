package test

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"picday/internal/testbed"
	"picday/internal/testphoto"
)

// Other renditions in the configuration: those of all photos are made anew while
// the old ones serve, no link changes, and uploads do not wait for it.
func TestOtherRenditions(t *testing.T) {
	s := newSite(t, testbed.Options{Workers: 1})
	u := s.jobs("other", "job1")
	picture := testphoto.Make(testphoto.Spec{Width: 1600, Height: 1200, Noise: 40})
	var want []string
	for i := range 30 {
		s.Local(fmt.Sprintf("Old/%d.jpg", i), testphoto.Vary(picture, i))
		want = append(want, fmt.Sprintf("job1/Old/%d.jpg", i))
	}
	s.as(u, "cp", "-r", s.Dir+"/local/Old", u.Dir()+"/job1/")
	before := s.waitPhotos(u, want...)
	s.daemon.Stop(syscall.SIGTERM)
	s.EditConfig("longest = 1600", "longest = 1000")
	s.EditConfig(`name = "thumb"`, `name = "icon"`)

	s.daemon = s.StartDaemon()
	// Decoders stand still until we have seen what is to be seen, and an upload is in
	// hand: also one whose picture is known, with its old renditions. There is a new
	// decoder for each picture that is made anew.
	all := func(signal syscall.Signal) {
		for _, pid := range s.children() {
			_ = syscall.Kill(pid, signal) // it may have ended meanwhile
		}
	}
	all(syscall.SIGSTOP)
	first := s.status().Rederive
	if first == nil || first.Total != 30 || first.Done >= 30 {
		t.Fatalf("rederive: %+v: this test cannot see", first)
	}
	s.allThere(u)
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/New"))
	s.must(wire.Put("/job1/New/known.jpg", testphoto.Vary(picture, 29)))
	s.must(wire.Put("/job1/New/new.jpg", testphoto.Vary(picture, 1000)))
	s.Eventually("an upload is in hand", func() (bool, any) {
		all(syscall.SIGSTOP)
		st := s.status()
		return len(st.InProgress) > 0, st
	})
	all(syscall.SIGCONT)

	want = append(want, "job1/New/known.jpg", "job1/New/new.jpg")
	slices.Sort(want)
	s.Eventually("all renditions are new ones", func() (bool, any) {
		photos, old := s.allThere(u), 0
		for _, p := range photos {
			if r := p.Renditions; len(r) != 2 || r[0].Name != "large" || r[0].Width != 1000 || r[1].Name != "icon" || r[1].Width != 400 {
				old++
			}
		}
		return slices.Equal(keys(photos), want) && old == 0, fmt.Sprintf("%d photos, %d old", len(photos), old)
	})
	s.Eventually("the progress is over", func() (bool, any) {
		r := s.status().Rederive
		return r == nil, r
	})
	after := s.photos(u)
	for path, p := range before {
		if now := after[path]; now.Link != p.Link || !now.IngestedAt.Equal(p.IngestedAt) || now.SHA256 != p.SHA256 {
			t.Errorf("%s was %+v, is %+v", path, p, now)
		}
	}
	s.waitProblems(u, map[string]string{})
	s.settled()
	s.onceEach(31)
}

// allThere requires that each rendition in the list of photos is a file.
func (s *site) allThere(u *testbed.Uploader) map[string]testbed.Photo {
	s.t.Helper()
	photos := s.photos(u)
	var missing []string
	for path, p := range photos {
		for _, r := range p.Renditions {
			if !s.isFile(p, r) {
				missing = append(missing, path)
			}
		}
	}
	if len(missing) == 0 {
		return photos
	}
	// Then it has become another one since: what is not listed any more may go.
	now := s.photos(u)
	for _, path := range missing {
		for _, r := range photos[path].Renditions {
			if slices.Contains(now[path].Renditions, r) && !s.isFile(now[path], r) {
				s.t.Errorf("%s is listed with %+v, which is no file", path, r)
			}
		}
	}
	return photos
}

// isFile tells whether a rendition of a photo is on disk as it is listed.
func (s *site) isFile(p testbed.Photo, r testbed.Rendition) bool {
	s.t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("%s/renditions/%s/%s-%s-*.jpg", s.Data, p.SHA256[:2], p.SHA256, r.Name))
	s.must(err)
	for _, file := range files {
		if size(file) == int64(r.Bytes) {
			return true
		}
	}
	return false
}

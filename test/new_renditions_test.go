package test

import (
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// After a change of the renditions in the configuration, those of all photos are made again.
// Meanwhile the old ones are served; no link changes, and uploads do not wait.
func TestOtherRenditions(t *testing.T) {
	s := newSite(t, bed.Options{Workers: 1})
	u := s.jobs("other", "job1")
	picture := testphoto.Make(testphoto.Spec{Width: 1600, Height: 1200, Noise: 40})
	var want []string
	for i := range 30 {
		s.Local(fmt.Sprintf("Old/%d.jpg", i), testphoto.Vary(picture, i))
		want = append(want, fmt.Sprintf("job1/Old/%d.jpg", i))
	}
	s.runAs(u, "cp", "-r", s.Dir+"/local/Old", u.Dir()+"/job1/")
	before := s.waitPhotos(u, want...)
	s.daemon.Stop(syscall.SIGTERM)
	s.EditConfig("longest = 1600", "longest = 1000")
	s.EditConfig(`name = "thumb"`, `name = "icon"`)

	s.daemon = s.StartDaemon()
	// Stop the decoders until the test has looked, and an upload is being processed. One
	// of the uploads has a known picture with old renditions. picday starts a new decoder
	// for each picture that it renders again.
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
	s.requireRenditions(u)
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
		photos, old := s.requireRenditions(u), 0
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
	s.rescan()
	s.requireFiles(31)
}

// requireRenditions requires that each rendition in the list of photos is a file.
func (s *site) requireRenditions(u *bed.Uploader) map[string]bed.Photo {
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
	// If the list has changed since, the file may be missing.
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
func (s *site) isFile(p bed.Photo, r bed.Rendition) bool {
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

package test

import (
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// A deleted photo is withdrawn after the grace, and comes back by the command, by an upload,
// or by an upload under another name. It has the same link, and no new renditions are made.
func TestTrash(t *testing.T) {
	s := newSite(t)
	u := s.jobs("trash", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	data := map[string][]byte{"job1/A/a.jpg": photo(), "job1/A/b.jpg": photo(), "job1/A/c.jpg": photo()}
	for path, d := range data {
		s.must(wire.Put("/"+path, d))
	}
	before, rendered := s.waitPhotos(u, keys(data)...), s.renditions()
	for path := range data {
		s.must(wire.Remove("/" + path))
	}
	s.waitPhotos(u)
	for path, e := range s.trash(u) {
		if e.SHA256 != sum(data[path]) || e.ExpiresAt.Sub(e.WithdrawnAt).Round(time.Hour) != 720*time.Hour {
			t.Errorf("in the trash: %+v", e)
		}
	}
	s.requireSameRenditions(rendered)
	if r := s.Picday("trash", "restore", u.Name, "job1/A/never.jpg"); r.Code != 3 {
		t.Errorf("restoring what is not there: %v", r)
	}

	s.MustPicday("trash", "restore", u.Name, "job1/A/a.jpg")
	s.must(wire.Put("/job1/A/b.jpg", data["job1/A/b.jpg"]))
	s.must(wire.Put("/job1/A/other.jpg", data["job1/A/c.jpg"]))
	got := s.waitPhotos(u, "job1/A/a.jpg", "job1/A/b.jpg", "job1/A/other.jpg")
	for path := range data {
		if path != "job1/A/c.jpg" && got[path].Link != before[path].Link {
			t.Errorf("%s: the link was %s, is %s", path, before[path].Link, got[path].Link)
		}
	}
	if !wire.Exists("/job1/A/a.jpg") {
		t.Error("the uploader does not see what was restored")
	}
	s.requireSameRenditions(rendered)
	s.requireStillPublishedBesideTrash(u, "job1/A/a.jpg", "job1/A/b.jpg", "job1/A/other.jpg")
}

// requireStillPublishedBesideTrash is requireStillPublished for accounts that may have photos in the trash.
func (s *site) requireStillPublishedBesideTrash(u *bed.Uploader, paths ...string) {
	s.t.Helper()
	s.Never("photos are withdrawn", 2*grace, func() (bool, any) {
		have := keys(s.photos(u))
		return len(have) != len(paths), shorten(have)
	})
}

// A photo that is deleted and uploaded again within the grace stays published all the time.
func TestTheGrace(t *testing.T) {
	s := newSite(t, bed.Options{DeleteGrace: time.Hour})
	u := s.jobs("grace", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/a.jpg", photo()))
	s.must(wire.Put("/job1/A/b.jpg", photo()))
	before := s.waitPhotos(u, "job1/A/a.jpg", "job1/A/b.jpg")
	s.must(wire.Remove("/job1/A/a.jpg"))
	s.must(wire.Remove("/job1/A/b.jpg"))
	s.uploadAndWait(u, "/job1/A/proof.jpg")
	s.rescan()
	successor := photo()
	s.must(wire.Put("/job1/A/a.jpg", successor))
	s.waitSum(u, "job1/A/a.jpg", successor)
	got := s.waitPhotos(u, "job1/A/a.jpg", "job1/A/b.jpg", "job1/A/proof.jpg")
	if got["job1/A/a.jpg"].Link != before["job1/A/a.jpg"].Link {
		t.Error("the link has changed")
	}
	if trash := s.trash(u); len(trash) > 0 {
		t.Errorf("in the trash within the grace: %v", trash)
	}
	// A restart neither ends the grace nor withdraws the photo.
	s.daemon.Kill()
	s.daemon = s.StartDaemon()
	s.rescan()
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/b.jpg", "job1/A/proof.jpg")
}

// When photos expire, their files are deleted, except those that another photo needs.
func TestTheTrashEnds(t *testing.T) {
	s := newSite(t, bed.Options{TrashKeep: 3 * time.Second})
	u := s.jobs("ends", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	shared := photo()
	s.must(wire.Put("/job1/A/only.jpg", photo()))
	s.must(wire.Put("/job1/A/twin.jpg", shared))
	s.must(wire.Put("/job1/A/stays.jpg", shared))
	s.waitPhotos(u, "job1/A/only.jpg", "job1/A/twin.jpg", "job1/A/stays.jpg")
	s.must(wire.Remove("/job1/A/only.jpg"))
	s.must(wire.Remove("/job1/A/twin.jpg"))
	s.waitPhotos(u, "job1/A/stays.jpg")
	var ends time.Time
	for _, e := range s.trash(u) {
		ends = e.ExpiresAt
	}
	s.Eventually("the time is over", func() (bool, any) { return time.Now().After(ends), ends })
	// The daemon empties the trash every few minutes, and when it starts.
	s.daemon.Stop(syscall.SIGTERM)
	s.daemon = s.StartDaemon()
	s.Eventually("the trash has ended", func() (bool, any) {
		trash, originals := s.trash(u), s.originals()
		return len(trash) == 0 && len(originals) == 1 && len(s.renditions()) == 2, keys(originals)
	})
	s.verify()
}

func TestEmptyTrash(t *testing.T) {
	s := newSite(t)
	u := s.jobs("empty", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/a.jpg", photo()))
	s.must(wire.Put("/job1/A/b.jpg", photo()))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/b.jpg")
	s.must(wire.Remove("/job1/A/a.jpg"))
	s.waitPhotos(u, "job1/A/b.jpg")
	s.MustPicday("trash", "empty", u.Name)
	s.Eventually("the files are gone", func() (bool, any) {
		originals := s.originals()
		return len(s.trash(u)) == 0 && len(originals) == 1 && len(s.renditions()) == 2, keys(originals)
	})
}

package test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/test/bed"
)

func pictures(u *bed.Uploader) string { return "/" + u.Name + "/user-pictures/" }

func TestAPortraitKeepsItsLink(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	wire, dir := u.ByKey().MustWire(), pictures(u)
	s.must(wire.Put(dir+"12.jpg", photo()))
	path := strings.TrimPrefix(dir, "/") + "12.jpg"
	link := s.waitPhotos(u, path)[path].Link
	for range 3 {
		data := photo()
		s.must(wire.Put(dir+"12.jpg", data))
		if p := s.waitSum(u, path, data); p.Link != link || p.Person != "12" {
			t.Errorf("overwritten: %+v, the link was %s", p, link)
		}
	}
	// Delete it, wait until it is withdrawn, and upload it again.
	s.must(wire.Remove(dir + "12.jpg"))
	s.waitPhotos(u)
	s.must(wire.Put(dir+"12.jpg", photo()))
	if p := s.waitPhotos(u, path)[path]; p.Link != link {
		t.Errorf("uploaded anew: %+v, the link was %s", p, link)
	}
	// A file with another extension is of the same person.
	s.must(wire.Remove(dir + "12.jpg"))
	s.must(wire.Put(dir+"12.JPEG", photo()))
	other := strings.TrimPrefix(dir, "/") + "12.JPEG"
	if p := s.waitPhotos(u, other)[other]; p.Link != link {
		t.Errorf("as 12.JPEG: %+v, the link was %s", p, link)
	}
}

// If a portrait is renamed to another ID, that person's link shows the picture, and the link
// of the first person is dead.
func TestAPortraitRenamed(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	wire, dir := u.ByKey().MustWire(), pictures(u)
	at := strings.TrimPrefix(dir, "/")
	thirteenth := photo()
	s.must(wire.Put(dir+"13.jpg", thirteenth))
	of13 := s.waitPhotos(u, at+"13.jpg")[at+"13.jpg"].Link
	s.must(wire.Remove(dir + "13.jpg"))
	s.waitPhotos(u)

	data := photo()
	s.must(wire.Put(dir+"12.jpg", data))
	of12 := s.waitPhotos(u, at+"12.jpg")[at+"12.jpg"].Link
	rendered := s.renditions()
	s.must(wire.Rename(dir+"12.jpg", dir+"13.jpg"))
	p := s.waitPhotos(u, at+"13.jpg")[at+"13.jpg"]
	if p.Link != of13 || p.Link == of12 || p.Person != "13" || p.SHA256 != sum(data) {
		t.Errorf("12 was %s, 13 was %s, renamed: %+v", of12, of13, p)
	}
	s.requireSameRenditions(rendered)

	// posix-rename replaces 13.jpg by 12.jpg.
	data = photo()
	s.must(wire.Put(dir+"12.jpg", data))
	s.waitPhotos(u, at+"12.jpg", at+"13.jpg")
	s.must(wire.PosixRename(dir+"12.jpg", dir+"13.jpg"))
	s.waitPhotos(u, at+"13.jpg")
	if p := s.waitSum(u, at+"13.jpg", data); p.Link != of13 {
		t.Errorf("replaced by renaming: %+v", p)
	}
}

func TestLeadingZerosAndPatterns(t *testing.T) {
	s := newSite(t)
	digits, own := s.portraits("digits"), s.portraits("own", "--id-pattern", "[A-Z]{2}[0-9]+")
	for _, name := range []string{"12.jpg", "012.jpg", "0012.jpg", strings.Repeat("9", 32) + ".jpg"} {
		s.must(digits.ByKey().MustWire().Put(pictures(digits)+name, photo()))
	}
	for _, name := range []string{"AB1.jpg", "12.jpg", "xAB1.jpg"} {
		s.must(own.ByKey().MustWire().Put(pictures(own)+name, photo()))
	}
	s.must(digits.ByKey().MustWire().Put(pictures(digits)+strings.Repeat("9", 33)+".jpg", photo()))
	at := digits.Name + "/user-pictures/"
	got := s.waitPhotos(digits, at+"12.jpg", at+"012.jpg", at+"0012.jpg", at+strings.Repeat("9", 32)+".jpg")
	links := map[string]bool{}
	for path, p := range got {
		links[p.Link] = true
		if p.Person+".jpg" != p.File {
			t.Errorf("%s is %q", path, p.Person)
		}
	}
	if len(links) != 4 {
		t.Errorf("four people have %d links", len(links))
	}
	s.waitProblems(digits, map[string]string{at + strings.Repeat("9", 33) + ".jpg": "bad-name"})
	at = own.Name + "/user-pictures/"
	s.waitPhotos(own, at+"AB1.jpg")
	s.waitProblems(own, map[string]string{at + "12.jpg": "bad-name", at + "xAB1.jpg": "bad-name"})
	if one := s.photos(digits, "--person", "012"); len(one) != 1 {
		t.Errorf("--person 012: %v", keys(one))
	}
}

func TestDuplicateID(t *testing.T) {
	s := newSite(t)
	u := s.portraits("dup")
	wire, dir := u.ByKey().MustWire(), pictures(u)
	at := strings.TrimPrefix(dir, "/")
	first, second := photo(), photo()
	s.must(wire.Put(dir+"12.jpg", first))
	link := s.waitPhotos(u, at+"12.jpg")[at+"12.jpg"].Link
	s.must(wire.Put(dir+"12.JPG", second))
	s.waitProblems(u, map[string]string{at + "12.jpg": "duplicate-id"})
	if p := s.waitPhotos(u, at+"12.JPG")[at+"12.JPG"]; p.SHA256 != sum(second) || p.Link != link {
		t.Errorf("the newer wins: %+v", p)
	}
	// If the newer one is deleted, the older one is the portrait again.
	s.must(wire.Remove(dir + "12.JPG"))
	if p := s.waitPhotos(u, at+"12.jpg")[at+"12.jpg"]; p.SHA256 != sum(first) || p.Link != link {
		t.Errorf("the older one is back: %+v", p)
	}
	s.waitProblems(u, map[string]string{})
	// .jfif is of the same person, too.
	s.must(wire.Put(dir+"12.jfif", second))
	s.waitProblems(u, map[string]string{at + "12.jpg": "duplicate-id"})
	if p := s.waitPhotos(u, at+"12.jfif")[at+"12.jfif"]; p.SHA256 != sum(second) || p.Link != link {
		t.Errorf("as .jfif: %+v", p)
	}
}

// A badly named file is listed with the day of its deletion, and is deleted then, but not
// while a client has it open.
func TestStrays(t *testing.T) {
	const keep = 4 * time.Second
	s := newSite(t, bed.Options{StrayKeep: keep})
	u := s.portraits("strays")
	wire, dir := u.ByKey().MustWire(), pictures(u)
	at := strings.TrimPrefix(dir, "/")
	s.must(wire.Put(dir+"Anna Müller.jpg", photo()))
	open, err := wire.Open(dir+"Open.jpg", bed.Write|bed.Create)
	s.must(err)
	s.must(wire.Put(dir+"12.jpg", photo()))
	s.must(wire.Put(dir+"list.xls", []byte("names")))

	s.Eventually("the strays are announced", func() (bool, any) {
		p := s.problems(u)
		return p[at+"Anna Müller.jpg"].Reason == "bad-name" && p[at+"list.xls"].Reason == "bad-name", p
	})
	stray := s.problems(u)[at+"Anna Müller.jpg"]
	if stray.DeleteAfter == nil || stray.DeleteAfter.Sub(stray.Since) < keep {
		t.Fatalf("announced as %+v", stray)
	}
	s.Eventually("the stray is deleted", func() (bool, any) {
		now := time.Now() // before listing: a file that the list lacks was deleted before now
		_, err := os.Lstat(u.Dir() + dir + "Anna Müller.jpg")
		gone := errors.Is(err, fs.ErrNotExist)
		if gone && now.Before(*stray.DeleteAfter) {
			t.Errorf("deleted before %v", stray.DeleteAfter)
		}
		return gone, err
	})
	_, err = open.Write([]byte("still here"))
	s.must(err)
	s.Never("a file that is open is deleted", keep+2*time.Second, func() (bool, any) {
		_, err := os.Lstat(u.Dir() + dir + "Open.jpg")
		return err != nil, err
	})
	s.must(open.Close())
	s.Eventually("it is deleted once it is closed", func() (bool, any) {
		names, err := wire.List(dir)
		return err == nil && strings.Join(names, " ") == "12.jpg", names
	})
	s.waitPhotos(u, at+"12.jpg")
}

// A badly named symbolic link is deleted like any other stray, but not its target.
func TestAStrayLink(t *testing.T) {
	s := newSite(t, bed.Options{StrayKeep: time.Second})
	u := s.portraits("links")
	s.must(u.Symlink("12.jpg", pictures(u)+"link.jpg"))
	s.must(u.ByKey().MustWire().Put(pictures(u)+"12.jpg", photo()))
	s.waitPhotos(u, u.Name+"/user-pictures/12.jpg")
	s.Eventually("the link is deleted", func() (bool, any) {
		_, err := os.Lstat(u.Dir() + pictures(u) + "link.jpg")
		return errors.Is(err, fs.ErrNotExist), s.problems(u)
	})
	s.requireStillPublished(u, u.Name+"/user-pictures/12.jpg")
}

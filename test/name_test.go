package test

import (
	"net/http"
	"strings"
	"testing"
)

// A school leaves: it deletes its pictures, and its account is removed. A name
// is soon somebody else's. Nothing that the old one was given (links, log-ins,
// tokens) may lead to the new one's children.
func TestANameIsSomebodyElses(t *testing.T) {
	s := newSite(t)
	old := s.portraits("school")
	s.must(old.ByKey().MustWire().Put(pictures(old)+"12.jpg", photo()))
	at := old.Name + "/user-pictures/12.jpg"
	before := s.waitPhotos(old, at)[at]
	s.MustPicday("operator", "add", "eva", "--account", old.Name)
	s.MustPicday("token", "add", "till", "--account", old.Name)
	s.must(old.ByKey().MustWire().Remove(pictures(old) + "12.jpg"))
	s.waitPhotos(old)
	// What is in the trash can be brought back, as long as the account is known.
	if r := s.Picday("account", "remove", old.Name); r.Code != 4 || !strings.Contains(r.Stderr, "--keep") {
		t.Errorf("with a photo in the trash: %v", r)
	}
	s.MustPicday("trash", "empty", old.Name)
	if r := s.Picday("account", "remove", old.Name); r.Code != 0 || !strings.Contains(r.Stderr, "operator eva") || !strings.Contains(r.Stderr, "token till") {
		t.Errorf("with nothing: %v", r)
	}
	next := s.portraits("school")
	s.must(next.ByKey().MustWire().Put(pictures(next)+"12.jpg", photo()))
	after := s.waitPhotos(next, at)[at]
	if after.Link == before.Link {
		t.Errorf("another child under the old link %s", before.Link)
	}
	if status, _ := fetch(t, before.URL); status != http.StatusNotFound {
		t.Errorf("the old link: %d", status)
	}
	for _, logins := range []string{"operator", "token"} {
		if out := s.MustPicday(logins, "list"); strings.Contains(out, next.Name) {
			t.Errorf("%s of the old one:\n%s", logins, out)
		}
	}
}

// What --keep has kept comes back with the name, and whose log-ins come with it
// is said.
func TestANameIsTheSameOnes(t *testing.T) {
	s := newSite(t)
	school := s.portraits("school")
	s.MustPicday("operator", "add", "eva", "--account", school.Name)
	s.MustPicday("token", "add", "till", "--account", school.Name)
	s.MustPicday("token", "add", "shop")
	s.MustPicday("account", "remove", school.Name, "--keep")
	r := s.Picday("account", "add", school.Name, "--layout", "portraits")
	for _, say := range []string{"removed with --keep", "operator eva", "token till"} {
		if r.Code != 0 || !strings.Contains(r.Stderr, say) || strings.Contains(r.Stderr, "shop") {
			t.Errorf("%s: %v", say, r)
		}
	}
	if r := s.Picday("account", "add", s.Name("new"), "--layout", "portraits"); r.Code != 0 || strings.Contains(r.Stderr, "--keep") {
		t.Error(r)
	}
}

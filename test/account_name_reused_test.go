package test

import (
	"net/http"
	"strings"
	"testing"
)

// A school's account is removed with its photos, and another school gets an account of the
// same name. No link, log-in or token of the first account may show anything of the second.
func TestAReusedNameShowsNothingToTheOldOwner(t *testing.T) {
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

// An account that is added again after a removal with --keep has its photos again, and the
// command names the log-ins that it has again too.
func TestAKeptAccountComesBackWithItsPhotosAndLogIns(t *testing.T) {
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

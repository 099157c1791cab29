package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever is put into an address, the answer is data, a refusal or nothing
// there, and never of another account.
func FuzzAPI(f *testing.F) {
	for _, seed := range [][2]string{
		{"photos", "after=" + cursor("1", "2", "3")},
		{"photos", "after=" + cursor("9223372036854775807", "9223372036854775807", "9223372036854775807") + "&limit=1000"},
		{"photos", "changed_since=99999999999999999999"},
		{"photos", "changed_since=9999-12-31T23:59:59%2B23:59"},
		{"jobs", "after=" + cursor("acme", "job00001")},
		{"albums", "after=" + cursor("acme", "job00001", "Class 1") + "&job=job00001"},
		{"problems", "after=" + cursor("file", "1")},
		{"problems", "after=" + cursor("photo", "1")},
		{"accounts", "after=" + cursor("a")},
		{"people/12", "account=acme"},
		{"people/%2e%2e", ""},
		{"people/'; DROP TABLE photo; --", ""},
		{"photos", "job=job00001&account=acme"},
		{"photos", "album=%00"},
	} {
		f.Add(seed[0], seed[1])
	}
	b := newAdminBed(f)
	b.shoot("Class 1", "IMG_1.jpg")
	b.put("12", "Ann")
	one := b.token("one", b.acct.ID)
	f.Fuzz(func(t *testing.T, path, query string) {
		r := httptest.NewRequest("GET", "http://admin.example/", nil)
		r.Header.Set("Authorization", one)
		r.URL = &url.URL{Path: "/api/v1/" + path, RawQuery: query}
		w := b.answer(r)
		switch w.Code {
		case http.StatusOK, http.StatusBadRequest, http.StatusNotFound:
		default:
			t.Fatalf("%q ? %q: %d %s", path, query, w.Code, w.Body)
		}
		if w.Code == http.StatusOK && (strings.Contains(w.Body.String(), "acme") || strings.Contains(w.Body.String(), "job00001")) {
			t.Fatalf("%q ? %q: %s", path, query, w.Body)
		}
	})
}

// The same for who has logged in to the pages.
func FuzzPhotoID(f *testing.F) {
	for _, seed := range [][2]string{{"1", "thumb.jpg"}, {"2", "thumb.jpg"}, {"-1", "x"}, {"01", "large.jpg"}, {"99999999999999999999", "original"}, {"1", "../link.key"}, {"1", "original"}, {"%2e%2e", "original"}} {
		f.Add(seed[0], seed[1])
	}
	b := newAdminBed(f)
	b.shoot("Class 1", "IMG_1.jpg")
	b.put("12", "Ann")
	b.addOperator("ann", b.acct.ID)
	cookie, ours := b.session("ann"), b.photo("12").ID
	f.Fuzz(func(t *testing.T, id, file string) {
		r := httptest.NewRequest("GET", "http://admin.example/", nil)
		r.Header.Set("Cookie", cookie)
		r.URL = &url.URL{Path: "/photos/" + id + "/" + file}
		w := b.answer(r)
		switch {
		case w.Code == http.StatusNotFound, w.Code == http.StatusMethodNotAllowed:
		case w.Code == http.StatusOK && r.PathValue("id") == "2" && ours == 2:
		default:
			t.Fatalf("%q / %q: %d %.100s", id, file, w.Code, w.Body)
		}
	})
}

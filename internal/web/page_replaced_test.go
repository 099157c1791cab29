package web

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"picday/store"
)

// overwrite publishes two shots of acme under one name.
func (b *adminBed) overwrite(file, first, second string) (id int64) {
	b.Helper()
	path := "job00001/Class 1/" + file
	at := store.Place{Path: path, Shown: path, Job: "job00001", Album: "Class 1", Area: "individuals"}
	b.publishShot(b.other, at, first, store.Camera{Model: "EOS R6", Serial: "1"})
	b.publishShot(b.other, at, second, store.Camera{Model: "EOS R6", Serial: "2"})
	all, err := b.s.View(0).Replaced(b.Context(), "acme", 0, 0)
	b.must(err)
	if len(all) == 0 || all[len(all)-1].Path != path {
		b.Fatalf("nobody is told of %s: %+v", path, all)
	}
	return all[len(all)-1].ID
}

func shaText(content string) string {
	return store.SHA(sha256.Sum256([]byte(content))).String()
}

// Another shot in a picture's place is shown with both pictures, and put right by a
// click.
func TestReplacedPages(t *testing.T) {
	b := newAdminBed(t)
	b.spoil("job00001/Class 1/x.jpg")
	b.put("12", "Ann")
	b.put("12", "Ann, a year later") // a portrait: nobody is told
	one, two := b.overwrite("IMG_1.jpg", "Ben", "Cid"), b.overwrite("IMG_2.jpg", "Dan", "Eve")
	b.addOperator("eva", 0)
	b.addOperator("max", b.acct.ID)
	cookie := b.session("eva")
	list := b.page(cookie, "/problems")
	for _, want := range []string{
		photoURL(one) + "/history/" + shaText("Ben") + "/", photoURL(one) + "/thumb.jpg?v=" + shaText("Cid")[:8], photoURL(one) + "/accept", photoURL(one) + "/revert",
		`value="` + shaText("Ben") + `"`, photoURL(two) + "/history/" + shaText("Dan"), "x.jpg", `Replaced <span class="n">2<`, `<span class="n">3</span>`, `<span class="badge">3</span>`,
	} {
		if !strings.Contains(list, want) {
			t.Errorf("/problems: no %s", want)
		}
	}
	if html := b.page(cookie, "/problems?reason=replaced"); strings.Contains(html, "x.jpg") || !strings.Contains(html, "IMG_1.jpg") {
		t.Error("only replaced ones: not so")
	}
	for _, path := range []string{"/problems?reason=not-jpeg", "/problems?job=job2", "/problems?account=lincoln"} {
		if html := b.page(cookie, path); strings.Contains(html, "IMG_1.jpg") {
			t.Errorf("%s: IMG_1.jpg", path)
		}
	}
	if html := b.page(b.session("max"), "/problems"); strings.Contains(html, "IMG_1.jpg") {
		t.Error("another account's operator sees it")
	}
	if html := b.page(cookie, photoURL(one)); !strings.Contains(html, "Another shot was here before") || strings.Count(html, shaText("Ben")+`"><button`) != 2 {
		t.Error("the photo's page does not say so")
	}
	if html := b.page(cookie, photoURL(b.photo("12").ID)); strings.Contains(html, "Another shot") || !strings.Contains(html, "Put this one back") {
		t.Error("a portrait's page: told, or nothing to put back")
	}

	post := func(who, path, sha string) int {
		t.Helper()
		return b.ask("POST", path, url.Values{"sha256": {sha}}, "Cookie", who, "Origin", "http://admin.example").Code
	}
	if code := post(b.session("max"), photoURL(one)+"/revert", shaText("Ben")); code != http.StatusNotFound {
		t.Errorf("another account's operator: %d", code)
	}
	for sha, want := range map[string]int{"": http.StatusBadRequest, shaText("Ben")[:8]: http.StatusBadRequest, shaText("nobody"): http.StatusConflict, shaText("Cid"): http.StatusConflict} {
		if code := post(cookie, photoURL(one)+"/revert", sha); code != want {
			t.Errorf("put %q back: %d, want %d", sha, code, want)
		}
	}
	if code := post(cookie, photoURL(one)+"/revert", shaText("Ben")); code != http.StatusSeeOther {
		t.Errorf("put back: %d", code)
	}
	if code := post(cookie, photoURL(two)+"/accept", ""); code != http.StatusSeeOther {
		t.Errorf("accept: %d", code)
	}
	p, err := b.s.View(0).Photo(t.Context(), one)
	b.must(err)
	if p.SHA.String() != shaText("Ben") {
		t.Errorf("shows %s", p.SHA)
	}
	list = b.page(cookie, "/problems")
	if strings.Contains(list, photoURL(two)) || strings.Contains(list, "Another shot") || !strings.Contains(list, "An earlier picture was put back") {
		t.Error("/problems after both")
	}
	if html := b.page(cookie, "/activity"); !strings.Contains(html, "Earlier picture put back") || !strings.Contains(html, "New picture accepted") {
		t.Error("/activity says nothing")
	}
}

// The API lists them behind the files, in pages of any size.
func TestReplacedInTheAPI(t *testing.T) {
	b := newAdminBed(t)
	b.spoil("job00001/Class 1/x.jpg")
	b.spoil("job00001/Class 1/y.jpg")
	b.overwrite("IMG_1.jpg", "Ben", "Cid")
	b.overwrite("IMG_2.jpg", "Dan", "Eve")
	all := b.token("all", 0)
	for limit := 1; limit <= 5; limit++ {
		var paths []string
		for path := fmt.Sprintf("/problems?limit=%d", limit); path != ""; {
			var answer struct {
				Problems []struct{ Path, Reason, Message string }
				Next     *string
			}
			if code := b.get(all, path, &answer); code != http.StatusOK || len(paths) > 4 || len(answer.Problems) > limit {
				t.Fatalf("%s: %d", path, code)
			}
			for _, p := range answer.Problems {
				paths = append(paths, p.Path[len(p.Path)-5:])
				if (p.Reason == "replaced") != strings.Contains(p.Path, "IMG") || p.Message == "" {
					t.Errorf("%+v", p)
				}
			}
			if path = ""; answer.Next != nil {
				path = fmt.Sprintf("/problems?limit=%d&after=%s", limit, *answer.Next)
			}
		}
		if got := strings.Join(paths, " "); got != "x.jpg y.jpg 1.jpg 2.jpg" {
			t.Errorf("in pages of %d: %s", limit, got)
		}
	}
	var photos struct{ Photos []struct{ Flags []string } }
	if b.get(all, "/photos?account=acme", &photos); len(photos.Photos) != 2 || strings.Join(photos.Photos[0].Flags, " ") != "replaced" {
		t.Errorf("%+v", photos)
	}
}

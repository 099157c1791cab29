package web

import (
	"archive/zip"
	"bytes"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"picday/store"
	"picday/store/pictures"
)

// A plainForm is what a browser without JavaScript sends for the bar of an album or of the
// trash.
type plainForm struct {
	action, zip string // addresses
	fields      url.Values
	photos      []string // that can be ticked
	does        []string // the values of its buttons
}

// chosenForm reads the form from a page.
func (b *adminBed) chosenForm(page string) (f plainForm) {
	b.Helper()
	all := func(pattern string) (found []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(page, -1) {
			found = append(found, html.UnescapeString(m[1]))
		}
		return found
	}
	action, back := all(`<form class="chosen"[^>]* action="([^"]+)"`), all(`<form class="chosen"[^>]*><input type="hidden" name="back" value="([^"]*)">`)
	if len(action) != 1 || len(back) != 1 || strings.Contains(page, `id="chosen" hidden`) {
		b.Fatalf("no form that works without scripts:\n%s", page)
	}
	f.action, f.fields = action[0], url.Values{"back": back}
	f.photos, f.does = all(`type="checkbox" name="photo" value="(\d+)" form="chosen"`), all(`<button [^>]*name="do" value="(\w+)"`)
	if zip := all(`formaction="([^"]+)"`); len(zip) > 0 {
		f.zip = zip[0]
	}
	return f
}

// What a browser without JavaScript sends for many photos withdraws, restores and
// downloads them; every download is a plain link.
func TestManyPhotosAtOnceWithoutScripts(t *testing.T) {
	b := fullBed(t)
	b.shoot("Class 1", "IMG_3.jpg")
	photos, err := b.s.View(b.other.ID).Photos(t.Context(), store.PhotoQuery{Account: "acme"})
	b.must(err)
	for _, p := range photos {
		b.must(os.MkdirAll(path.Dir(b.s.Files().Path(pictures.Original(p.SHA))), 0o750))
		b.write(b.s.Files().Path(pictures.Original(p.SHA)), p.Path) // what it was made of
	}
	b.addOperator("max", b.other.ID)
	cookie, album := b.session("max"), "/jobs/acme/job00001/Class%201"
	isZip := func(what string, body []byte, want int) {
		t.Helper()
		if z, err := zip.NewReader(bytes.NewReader(body), int64(len(body))); err != nil || len(z.File) != want {
			t.Errorf("%s: %v %.200q", what, err, body)
		}
	}
	form := b.chosenForm(b.page(cookie, album))
	if len(form.photos) != 2 || fmt.Sprint(form.does) != "[withdraw]" {
		t.Fatalf("%+v", form)
	}
	form.fields["photo"] = form.photos
	isZip("the selection", b.ask("POST", form.zip, form.fields, "Cookie", cookie).Body.Bytes(), 2)

	form.fields.Set("do", "withdraw")
	w := b.ask("POST", form.action, form.fields, "Cookie", cookie)
	if w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	trash := b.chosenForm(b.page(cookie, "/trash?account=acme"))
	if len(trash.photos) != 2 || fmt.Sprint(trash.does) != "[restore]" {
		t.Fatalf("%+v", trash)
	}
	trash.fields["photo"], trash.fields["do"] = trash.photos[:1], trash.does
	if w := b.ask("POST", trash.action, trash.fields, "Cookie", cookie); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if n := len(b.chosenForm(b.page(cookie, album)).photos); n != 1 {
		t.Errorf("%d photos in the album", n)
	}

	links := regexp.MustCompile(`<li><a href="([^"]+)" download>`)
	for page, want := range map[string]int{album: 1, "/jobs/acme/job00001": 2, "/accounts/acme": 2} {
		found := links.FindAllStringSubmatch(b.page(cookie, page), -1)
		if len(found) < 2 {
			t.Errorf("%s has no downloads", page)
		}
		for _, m := range found {
			to := html.UnescapeString(m[1])
			w := b.ask("GET", to, nil, "Cookie", cookie)
			if strings.Contains(to, ".csv") {
				if w.Code != http.StatusOK || strings.Count(w.Body.String(), "\r\n") != want+1 {
					t.Errorf("%s: %d %q", to, w.Code, w.Body)
				}
				continue
			}
			isZip(to, w.Body.Bytes(), want)
		}
	}
}

// Whoever may see an account may download all of it, and nothing of another one.
func TestAWholeAccountIsDownloaded(t *testing.T) {
	b := fullBed(t)
	for account, id := range map[string]int64{"lou": b.acct.ID, "max": b.other.ID} {
		b.tx(func(tx *store.Tx) error {
			return tx.AddOperator(store.Operator{Name: account, AccountID: id, Role: store.Look}, passwordHash())
		})
	}
	lou, max := b.session("lou"), b.session("max")
	for _, try := range []struct {
		cookie, path string
		files        int
		has          string
	}{
		{max, "/downloads/acme/photos.zip?size=thumb", 2, "job00001/Class 1/individuals/IMG_1.jpg"},
		{lou, "/downloads/lincoln/photos.zip?size=thumb", 2, "13.jpg"},
		{max, "/downloads/acme/photos.csv", 2, "\r\njob00001,Class 2,individuals,IMG_2.jpg,http"},
		{lou, "/downloads/lincoln/photos.csv", 2, "id,link,taken,width,height,bytes,sha256\r\n12,http"},
	} {
		w := b.ask("GET", try.path, nil, "Cookie", try.cookie)
		body := w.Body.String()
		if w.Code != http.StatusOK || !strings.Contains(body, try.has) {
			t.Errorf("%s: %d %.300q", try.path, w.Code, body)
		}
		if strings.Contains(try.path, ".csv") {
			if n := strings.Count(body, "\r\n"); n != try.files+1 {
				t.Errorf("%s: %d lines", try.path, n)
			}
		} else if z, err := zip.NewReader(strings.NewReader(body), int64(len(body))); err != nil || len(z.File) != try.files {
			t.Errorf("%s: %v", try.path, err)
		}
	}
	for _, path := range []string{"/downloads/lincoln/photos.zip", "/downloads/lincoln/photos.csv", "/downloads/none/photos.zip", "/downloads/acme/photos.zip?size=none"} {
		if w := b.ask("GET", path, nil, "Cookie", max); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if activity := b.page(max, "/activity?event=downloaded"); !strings.Contains(activity, "2 links, as a list") || !strings.Contains(activity, "2 photos, size thumb") {
		t.Error("the activity does not tell")
	}
}

package web

import (
	"net/http"
	"strings"
	"testing"

	"picday/store"
)

func TestAPublishedPicture(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	link := b.link("12")
	for path, want := range map[string]string{
		"/" + link + ".jpg":       "large",
		"/" + link + "/large.jpg": "large",
		"/" + link + "/thumb.jpg": "thumb",
	} {
		w := b.ask("GET", path)
		if w.Code != http.StatusOK || w.Body.String() != string(rendered(want, "Ann")) {
			t.Errorf("%s: %d %.40q", path, w.Code, w.Body)
		}
		for key, value := range map[string]string{
			"Content-Type": "image/jpeg", "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex",
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes",
		} {
			if w.Header().Get(key) != value {
				t.Errorf("%s: %s is %q", path, key, w.Header().Get(key))
			}
		}
		tag := w.Header().Get("Etag")
		if len(tag) < 10 || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s: ETag %q", path, tag)
		}
		if again := b.ask("GET", path, "If-None-Match", tag); again.Code != http.StatusNotModified || again.Body.Len() > 0 || again.Header().Get("Etag") != tag {
			t.Errorf("%s: asked again: %d %v", path, again.Code, again.Header())
		}
		if head := b.ask("HEAD", path); head.Code != http.StatusOK || head.Body.Len() > 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
			t.Errorf("%s: HEAD: %d %v", path, head.Code, head.Header())
		}
		if part := b.ask("GET", path, "Range", "bytes=5-9"); part.Code != http.StatusPartialContent || part.Body.String() != w.Body.String()[5:10] {
			t.Errorf("%s: a range: %d %q", path, part.Code, part.Body)
		}
	}
}

func TestReplacedAndWithdrawn(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	path := "/" + b.link("12") + ".jpg"
	tag := b.ask("GET", path).Header().Get("Etag")
	b.put("12", "Ann, a year later")
	w := b.ask("GET", path, "If-None-Match", tag)
	if w.Code != http.StatusOK || w.Body.String() != string(rendered("large", "Ann, a year later")) {
		t.Errorf("replaced: %d %.40q", w.Code, w.Body)
	}
	b.withdraw("12")
	if w = b.ask("GET", path, "If-None-Match", tag); w.Code != http.StatusNotFound {
		t.Errorf("withdrawn: %d", w.Code)
	}
}

// All that is not a picture is answered alike, to the byte.
func TestTheSame404(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	b.put("13", "withdrawn")
	link, dead := b.link("12"), b.link("13")
	b.withdraw("13")
	addr := strings.TrimPrefix(b.serve(), "http://")
	get := func(method, path string) string {
		t.Helper()
		return talk(t, addr, method+" "+path+" HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\n\r\n")
	}
	want := get("GET", "/"+strings.Repeat("0", 56)+".jpg")
	if !strings.Contains(want, "404 Not Found") {
		t.Fatal(want)
	}
	for _, path := range []string{
		"/" + dead + ".jpg", "/" + dead + "/thumb.jpg", "/" + link + "/huge.jpg", "/" + link, "/" + link + "/", "/" + link + "/.jpg",
		"/" + strings.ToUpper(link) + ".jpg", "//" + link + ".jpg", "/" + link + ".JPG", "/" + link + "//thumb.jpg", "/x/../" + link + ".jpg",
		"/" + link + "%2ejpg", "/%2e%2e/link.key", "/../link.key", "/", "/lincoln/user-pictures/12.jpg", "/healthz/", "/favicon.ico", "/robots.txt",
		"/" + link + ".jpg/", "/" + link + ".jpg/thumb.jpg", "/" + link + "/thumb.jpg.jpg", "/" + link + "/../" + link + ".jpg", "/" + link + ".jpg%00",
		"/" + link + "/thumb%2ejpg", "/" + link + "%2fthumb.jpg", "/" + link + "/thu%6db.jpg", "/" + link + "/large", "/" + link + ".jpeg", "/" + link + ".png",
		"/" + link[:55] + ".jpg", "/" + link + "0.jpg", "/" + link + link + ".jpg", "/" + strings.Repeat("f", 7000) + ".jpg", "/" + strings.Repeat("../", 2000),
		"/%ff%fe", "/;", "/\\..\\", "/originals/", "/renditions/", "/catalogue.sqlite", "http://x/", "/?" + link + ".jpg",
	} {
		if got := get("GET", path); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", path, got, want)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "TRACE", "get", "X"} {
		if got := get(method, "/"+link+".jpg"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", method, got, want)
		}
	}
}

// A default that a picture does not have yet, because the configuration has
// just begun to name it, is the largest until then; by its name it is not there.
func TestADefaultToBeMade(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	links, err := b.s.OpenLinks(t.Context(), "huge")
	b.must(err)
	defer links.Close()
	b.pub.Pictures = links
	path := "/" + b.link("12")
	if w := b.ask("GET", path+".jpg"); w.Code != http.StatusOK || w.Body.String() != string(rendered("large", "Ann")) {
		t.Errorf("%d %.40q", w.Code, w.Body)
	}
	if w := b.ask("GET", path+"/huge.jpg"); w.Code != http.StatusNotFound {
		t.Errorf("by name: %d", w.Code)
	}
}

// The links of an account that was removed with its files are dead; those of one
// that is only switched off or kept are not.
func TestLinksOfRemovedAccounts(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	path := "/" + b.link("12") + ".jpg"
	for _, state := range []struct {
		change func(*store.Tx) error
		want   int
	}{
		{func(tx *store.Tx) error { return tx.SetEnabled(b.acct, false) }, http.StatusOK},
		{func(tx *store.Tx) error { return tx.RemoveAccount(b.acct, false) }, http.StatusOK},
		{func(tx *store.Tx) error { return tx.RemoveAccount(b.acct, true) }, http.StatusNotFound},
	} {
		b.tx(state.change)
		if w := b.ask("GET", path); w.Code != state.want {
			t.Errorf("%d, not %d", w.Code, state.want)
		}
	}
}

// late answers once with a file that has just been replaced.
type late struct {
	Pictures
	told bool
}

func (l *late) Published(link, rendition string) (store.Published, error) {
	p, err := l.Pictures.Published(link, rendition)
	if !l.told {
		l.told, p.Name = true, p.Name+".old"
	}
	return p, err
}

// Between the look into the catalogue and the opening of the file, renditions
// may have been made anew.
func TestRenditionsMadeAnewMeanwhile(t *testing.T) {
	b := newBed(t)
	b.put("12", "Ann")
	b.pub.Pictures = &late{Pictures: b.pub.Pictures}
	if w := b.ask("GET", "/"+b.link("12")+".jpg"); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
}

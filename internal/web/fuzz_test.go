package web

import (
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func FuzzPath(f *testing.F) {
	link := strings.Repeat("0a", 28)
	for _, path := range []string{
		"/" + link + ".jpg", "/" + link + "/thumb.jpg", "/" + link + "/.jpg", "/" + link + "//.jpg", "/" + link + "/a/b.jpg", "/" + link + ".jpg.jpg",
		"/" + strings.ToUpper(link) + ".jpg", "/" + link + "%2ejpg", "/" + link + "0.jpg", "/" + link[1:] + ".jpg", "/", "", "/../link.key", "/\x00",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		link, rendition, ok := parsePath(path)
		if !ok {
			if link != "" || rendition != "" {
				t.Errorf("%q: refused, but %q %q", path, link, rendition)
			}
			return
		}
		if !regexp.MustCompile(`^[0-9a-f]{56}$`).MatchString(link) || !regexp.MustCompile(`^[a-z0-9-]*$`).MatchString(rendition) {
			t.Errorf("%q: %q %q", path, link, rendition)
		}
		// One spelling, and no two paths for one picture.
		spelt := "/" + link
		if rendition != "" {
			spelt += "/" + rendition
		}
		if path != spelt+".jpg" {
			t.Errorf("%q means %q", path, spelt)
		}
	})
}

// differs is what no two answers have in common: the date, and the boundary
// between several ranges.
var differs = regexp.MustCompile(`(?m)^Date: .*\r\n|[0-9a-f]{60}`)

// byServeContent answers for a picture with http.ServeContent and nothing else.
func byServeContent(p *Public) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		link, rendition, ok := parsePath(r.URL.EscapedPath())
		pic, err := p.open(link, rendition)
		if !ok || err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead {
			p.ServeHTTP(w, r)
			return
		}
		defer pic.Close()
		setHeader(w.Header())
		setPicture(w.Header(), pic.Published)
		if r.Header.Get("If-Modified-Since") != pic.modified().Format(http.TimeFormat) {
			r.Header.Del("If-Modified-Since")
		}
		http.ServeContent(w, r, "", pic.modified(), pic)
	})
}

// FuzzRequest sends the same bytes to the public listener, which has small
// pictures in memory, and to http.ServeContent: the answers must be the same.
// LINK stands for the link of a published picture, DEAD for one that was
// withdrawn, TAG and DATE for what the picture has.
func FuzzRequest(f *testing.F) {
	for _, text := range []string{
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /LINK/thumb.jpg HTTP/1.1\r\nHost: x\r\nUser-Agent: y\r\nConnection: keep-alive\r\n\r\n",
		"GET /LINK/big.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /DEAD.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"HEAD /LINK.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /LINK.jpg HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"GET /LINK.jpg HTTP/1.0\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: \r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost : x\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\nHost: x\n\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nAccept: \x01\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nRange: bytes=0-3,7-9\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nRange: bytes=99999999-\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match: TAG\r\n\r\n",
		"HEAD /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match: TAG\r\nIf-Modified-Since: DATE\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\", TAG\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"a\"\r\nIf-None-Match: TAG\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match: W/TAG\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-None-Match:\r\nIf-Modified-Since: DATE\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: DATE\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: DATE\r\nRange: bytes=0-3\r\nIf-Range: DATE\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-Match: TAG\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nIf-Unmodified-Since: DATE\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /LINK.jpg HTTP/1.1\r\nHost: x\r\n\r\nGET /LINK/thumb.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET http://x/LINK.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET //LINK.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /LINK.jpg?x=1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /LINK.jpg#x HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /%2e%2e/LINK.jpg HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /LINK.jpg  HTTP/1.1\r\nHost: x\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + strings.Repeat("c", 5000) + "\r\n\r\n",
		"\r\n\r\n", "GET", "\x16\x03\x01\x02\x00", "",
	} {
		f.Add(text)
	}
	b := newBed(f)
	b.put("12", "Ann")
	b.put("13", "Bob")
	link, dead := b.link("12"), b.link("13")
	b.withdraw("13")
	said := b.ask("HEAD", "/"+link+".jpg").Header()
	filled := strings.NewReplacer("LINK", link, "DEAD", dead, "TAG", said.Get("Etag"), "DATE", said.Get("Last-Modified"))
	ours := strings.TrimPrefix(b.serve(), "http://")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	model := newServer("model", newListener(l, maxConns, nil, zerolog.Nop()), byServeContent(b.pub), zerolog.Nop())
	theirs := strings.TrimPrefix(b.run(model), "http://")
	f.Fuzz(func(t *testing.T, text string) {
		text = filled.Replace(text)
		got, want := talk(t, ours, text), talk(t, theirs, text)
		if got != want {
			t.Errorf("%q:\n%q\nhttp.ServeContent:\n%q", text, got, want)
		}
	})
}

// talk sends bytes and returns all that comes back, without what differs.
func talk(t *testing.T, addr, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// A server that has heard enough may close before all is sent.
	_, _ = io.WriteString(c, text)
	_ = c.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(c)
	if err != nil && len(answer) == 0 {
		return "" // reset, because not all was read
	}
	return differs.ReplaceAllString(string(answer), "")
}

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"picday/store"
)

// target makes a route's pattern a path, of a photo where it wants one.
func target(pattern string, photo int64) string {
	return strings.NewReplacer("{id}", fmt.Sprint(photo), "{file}", "thumb.jpg", "{version}", assetsVersion, "{sha}", strings.Repeat("0", 64), "{$}", "",
		"{account}", "lincoln", "{job}", "job00001", "{album}", "A", "{person}", "12", "{name}", "former", "{login}", "freda").Replace(pattern)
}

// Whatever route there is, nobody gets to it without its kind of log-in, and
// no other site gets anything done. The table is the one that the listener is
// made of.
func TestEveryRouteIsGuarded(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	photo := b.photo("12").ID
	b.addOperator("ann", 0)
	b.addOperator("former", 0)
	b.addOperator("wrong", b.other.ID)
	cookie, former, wrong := b.session("ann"), b.session("former"), b.session("wrong")
	bearer, revoked, wrongBearer := b.token("till", 0), b.token("revoked", 0), b.token("wrong", b.other.ID)
	b.tx(func(tx *store.Tx) error {
		if err := tx.RemoveOperator("former"); err != nil {
			return err
		}
		return tx.RemoveToken("revoked")
	})
	b.gate.Stop() // or a stream of events would not end
	for _, rt := range b.gate.routes() {
		path := target(rt.pattern, photo)
		if strings.Contains(path, "{") {
			t.Errorf("%s: say in target() what the wildcards are", rt.pattern)
		}
		var form url.Values
		if rt.method == "POST" {
			form = url.Values{"name": {"x"}, "photo": {fmt.Sprint(photo)}, "do": {"withdraw"}}
		}
		refused := func(who string, header ...string) {
			t.Helper()
			w := b.ask(rt.method, path, form, header...)
			switch {
			case rt.operators() && w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), "/login") && w.Body.Len() == 0:
			case rt.access == token && w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != "" && strings.HasPrefix(w.Body.String(), `{"error":`):
			case rt.access == machine && w.Code == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") != "":
			default:
				t.Errorf("%s %s, %s: %d %v %.80q", rt.method, path, who, w.Code, w.Header(), w.Body)
			}
		}
		// A handler may end a session, so the photo is asked for anew each time.
		if rt.access != open {
			refused("nobody")
			refused("an empty cookie", "Cookie", "picday=", "Authorization", "Bearer ")
			refused("made up", "Cookie", "picday=x", "Authorization", "Bearer x")
			refused("a removed operator, a revoked token", "Cookie", former, "Authorization", revoked)
			refused("the cookie of another scheme", "Cookie", "__Host-"+cookie)
		}
		if rt.operators() {
			refused("a token", "Authorization", bearer)
		} else if rt.access != open {
			refused("a cookie", "Cookie", cookie)
		}
		for _, h := range rt.header(b, wrong, wrongBearer) {
			w := b.ask(rt.method, path, form, h...)
			switch {
			case strings.Contains(rt.pattern, "{id}") && w.Code == http.StatusNotFound:
			case rt.access == machine && w.Code == http.StatusForbidden:
			case rt.access != machine && !strings.Contains(rt.pattern, "{id}") && w.Code < 500 && !strings.Contains(w.Body.String(), "lincoln"):
			default:
				t.Errorf("%s %s, of another account: %d %.80q", rt.method, path, w.Code, w.Body)
			}
		}
		if rt.method == "GET" {
			continue
		}
		for _, h := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			w := b.ask(rt.method, path, form, append(h, "Cookie", cookie, "Authorization", bearer)...)
			if w.Code != http.StatusForbidden {
				t.Errorf("%s %s, %v: %d", rt.method, path, h, w.Code)
			}
		}
	}
	if p := b.photo("12"); !p.WithdrawnAt.IsZero() || p.Link == "" {
		t.Errorf("the photo was changed: %+v", p)
	}
}

// operators tells whether the route is for people who have logged in.
func (rt route) operators() bool {
	return rt.access == operator || rt.access == worker || rt.access == administrator
}

// header is the log-in of the wrong account, of the kind that the route wants.
func (rt route) header(_ *adminBed, cookie, bearer string) [][]string {
	switch {
	case rt.operators() && rt.pattern != "/logout":
		return [][]string{{"Cookie", cookie}}
	case rt.access == token, rt.access == machine:
		return [][]string{{"Authorization", bearer}}
	}
	return nil
}

// A path that is no route tells nobody so who has not logged in.
func TestNoRoute(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie, bearer := b.session("ann"), b.token("till", 0)
	for _, path := range []string{"/nothing", "//", "//login", "/login/", "/jobs/../login", "/.git/config", "/healthz/", "/assets/", "/photos/x/y/z"} {
		if w := b.ask("GET", path, nil); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if w := b.ask("GET", path, nil, "Cookie", cookie); w.Code != http.StatusNotFound {
			t.Errorf("%s, logged in: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/api", "/api/", "/api/v1/nothing", "/api/v2/photos", "/api//v1/photos"} {
		if w := b.ask("GET", path, nil); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if w := b.ask("GET", path, nil, "Authorization", bearer); w.Code != http.StatusNotFound || !strings.HasPrefix(w.Body.String(), `{"error":`) {
			t.Errorf("%s, with a token: %d %s", path, w.Code, w.Body)
		}
	}
	if w := b.ask("DELETE", "/logout", nil, "Cookie", cookie); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("DELETE /logout: %d %v", w.Code, w.Header())
	}
}

// Who has ended his half of the connection is taken for gone. He may still be
// listening, and must not take an empty 200 for what was not done.
func TestARefusalIsNeverAnEmpty200(t *testing.T) {
	b := newAdminBed(t)
	b.put("12", "Ann")
	b.addOperator("eve", b.other.ID)
	server, err := New("web.admin", "127.0.0.1:0", nil, b.gate, b.pub.Log)
	b.must(err)
	addr := strings.TrimPrefix(b.run(server), "http://")
	request := fmt.Sprintf("POST /photos/%d/withdraw HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\nContent-Length: 0\r\n\r\n", b.photo("12").ID, b.session("eve"))
	for range 50 {
		if answer := talk(t, addr, request); answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 404 ") {
			t.Fatalf("%.200q", answer)
		}
	}
	if log := b.log.String(); strings.Contains(log, "panic") {
		t.Error(log)
	}
}

package web

import (
	"net/http"
	"strings"
	"testing"
)

// A stranger's name that leads to this machine is another site, whatever the
// browser sends along: pages, log-in and API are closed to it.
func TestAForeignHost(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie, bearer := b.session("ann"), b.token("shop", 0)
	for _, path := range []string{"/", "/login", "/api/v1/photos", "/api/v1/openapi.json", "/metrics", "/nothing"} {
		for _, host := range []string{"evil.example", "evil.example:8481", "admin.example.evil.example", "127.0.0.1.evil.example", "x<script>", "localhost.evil.example"} {
			r := b.request("GET", path, "Cookie", cookie, "Authorization", bearer)
			r.Host = host
			w := b.answer(r)
			if w.Code != http.StatusMisdirectedRequest || !strings.Contains(w.Body.String(), "admin_hosts") || !isMachine(path) && strings.Contains(w.Body.String(), "<script>") ||
				w.Header().Get("Content-Security-Policy") != policy || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s of %s: %d %v %s", path, host, w.Code, w.Header(), w.Body)
			}
		}
		for _, host := range []string{
			"admin.example", "admin.example:443", "ADMIN.example.", "localhost", "localhost:8481", "127.0.0.1", "127.0.0.1:8481", "[::1]:8481", "[2001:db8::1]", "192.0.2.7", "",
		} {
			r := b.request("GET", path, "Cookie", cookie, "Authorization", bearer)
			r.Host = host
			if w := b.answer(r); w.Code == http.StatusMisdirectedRequest {
				t.Errorf("%s of %s: %d", path, host, w.Code)
			}
		}
	}
	for _, path := range []string{"/healthz", asset("picday.css")} {
		r := b.request("GET", path)
		r.Host = "evil.example"
		if w := b.answer(r); w.Code == http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

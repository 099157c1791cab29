package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"picday/store"
)

func (b *adminBed) logIn(name, password string, header ...string) (status int, cookie *http.Cookie, h http.Header, body string) {
	b.Helper()
	w := b.ask("POST", "/login", url.Values{"name": {name}, "password": {password}, "next": {"/jobs?x=1"}}, header...)
	for _, c := range w.Result().Cookies() {
		if c.Name == cookieName(b.request("GET", "/", header...)) {
			cookie = c
		}
	}
	return w.Code, cookie, w.Header(), w.Body.String()
}

func TestLogInAndOut(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	if w := b.ask("GET", "/login?next=/jobs", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `value="/jobs"`) {
		t.Fatalf("the form: %d %s", w.Code, w.Body)
	}
	status, c, h, _ := b.logIn("ann", password)
	if status != http.StatusSeeOther || h.Get("Location") != "/jobs?x=1" || c == nil {
		t.Fatalf("log in: %d %v", status, h)
	}
	if c.Name != "picday" || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
		t.Errorf("cookie: %+v", c)
	}
	cookie := c.Name + "=" + c.Value
	if w := b.ask("GET", "/login", nil, "Cookie", cookie); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" {
		t.Errorf("the form, logged in: %d", w.Code)
	}
	if w := b.ask("POST", "/logout", url.Values{}, "Cookie", cookie); w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") ||
		w.Header().Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("log out: %d %v", w.Code, w.Header())
	}
	if w := b.ask("POST", "/logout", url.Values{}, "Cookie", cookie); w.Header().Get("Location") != "/login" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("the session goes on: %d %v", w.Code, w.Header())
	}
}

// Behind TLS the cookie is one that browsers send over TLS only, and that no
// other host can set.
func TestTheCookieOfTLS(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	_, c, _, _ := b.logIn("ann", password, "X-Forwarded-Proto", "https")
	if c == nil || c.Name != "__Host-picday" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Fatalf("cookie: %+v", c)
	}
	if w := b.ask("GET", "/login", nil, "Cookie", c.Name+"="+c.Value, "X-Forwarded-Proto", "https"); w.Code != http.StatusSeeOther {
		t.Errorf("over TLS: %d", w.Code)
	}
	if w := b.ask("GET", "/login", nil, "Cookie", c.Name+"="+c.Value); w.Code != http.StatusOK {
		t.Errorf("without TLS: %d", w.Code)
	}
}

// A cookie that somebody has put into the browser is not the one that the
// session gets, and what it was for ends.
func TestSessionFixation(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	planted := b.session("ann")
	_, c, _, _ := b.logIn("ann", password, "Cookie", planted)
	if c == nil || "picday="+c.Value == planted {
		t.Fatalf("cookie: %+v", c)
	}
	if w := b.ask("GET", "/login", nil, "Cookie", planted); w.Code != http.StatusOK {
		t.Errorf("the planted session goes on: %d", w.Code)
	}
	if w := b.ask("GET", "/login", nil, "Cookie", c.Name+"="+c.Value); w.Code != http.StatusSeeOther {
		t.Errorf("the new session: %d", w.Code)
	}
}

func TestAWrongPassword(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	status, c, _, wrong := b.logIn("ann", "incorrect horse")
	if status != http.StatusForbidden || c != nil || !strings.Contains(wrong, "The name or the password is wrong.") || strings.Contains(wrong, "incorrect") {
		t.Errorf("%d %v %s", status, c, wrong)
	}
	if status, c, _, unknown := b.logIn("bob", password); status != http.StatusForbidden || c != nil || strings.ReplaceAll(unknown, "bob", "ann") != wrong {
		t.Errorf("an unknown name is answered otherwise: %d %v %s", status, c, unknown)
	}
	if strings.Contains(b.log.String(), "horse") {
		t.Errorf("the password is in the log: %s", b.log.String())
	}
}

func TestOwnPath(t *testing.T) {
	for next, want := range map[string]string{
		"": "/", "/": "/", "/jobs": "/jobs", "/jobs/a%2Fb?x=1": "/jobs/a%2Fb?x=1",
		"//evil.example": "/", "https://evil.example/": "/", "/\\evil.example": "/", "\\\\evil.example": "/", "javascript:alert(1)": "/",
		"/\t/evil.example": "/", "jobs": "/", "/login": "/", "/jobs/../..//evil.example": "/", "///evil.example": "/", "http:evil.example": "/",
	} {
		if got := ownPath(next); got != want {
			t.Errorf("%q: %q, want %q", next, got, want)
		}
	}
}

// Removing an operator ends what he has open, within the request that asks.
func TestAnEndedOperator(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	cookie := b.session("ann")
	v, err := b.gate.admit(nil, operator, b.request("GET", "/", "Cookie", cookie))
	b.must(err)
	if !v.loggedIn() {
		t.Error("still() of one who is logged in")
	}
	b.tx(func(tx *store.Tx) error { return tx.RemoveOperator("ann") })
	if v.loggedIn() {
		t.Error("still() of one who was removed")
	}
}

// meanwhile is a Writer before whose first change something else happens.
type meanwhile struct {
	Writer
	first func()
}

func (m *meanwhile) Do(ctx context.Context, apply func(*store.Tx) error) error {
	if first := m.first; first != nil {
		m.first = nil
		first()
	}
	return m.Writer.Do(ctx, apply)
}

// Checking a password takes a while. Whoever goes on logging in with one that
// is known to the wrong people must not be in when it has been replaced.
func TestAPasswordReplacedMeanwhile(t *testing.T) {
	other := quickHash("another horse")
	for what, change := range map[string]func(*store.Tx) error{
		"replaced": func(tx *store.Tx) error { return tx.SetOperatorPassword("ann", other) },
		"removed":  func(tx *store.Tx) error { return tx.RemoveOperator("ann") },
		"somebody else": func(tx *store.Tx) error {
			return errors.Join(tx.RemoveOperator("ann"), tx.AddOperator(store.Operator{Name: "ann"}, other))
		},
	} {
		b := newAdminBed(t)
		b.addOperator("ann", b.acct.ID)
		b.gate.Writer = &meanwhile{b.gate.Writer, func() { b.tx(change) }}
		status, c, _, _ := b.logIn("ann", password)
		if status != http.StatusForbidden || c != nil {
			t.Errorf("%s: %d %v", what, status, c)
		}
		if c != nil {
			if w := b.ask("GET", "/", nil, "Cookie", c.Name+"="+c.Value); w.Code != http.StatusSeeOther {
				t.Errorf("%s: the session goes on: %d", what, w.Code)
			}
		}
	}
}

package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// ownClock gives the limits on log-ins a clock that stands still until it is set, and so
// many counters that no two keys share one.
func (b *adminBed) ownClock() {
	l := b.gate.logins
	b.clock = time.Now()
	for _, c := range []*counters{l.names, l.networks, l.browsers} {
		c.now, c.all = func() time.Time { return b.clock }, make([]*rate.Limiter, 1<<20)
	}
}

// use takes all of an allowance, which must be whole.
func (b *adminBed) use(c *counters, key string) {
	b.Helper()
	if n := c.of(key); !n.AllowN(c.now(), c.burst) {
		b.Fatalf("%q is not at rest", key)
	}
}

// tryLogIn logs in from an address, with the cookies of a browser, and takes
// up those that it is given.
func (b *adminBed) tryLogIn(name, password, from string, browser map[string]string) (status int, body string) {
	b.Helper()
	var cookies []string
	for name, value := range browser {
		cookies = append(cookies, name+"="+value)
	}
	w := b.ask("POST", "/login", url.Values{"name": {name}, "password": {password}}, "X-Forwarded-For", from, "Cookie", strings.Join(cookies, "; "))
	for _, c := range w.Result().Cookies() {
		if browser != nil {
			browser[c.Name] = c.Value
		}
	}
	if w.Code == http.StatusTooManyRequests && (w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Too many log-ins have failed")) {
		b.Errorf("429: %v %s", w.Header(), w.Body)
	}
	return w.Code, w.Body.String()
}

// Failures count by name and network, and by the network alone, and are forgotten in time;
// success does not count. What fails in one network keeps nobody out in another.
func TestLogInLimit(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	b.ownClock()
	l := b.gate.logins
	fails := func(want int, name, password, from string) {
		t.Helper()
		if status, _ := b.tryLogIn(name, password, from, nil); status != want {
			t.Errorf("%s from %s: %d, want %d", name, from, status, want)
		}
	}
	for range nameFailures {
		fails(http.StatusForbidden, "ann", "wrong wrong", "192.0.2.1")
	}
	fails(http.StatusTooManyRequests, "ann", password, "192.0.2.1")
	fails(http.StatusTooManyRequests, "ann", password, "192.0.2.250")
	b.clock = b.clock.Add(nameEvery)
	fails(http.StatusForbidden, "ann", "wrong wrong", "192.0.2.1")
	fails(http.StatusTooManyRequests, "ann", password, "192.0.2.1")
	fails(http.StatusForbidden, "bob", "wrong wrong", "192.0.2.1")
	fails(http.StatusSeeOther, "ann", password, "198.51.100.1")
	b.use(l.networks, "203.0.113.0/24")
	fails(http.StatusTooManyRequests, "ann", password, "203.0.113.7")
	b.use(l.names, "ann\x002001:db8:0:1100::/56")
	fails(http.StatusTooManyRequests, "ann", password, "2001:db8:0:11ff::1")
	fails(http.StatusSeeOther, "ann", password, "2001:db8:0:1200::1")
}

// A browser in which the operator has logged in is kept out by nothing that
// strangers do, in its own network neither, nor while all their turns and
// places are taken.
func TestAKnownBrowser(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	b.addOperator("bob", 0)
	b.ownClock()
	l := b.gate.logins
	browser := map[string]string{}
	if status, _ := b.tryLogIn("ann", password, "192.0.2.1", browser); status != http.StatusSeeOther || len(browser) != 2 {
		t.Fatal(status, browser)
	}
	b.use(l.names, "ann\x00192.0.2.0/24")
	b.use(l.networks, "192.0.2.0/24")
	for range cap(l.strangers.turns) {
		l.strangers.turns <- struct{}{}
	}
	for range cap(l.strangers.places) {
		l.strangers.places <- struct{}{}
	}
	in := func(want int, what, name, password, from string, browser map[string]string) {
		t.Helper()
		if status, body := b.tryLogIn(name, password, from, browser); status != want {
			t.Errorf("%s: %d, want %d\n%s", what, status, want, body)
		}
	}
	in(http.StatusSeeOther, "the known browser", "ann", password, "192.0.2.1", browser)
	in(http.StatusSeeOther, "the known browser elsewhere", "ann", password, "198.51.100.1", browser)
	in(http.StatusServiceUnavailable, "a stranger", "ann", password, "198.51.100.1", nil)
	in(http.StatusTooManyRequests, "a stranger in the network that was used up", "ann", password, "192.0.2.1", nil)
	in(http.StatusServiceUnavailable, "another operator in the known browser", "bob", password, "198.51.100.1", browser)
	for name, value := range browser {
		if !strings.Contains(name, "-browser-") {
			continue
		}
		other, first := b.gate.browserCookie(b.request("GET", "/"), "bob"), "A"
		if value[:1] == first {
			first = "B"
		}
		for what, forged := range map[string]map[string]string{
			"changed": {name: first + value[1:]}, "shortened": {name: value[:20]}, "nothing": {name: ""}, "another's": {other: value},
		} {
			in(http.StatusServiceUnavailable, what, map[bool]string{true: "bob", false: "ann"}[what == "another's"], password, "198.51.100.1", forged)
		}
	}
	// Its own failures are its own.
	for range nameFailures {
		in(http.StatusForbidden, "a wrong try of the known browser", "ann", "wrong wrong", "198.51.100.1", browser)
	}
	status, body := b.tryLogIn("ann", password, "198.51.100.1", browser)
	if status != http.StatusTooManyRequests || !strings.Contains(body, "in this browser") {
		t.Errorf("after %d failures: %d %s", nameFailures, status, body)
	}
}

// The cookie of a known browser opens nothing, is as safe as the session's, and
// outlives the session.
func TestTheCookieOfABrowser(t *testing.T) {
	b := newAdminBed(t)
	b.addOperator("ann", 0)
	for _, proto := range []string{"http", "https"} {
		w := b.ask("POST", "/login", url.Values{"name": {"ann"}, "password": {password}}, "X-Forwarded-Proto", proto)
		cookies := w.Result().Cookies()
		if len(cookies) != 2 {
			t.Fatal(w.Code, cookies)
		}
		session, c := cookies[0], cookies[1]
		prefix := map[string]string{"http": "picday-browser-", "https": "__Host-picday-browser-"}[proto]
		if !strings.HasPrefix(c.Name, prefix) || strings.Contains(c.Name+c.Value, "ann") || !c.HttpOnly || c.Secure != (proto == "https") ||
			c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge != int(browserLife/time.Second) {
			t.Errorf("%s: %+v", proto, c)
		}
		for _, name := range []string{c.Name, session.Name} {
			if w := b.ask("GET", "/", nil, "Cookie", name+"="+c.Value, "X-Forwarded-Proto", proto); w.Header().Get("Location") != "/login" {
				t.Errorf("%s opens something as %s: %d", proto, name, w.Code)
			}
		}
		w = b.ask("POST", "/logout", url.Values{}, "Cookie", session.Name+"="+session.Value+"; "+c.Name+"="+c.Value, "X-Forwarded-Proto", proto)
		if all := w.Header()["Set-Cookie"]; len(all) != 1 || strings.Contains(all[0], "-browser-") {
			t.Errorf("%s: logging out takes away %v", proto, all)
		}
	}
}

// Only configured web servers are believed whom they ask for: the last address
// that is not one of theirs.
func TestClientAddr(t *testing.T) {
	g := &gate{Admin: Admin{Log: zerolog.Nop(), Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.1.0.0/16")}}}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.1", "192.0.2.1"},
		{"127.0.0.2:5", "198.51.100.1", "127.0.0.2"},
		{"127.0.0.1:5", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:5", "198.51.100.9, 198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:5", "198.51.100.9\n198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:5", "198.51.100.9, 198.51.100.1, 10.1.2.3", "198.51.100.1"},
		{"127.0.0.1:5", "198.51.100.9, 10.2.0.1, 10.1.2.3", "10.2.0.1"},
		{"127.0.0.1:5", "10.1.2.3, 10.1.2.4", "10.1.2.3"},
		{"[::1]:5", "198.51.100.1", "198.51.100.1"},
		{"[::1]:5", "[2001:db8::1]:443", "2001:db8::1"},
		{"127.0.0.1:5", "198.51.100.1:443", "198.51.100.1"},
		{"127.0.0.1:5", "nonsense", "127.0.0.1"},
		{"127.0.0.1:5", "198.51.100.1, nonsense", "127.0.0.1"},
		{"127.0.0.1:5", "198.51.100.1,", "127.0.0.1"},
		{"[::ffff:127.0.0.1]:5", "::ffff:198.51.100.1", "198.51.100.1"},
		{"@", "", "::"},
	} {
		r, _ := http.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.peer
		for line := range strings.SplitSeq(c.forwarded, "\n") {
			if line != "" {
				r.Header.Add("X-Forwarded-For", line)
			}
		}
		if got := g.clientAddr(r).String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	none := &gate{Admin: Admin{Log: zerolog.Nop()}}
	r, _ := http.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:5"
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	if got := none.clientAddr(r).String(); got != "127.0.0.1" {
		t.Errorf("without proxies: %s", got)
	}
}

func TestNetworkOf(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.77": "192.0.2.0/24", "2001:db8:1:23ff:5::6": "2001:db8:1:2300::/56", "::": "::/56",
	} {
		if got := networkOf(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

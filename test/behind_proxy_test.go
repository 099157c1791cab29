package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
	"picday/store"
)

// The package's configurations of nginx and Caddy, which docs/web.md shows, work in front of
// a real picdayd. Only the addresses are replaced.
func TestBehindNginx(t *testing.T) {
	s := newSite(t)
	s.pictures(s.nginx("127.0.0.1:8480", s.Public))
	if log, err := os.ReadFile(s.Dir + "/nginx/access.log"); err != nil || len(log) > 0 {
		t.Errorf("nginx logs links: %v\n%.500s", err, log)
	}
}

func TestBehindCaddy(t *testing.T) {
	s := newSite(t)
	s.pictures(s.caddy("127.0.0.1:8480", s.Public))
}

func TestPagesBehindNginx(t *testing.T) {
	s := newSiteBehindProxy(t)
	s.pages(s.nginx("127.0.0.1:8481", s.Admin))
}

// The configuration of Caddy for the pages differs only in the address.
func TestPagesBehindCaddy(t *testing.T) {
	s := newSiteBehindProxy(t)
	s.pages(s.caddy("127.0.0.1:8480", s.Admin))
}

// newSiteBehindProxy returns a site that trusts the web server's X-Forwarded-For.
func newSiteBehindProxy(t *testing.T) *site {
	t.Helper()
	s := newQuietSite(t)
	s.EditConfig("[web]\n", "[web]\nproxies = [\"127.0.0.1\"]\n")
	s.daemon = s.StartDaemon()
	return s
}

// nginx starts nginx with the package's configuration for the address named, in front of the
// address real.
func (s *site) nginx(named, real string) (addr string) {
	s.t.Helper()
	bed.Need(s.t, "nginx", "nginx-light")
	dir := filepath.Join(s.Dir, "nginx")
	s.must(os.Mkdir(dir, 0o755))
	addr = s.FreeAddr()
	conf := fmt.Sprintf(`daemon off; user root; pid %[1]s/pid; error_log %[1]s/error.log; events {}
http {
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	access_log %[1]s/access.log;
	%[2]s
}
`, dir, strings.NewReplacer("listen 80", "listen "+addr, named, real).Replace(snippet(s.t, "nginx", named)))
	s.must(os.WriteFile(dir+"/nginx.conf", []byte(conf), 0o644))
	s.startWebServer(addr, exec.Command("nginx", "-c", dir+"/nginx.conf"))
	return addr
}

// caddy does the same with Caddy.
func (s *site) caddy(named, real string) (addr string) {
	s.t.Helper()
	bed.Need(s.t, "caddy", "caddy")
	addr = s.FreeAddr()
	config := strings.ReplaceAll(snippet(s.t, "caddy", named), named, real)
	config = "{\n\tadmin off\n}\n" + strings.ReplaceAll(config, "pics.example.com", "http://"+addr)
	s.must(os.WriteFile(s.Dir+"/Caddyfile", []byte(config), 0o644))
	cmd := exec.Command("caddy", "run", "--config", s.Dir+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+s.Dir+"/home")
	s.startWebServer(addr, cmd)
	return addr
}

// snippet returns the example of the package in front of an address, and checks that it has
// every line that docs/web.md shows.
func snippet(t *testing.T, language, to string) string {
	t.Helper()
	file := map[string]string{"nginx127.0.0.1:8480": "nginx-pictures.conf", "nginx127.0.0.1:8481": "nginx-pages.conf", "caddy127.0.0.1:8480": "Caddyfile"}[language+to]
	text := string(readFile(t, "../packaging/examples/"+file))
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(readFile(t, "../docs/web.md")), -1) {
		if !strings.Contains(m[1], to) {
			continue
		}
		for line := range strings.Lines(m[1]) {
			if !strings.Contains(text, strings.TrimSpace(line)) {
				t.Errorf("%s does not have what docs/web.md says: %s", file, line)
			}
		}
		return text
	}
	t.Fatalf("docs/web.md has nothing for %s in front of %s", language, to)
	return ""
}

// startWebServer starts a web server and waits until it answers.
func (s *site) startWebServer(addr string, cmd *exec.Cmd) {
	s.t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out := s.Dir + "/webserver.log"
	log, err := os.Create(out)
	s.must(err)
	cmd.Stdout, cmd.Stderr = log, log
	s.must(cmd.Start())
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%s:\n%s", cmd.Path, readFile(s.t, out))
		}
	})
	s.Eventually("the web server answers", func() (bool, any) {
		res, err := http.Get("http://" + addr + "/healthz")
		if err != nil {
			return false, err
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK, res.Status
	})
}

// pages logs in through a web server without Sec-Fetch-Site, as older browsers do, while
// somebody in another network tries passwords with forged X-Forwarded-For addresses.
func (s *site) pages(addr string) {
	s.t.Helper()
	// With a hash that takes no time to check: a failed log-in is forgiven every ten seconds,
	// and ten must fail faster than that on any machine.
	hash, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	s.must(err)
	cat, err := store.Open(s.t.Context(), s.Data)
	s.must(err)
	s.must(cat.Update(s.t.Context(), func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: "eva", Role: store.Admin}, string(hash))
	}))
	s.must(cat.Close())
	logIn := func(from, password, origin, claimed string, cookies ...*http.Cookie) *http.Response {
		s.t.Helper()
		r, err := http.NewRequest("POST", "http://"+addr+"/login", strings.NewReader(url.Values{"name": {"eva"}, "password": {password}}.Encode()))
		s.must(err)
		for key, value := range map[string]string{
			"Content-Type": "application/x-www-form-urlencoded", "Origin": origin, "X-Forwarded-For": claimed, "X-Forwarded-Proto": "https",
		} {
			r.Header.Set(key, value)
		}
		for _, c := range cookies {
			r.AddCookie(c)
		}
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		res, err := (&http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}).RoundTrip(r)
		s.must(err)
		res.Body.Close()
		return res
	}
	const here, elsewhere = "127.0.0.1", "127.0.7.1"
	own := "http://" + addr
	res := logIn(here, "correct horse", own, "192.0.2.1")
	cookies := res.Cookies()
	if res.StatusCode != http.StatusSeeOther || len(cookies) != 2 || cookies[0].Secure || cookies[1].Secure {
		s.t.Fatalf("%s %v: the web server must say that this is its own page, and no TLS", res.Status, cookies)
	}
	if res := logIn(here, "correct horse", "http://elsewhere.example", "192.0.2.1"); res.StatusCode != http.StatusForbidden {
		s.t.Errorf("from another site: %s", res.Status)
	}
	for i := 1; ; i++ {
		res := logIn(elsewhere, "wrong wrong", own, fmt.Sprintf("192.0.%d.1", i))
		if res.StatusCode == http.StatusTooManyRequests {
			break
		}
		if res.StatusCode != http.StatusForbidden || i == 200 {
			s.t.Fatalf("try %d: %s", i, res.Status)
		}
	}
	if res := logIn(elsewhere, "correct horse", own, "192.0.2.1"); res.StatusCode != http.StatusTooManyRequests {
		s.t.Errorf("the right password, where somebody has tried many: %s", res.Status)
	}
	if res := logIn(elsewhere, "correct horse", own, "192.0.2.1", cookies...); res.StatusCode != http.StatusSeeOther {
		s.t.Errorf("the same, in a browser that has logged in before: %s", res.Status)
	}
	if res := logIn(here, "correct horse", own, "192.0.2.1"); res.StatusCode != http.StatusSeeOther {
		s.t.Errorf("the right password, where nobody has tried: %s", res.Status)
	}
}

// pictures asks a web server for everything that picday answers.
func (s *site) pictures(addr string) {
	s.t.Helper()
	u := s.portraits("proxied")
	wire := u.ByKey().MustWire()
	s.must(wire.Put(pictures(u)+"12.jpg", photo()))
	path := u.Name + "/user-pictures/12.jpg"
	p := s.waitPhotos(u, path)[path]
	direct, front := "http://"+s.Public, "http://"+addr
	thumb := "/" + p.Link + "/thumb.jpg"
	ask := func(base, method, path string, header ...string) (*http.Response, string) {
		s.t.Helper()
		r, err := http.NewRequest(method, base+path, nil)
		s.must(err)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(r)
		s.must(err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		s.must(err)
		return res, string(body)
	}
	first, _ := ask(direct, "GET", thumb)
	for _, c := range []struct {
		want         int
		method, path string
		header       []string
	}{
		{200, "GET", thumb, nil},
		{200, "GET", "/" + p.Link + ".jpg", nil},
		{200, "HEAD", thumb, nil},
		{206, "GET", thumb, []string{"Range", "bytes=2-99"}},
		{304, "GET", thumb, []string{"If-None-Match", first.Header.Get("Etag")}},
		{304, "GET", thumb, []string{"If-Modified-Since", first.Header.Get("Last-Modified")}},
		{200, "GET", thumb, []string{"If-None-Match", `"another"`}},
		{404, "GET", "/" + strings.Repeat("0", 56) + ".jpg", nil},
		{404, "GET", "/" + p.Link + "/huge.jpg", nil},
		{404, "GET", "/", nil},
		{404, "POST", thumb, nil},
	} {
		want, wantBody := ask(direct, c.method, c.path, c.header...)
		got, body := ask(front, c.method, c.path, c.header...)
		if got.StatusCode != c.want || want.StatusCode != c.want || body != wantBody {
			s.t.Errorf("%+v: %s, %d bytes; picday itself: %s, %d bytes", c, got.Status, len(body), want.Status, len(wantBody))
		}
		for _, key := range []string{
			"Content-Type", "Etag", "Last-Modified", "Cache-Control", "X-Robots-Tag", "Referrer-Policy", "X-Content-Type-Options", "Content-Range",
		} {
			if got.Header.Get(key) != want.Header.Get(key) {
				s.t.Errorf("%+v: %s is %q; of picday itself %q", c, key, got.Header.Get(key), want.Header.Get(key))
			}
		}
	}
	before, _ := ask(front, "GET", thumb)
	s.must(wire.Put(pictures(u)+"12.jpg", testphoto.Vary(testphoto.Tiny(1), 1))) // its pixels differ too, because the ETag is the hash of the rendition
	s.Eventually("the new picture is published", func() (bool, any) {
		now := s.photos(u)[path].SHA256
		return now != p.SHA256, now
	})
	if got, _ := ask(front, "GET", thumb, "If-None-Match", before.Header.Get("Etag")); got.StatusCode != http.StatusOK {
		s.t.Errorf("replaced: %s", got.Status)
	}
	s.must(wire.Remove(pictures(u) + "12.jpg"))
	s.waitPhotos(u)
	s.requireNotFound(front + thumb)
}

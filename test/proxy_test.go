package test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"picday/internal/testbed"
)

// The README's lines for nginx and Caddy, as they stand there but for the
// addresses, in front of a real picdayd.
func TestBehindNginx(t *testing.T) {
	testbed.Need(t, "nginx", "nginx-light")
	s := newSite(t)
	dir := filepath.Join(s.Dir, "nginx")
	s.must(os.Mkdir(dir, 0o755))
	addr := s.FreeAddr()
	conf := fmt.Sprintf(`daemon off; user root; pid %[1]s/pid; error_log %[1]s/error.log; events {}
http {
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	access_log %[1]s/access.log;
	server { listen %[2]s; %[3]s }
}
`, dir, addr, strings.ReplaceAll(snippet(t, "nginx"), "127.0.0.1:8480", s.Public))
	s.must(os.WriteFile(dir+"/nginx.conf", []byte(conf), 0o644))
	s.behind(addr, exec.Command("nginx", "-c", dir+"/nginx.conf"))
	if log, err := os.ReadFile(dir + "/access.log"); err != nil || len(log) > 0 {
		t.Errorf("nginx logs links: %v\n%.500s", err, log)
	}
}

func TestBehindCaddy(t *testing.T) {
	testbed.Need(t, "caddy", "caddy")
	s := newSite(t)
	addr := s.FreeAddr()
	config := strings.ReplaceAll(snippet(t, "caddy"), "127.0.0.1:8480", s.Public)
	config = "{\n\tadmin off\n}\n" + strings.ReplaceAll(config, "pics.example.com", "http://"+addr)
	s.must(os.WriteFile(s.Dir+"/Caddyfile", []byte(config), 0o644))
	cmd := exec.Command("caddy", "run", "--config", s.Dir+"/Caddyfile", "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+s.Dir+"/home")
	s.behind(addr, cmd)
}

// snippet is a fenced block of the README.
func snippet(t *testing.T, language string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(string(readFile(t, "../README.md")))
	if m == nil {
		t.Fatalf("the README has nothing for %s", language)
	}
	return m[1]
}

// behind starts a web server and asks it for everything that picday answers.
func (s *site) behind(addr string, cmd *exec.Cmd) {
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
	u := s.portraits("proxied")
	wire := u.ByKey().MustWire()
	s.must(wire.Put(pictures(u)+"12.jpg", photo()))
	path := u.Name + "/user-pictures/12.jpg"
	p := s.waitPhotos(u, path)[path]
	direct, front := "http://"+s.Public, "http://"+addr
	s.Eventually("the web server answers", func() (bool, any) {
		res, err := http.Get(front + "/healthz")
		if err != nil {
			return false, err
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK, res.Status
	})
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
	s.must(wire.Put(pictures(u)+"12.jpg", photo()))
	s.Eventually("the new picture is published", func() (bool, any) {
		now := s.photos(u)[path].SHA256
		return now != p.SHA256, now
	})
	if got, _ := ask(front, "GET", thumb, "If-None-Match", before.Header.Get("Etag")); got.StatusCode != http.StatusOK {
		s.t.Errorf("replaced: %s", got.Status)
	}
	s.must(wire.Remove(pictures(u) + "12.jpg"))
	s.waitPhotos(u)
	s.gone(front + thumb)
}

package bench

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// startNginx serves the renditions as Debian's nginx would, on all cores.
func startNginx(b *testing.B, w *bed.World, paths []string) *served {
	b.Helper()
	addr := w.FreeAddr()
	dir := filepath.Join(w.Dir, "nginx")
	if err := os.Mkdir(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	conf := fmt.Sprintf(`daemon off; user root; worker_processes auto; pid %[1]s/pid; error_log %[1]s/error.log;
events { worker_connections 1024; }
http {
	sendfile on; tcp_nopush on; keepalive_requests 1000000; access_log off; types { image/jpeg jpg; }
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	server { listen %[2]s; root %[3]s/renditions; }
}
`, dir, addr, w.Data)
	if err := os.WriteFile(dir+"/nginx.conf", []byte(conf), 0o644); err != nil {
		b.Fatal(err)
	}
	return start(b, &served{name: "nginx", url: "http://" + addr, paths: paths}, exec.Command("nginx", "-c", dir+"/nginx.conf"))
}

// startCaddy serves them as Debian's Caddy would.
func startCaddy(b *testing.B, w *bed.World, paths []string) *served {
	b.Helper()
	addr := w.FreeAddr()
	config := w.Local("Caddyfile", fmt.Appendf(nil, "{\n\tadmin off\n\tauto_https off\n}\nhttp://%s {\n\troot * %s/renditions\n\tfile_server\n}\n", addr, w.Data))
	cmd := exec.Command("caddy", "run", "--config", config, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+w.Dir+"/home")
	return start(b, &served{name: "caddy", url: "http://" + addr, paths: paths}, cmd)
}

// start runs a peer until the benchmark ends.
func start(b *testing.B, s *served, cmd *exec.Cmd) *served {
	b.Helper()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s.pid = cmd.Process.Pid
	b.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	bed.Eventually(b, s.name+" answers", func() (bool, any) {
		res, err := http.Get(s.url + "/")
		if err == nil {
			res.Body.Close()
		}
		return err == nil, err
	})
	return s
}

// A served is a web server with pictures, and what was measured of it.
type served struct {
	name, url      string
	pid            int
	paths          []string
	script         string
	rate, p99, cpu []float64
}

type wrkResult struct {
	requests  int
	rate, p99 float64 // a second; milliseconds
}

var (
	wrkRequests = regexp.MustCompile(`(\d+) requests in`)
	wrkRate     = regexp.MustCompile(`Requests/sec: +([\d.]+)`)
	wrkP99      = regexp.MustCompile(`99% +([\d.]+)(us|ms|s)`)
)

// chromium is what Chromium 148 sends for a picture of a page of another site.
const chromium = `["Connection"]="keep-alive", ["sec-ch-ua-platform"]='"Linux"', ["sec-ch-ua-mobile"]="?0",
["User-Agent"]="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36",
["sec-ch-ua"]='"Not/A)Brand";v="99", "Chromium";v="148"', ["Accept"]="image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
["Sec-Fetch-Site"]="cross-site", ["Sec-Fetch-Mode"]="no-cors", ["Sec-Fetch-Dest"]="image", ["Sec-Fetch-Storage-Access"]="none",
["Referer"]="https://shop.example.com/", ["Accept-Encoding"]="gzip, deflate, br, zstd", ["Accept-Language"]="en-US,en;q=0.9"`

// prepare writes what wrk asks for. again = with what the browser has.
func (s *served) prepare(b *testing.B, w *bed.World, again bool) {
	b.Helper()
	var requests strings.Builder
	for _, path := range s.paths {
		has := ""
		if again {
			res, err := http.Get(s.url + path)
			if err != nil {
				b.Fatal(err)
			}
			res.Body.Close()
			has = fmt.Sprintf(`, ["If-None-Match"]='%s', ["If-Modified-Since"]="%s"`, res.Header.Get("Etag"), res.Header.Get("Last-Modified"))
		}
		fmt.Fprintf(&requests, "\tadd(%q, {%s%s})\n", path, chromium, has)
	}
	s.script = w.Local(fmt.Sprintf("%s-%v.lua", s.name, again), fmt.Appendf(nil, `local requests, i = {}, 0
local function add(path, headers) requests[#requests + 1] = wrk.format("GET", path, headers) end
function init()
%s	i = math.random(#requests)
end
function request() i = i %% #requests + 1; return requests[i] end
`, requests.String()))
	want := map[bool]int{false: http.StatusOK, true: http.StatusNotModified}[again]
	if got := s.status(b, again); got != want {
		b.Fatalf("%s answers %d, not %d", s.name, got, want)
	}
}

// status is what the server answers to the first path.
func (s *served) status(b *testing.B, again bool) int {
	b.Helper()
	get := func(has string) *http.Response {
		r, err := http.NewRequest("GET", s.url+s.paths[0], nil)
		if err != nil {
			b.Fatal(err)
		}
		if has != "" {
			r.Header.Set("If-None-Match", has)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	res := get("")
	if again {
		res = get(res.Header.Get("Etag"))
	}
	return res.StatusCode
}

// wrk asks for the paths in turn. Anything but 200 and 304 is an error.
func (s *served) wrk(b *testing.B, span time.Duration) (r wrkResult) {
	b.Helper()
	out, err := exec.Command("wrk", "-t2", fmt.Sprint("-c", servedConns), fmt.Sprintf("-d%ds", int(span.Seconds())), "--latency", "-s", s.script, s.url).CombinedOutput()
	if err != nil || strings.Contains(string(out), "Non-2xx") || strings.Contains(string(out), "Socket errors") {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
	number := func(re *regexp.Regexp) float64 {
		m := re.FindSubmatch(out)
		if m == nil {
			b.Fatalf("wrk says no %v:\n%s", re, out)
		}
		v, _ := strconv.ParseFloat(string(m[1]), 64)
		if len(m) > 2 {
			v *= map[string]float64{"us": 1e-3, "ms": 1, "s": 1e3}[string(m[2])]
		}
		return v
	}
	return wrkResult{int(number(wrkRequests)), number(wrkRate), number(wrkP99)}
}

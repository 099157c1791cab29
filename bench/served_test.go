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

	"picday/internal/testbed"
	"picday/internal/testphoto"
	"picday/store"
)

const (
	servedTurn  = 2 * time.Second
	servedConns = 64
)

// BenchmarkServedThumbs asks for 1,000 different thumbs in turn, over loopback,
// with wrk on the same cores. The peer is nginx on the very same files, as it
// comes, without an access log; b.N is how often the two take turns.
func BenchmarkServedThumbs(b *testing.B) {
	w, ours, theirs := servedWorld(b)
	d := w.StartDaemon()
	nginx, nginxPid := startNginx(b, w)
	wrk(b, w, "http://"+w.Public, ours, time.Second)
	wrk(b, w, nginx, theirs, time.Second)
	var rate, peer, ratio, p99, peer99, cpu, peerCPU []float64
	cost := func(pid int, r func() wrkResult) (wrkResult, float64) {
		before := cpuOf(b, family(b, pid))
		result := r()
		return result, 1e6 * (cpuOf(b, family(b, pid)) - before) / float64(result.requests)
	}
	for b.Loop() {
		a, ac := cost(d.Pid(), func() wrkResult { return wrk(b, w, "http://"+w.Public, ours, servedTurn) })
		n, nc := cost(nginxPid, func() wrkResult { return wrk(b, w, nginx, theirs, servedTurn) })
		cpu, peerCPU = append(cpu, ac), append(peerCPU, nc)
		rate, peer, ratio = append(rate, a.rate), append(peer, n.rate), append(ratio, a.rate/n.rate)
		p99, peer99 = append(p99, a.p99), append(peer99, n.p99)
	}
	b.ReportMetric(median(rate), "requests/s")
	b.ReportMetric(median(peer), "nginx-requests/s")
	b.ReportMetric(100*median(ratio), "percent-of-nginx")
	b.ReportMetric(median(p99), "p99-ms")
	b.ReportMetric(median(peer99), "nginx-p99-ms")
	b.ReportMetric(median(cpu), "cpu-us/request")
	b.ReportMetric(median(peerCPU), "nginx-cpu-us/request")
	b.ReportMetric(rssMiB(b, d.Pid()), "RSS-MiB")
}

// BenchmarkServedMillion asks a million times and shows what became of the
// daemon's memory between the first tenth and the last.
func BenchmarkServedMillion(b *testing.B) {
	for b.Loop() {
		w, ours, _ := servedWorld(b)
		d := w.StartDaemon()
		var rss []float64
		total := 0
		for total < 1_000_000 {
			total += wrk(b, w, "http://"+w.Public, ours, servedTurn).requests
			rss = append(rss, rssMiB(b, d.Pid()))
		}
		b.ReportMetric(rss[max(0, len(rss)/10)], "RSS-early-MiB")
		b.ReportMetric(rss[len(rss)-1], "RSS-late-MiB")
		b.ReportMetric(peakMiB(b, d.Pid()), "RSS-peak-MiB")
		b.ReportMetric(float64(total), "requests")
	}
}

// servedWorld has 1,000 published photos with real thumbs. It returns their
// paths for picday, and for who serves the directory of renditions.
func servedWorld(b *testing.B) (w *testbed.World, ours, theirs []string) {
	b.Helper()
	for _, program := range []string{"wrk", "nginx"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Fatalf("%s is missing: make bench installs it", program)
		}
	}
	w = testbed.New(b)
	w.MustPicday("init")
	u := w.AddAccount("studio", "jobs")
	w.MustPicday("job", "add", u.Name, "job")
	known(b, w, u.Name, 10, 100)
	s := catalogue(b, w)
	large, thumb := store.RenditionSpec{Name: "large", Longest: 1600, Quality: 85}, store.RenditionSpec{Name: "thumb", Longest: 400, Quality: 80}
	var pictures [][]byte
	for seed := range 20 {
		pictures = append(pictures, testphoto.Make(testphoto.Spec{Width: 400, Height: 267, Quality: 80, Seed: uint64(seed)}))
	}
	var photos []store.Photo
	err := s.Photos(b.Context(), store.PhotoFilter{}, func(p store.Photo) error {
		photos = append(photos, p)
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	err = s.Update(b.Context(), func(tx *store.Tx) error {
		for i, p := range photos {
			data, file := pictures[i%len(pictures)], s.RenditionPath(p.SHA, thumb)
			if err := os.WriteFile(file, data, 0o644); err != nil {
				return err
			}
			ours = append(ours, "/"+p.Link+"/thumb.jpg")
			theirs = append(theirs, strings.TrimPrefix(file, w.Data+"/renditions"))
			if err := tx.SetRenditions(p.SHA, []store.Rendition{
				{RenditionSpec: large, Width: 1600, Height: 1067, Bytes: 1}, {RenditionSpec: thumb, Width: 400, Height: 267, Bytes: int64(len(data))},
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return w, ours, theirs
}

// startNginx serves the renditions as Debian's nginx would, on all cores.
func startNginx(b *testing.B, w *testbed.World) (url string, pid int) {
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
	cmd := exec.Command("nginx", "-c", dir+"/nginx.conf")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() })
	testbed.Eventually(b, "nginx answers", func() (bool, any) {
		res, err := http.Get("http://" + addr + "/")
		if err == nil {
			res.Body.Close()
		}
		return err == nil, err
	})
	return "http://" + addr, cmd.Process.Pid
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

// wrk asks for the paths in turn. Anything but 200 is an error.
func wrk(b *testing.B, w *testbed.World, url string, paths []string, span time.Duration) (r wrkResult) {
	b.Helper()
	script := w.Local("wrk.lua", fmt.Appendf(nil, `local paths = { "%s" }
local i, requests = math.random(#paths), {}
function init() for n, p in ipairs(paths) do requests[n] = wrk.format("GET", p) end end
function request() i = i %% #requests + 1; return requests[i] end
`, strings.Join(paths, `", "`)))
	out, err := exec.Command("wrk", "-t2", fmt.Sprint("-c", servedConns), fmt.Sprintf("-d%ds", int(span.Seconds())), "--latency", "-s", script, url).CombinedOutput()
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

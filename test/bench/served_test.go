package bench

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"picday/internal/rendition"
	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
	"picday/store"
	"picday/store/pictures"
)

const (
	servedTurn  = 2 * time.Second
	servedConns = 64
)

// BenchmarkServedThumbs asks for 1,000 different thumbs in turn, over loopback,
// as Chromium does, with wrk on the same cores: for the first time, and again
// with what it has, which is what browsers ask of picday most. The peers are
// nginx and Caddy on the very same files, as they come, without an access log;
// b.N is how often the three take turns.
func BenchmarkServedThumbs(b *testing.B) {
	w, ours, theirs := servedWorld(b)
	d := w.StartDaemon()
	servers := []*served{{name: "picday", url: "http://" + w.Public, pid: d.Pid(), paths: ours}, startNginx(b, w, theirs), startCaddy(b, w, theirs)}
	for _, again := range []bool{false, true} {
		b.Run(map[bool]string{false: "first", true: "again"}[again], func(b *testing.B) {
			for _, s := range servers {
				s.rate, s.p99, s.cpu = nil, nil, nil
				s.prepare(b, w, again)
				s.wrk(b, time.Second)
			}
			for b.Loop() {
				for _, s := range servers {
					before := cpuOf(b, family(b, s.pid))
					r := s.wrk(b, servedTurn)
					s.cpu = append(s.cpu, 1e6*(cpuOf(b, family(b, s.pid))-before)/float64(r.requests))
					s.rate, s.p99 = append(s.rate, r.rate), append(s.p99, r.p99)
				}
			}
			for _, s := range servers {
				b.ReportMetric(median(s.rate), s.name+"-requests/s")
				b.ReportMetric(median(s.p99), s.name+"-p99-ms")
				b.ReportMetric(median(s.cpu), s.name+"-cpu-us/request")
			}
			for _, peer := range servers[1:] {
				var rate, p99 []float64
				for i := range peer.rate {
					rate, p99 = append(rate, servers[0].rate[i]/peer.rate[i]), append(p99, servers[0].p99[i]/peer.p99[i])
				}
				b.ReportMetric(100*median(rate), "percent-of-"+peer.name)
				b.ReportMetric(median(p99), "p99-times-"+peer.name)
			}
			b.ReportMetric(rssMiB(b, d.Pid()), "RSS-MiB")
		})
	}
}

// BenchmarkServedMillion asks a million times and shows what became of the
// daemon's memory between the first tenth and the last.
func BenchmarkServedMillion(b *testing.B) {
	for b.Loop() {
		w, ours, _ := servedWorld(b)
		d := w.StartDaemon()
		var rss []float64
		total := 0
		picday := &served{name: "picday", url: "http://" + w.Public, paths: ours}
		picday.prepare(b, w, false)
		for total < 1_000_000 {
			total += picday.wrk(b, servedTurn).requests
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
func servedWorld(b *testing.B) (w *bed.World, ours, theirs []string) {
	b.Helper()
	for _, program := range []string{"wrk", "nginx", "caddy"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Fatalf("%s is missing: make bench installs it", program)
		}
	}
	w = bed.New(b)
	w.MustPicday("init")
	u := w.AddAccount("studio", "jobs")
	w.MustPicday("job", "add", u.Name, "job")
	known(b, w, u.Name, 10, 100)
	s := catalogue(b, w)
	large, thumb := rendition.Spec{Name: "large", Longest: 1600, Quality: 85}, rendition.Spec{Name: "thumb", Longest: 400, Quality: 80}
	var thumbs [][]byte
	for seed := range 20 {
		thumbs = append(thumbs, testphoto.Make(testphoto.Spec{Width: 400, Height: 267, Quality: 80, Seed: uint64(seed)}))
	}
	photos, err := s.All().Photos(b.Context(), store.PhotoQuery{})
	if err != nil {
		b.Fatal(err)
	}
	err = s.Update(b.Context(), func(tx *store.Tx) error {
		for i, p := range photos {
			data, file := thumbs[i%len(thumbs)], s.Files().Path(pictures.Rendition(p.SHA, thumb))
			if err := os.WriteFile(file, data, 0o644); err != nil {
				return err
			}
			ours = append(ours, "/"+p.Link+"/thumb.jpg")
			theirs = append(theirs, strings.TrimPrefix(file, w.Data+"/renditions"))
			if err := tx.SetRenditions(p.SHA, []store.Rendition{
				{Spec: large, Width: 1600, Height: 1067, Bytes: 1}, {Spec: thumb, Width: 400, Height: 267, Bytes: int64(len(data)), Hash: sha256.Sum256(data)},
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

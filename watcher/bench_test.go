package watcher

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// BenchmarkScan compares a scan that finds nothing new with find(1) in the same run.
func BenchmarkScan(b *testing.B) {
	w := open(b, b.TempDir())
	for d := range 1000 {
		dir := fmt.Sprintf("job/album %d", d)
		w.mkdir(dir)
		for n := range 100 {
			path := fmt.Sprintf("%s/IMG_%04d.jpg", dir, n)
			w.write(path)
			fi, err := os.Lstat(w.path(path))
			w.must(err)
			w.ledger.put(path, identityOf(fi))
		}
	}
	w.run()
	w.scan()
	var find, scan time.Duration
	for b.Loop() {
		begin := time.Now()
		w.must(exec.Command("find", w.dir, "-printf", `%p %s %i %C@\n`).Run())
		find += time.Since(begin)
		begin = time.Now()
		w.scan()
		scan += time.Since(begin)
	}
	if s := w.Status(); s.LastScan.Files != 100_000 || len(w.sent) != 0 {
		b.Fatalf("%+v, %d sent", s, len(w.sent))
	}
	b.ReportMetric(float64(scan)/float64(find), "times-find")
	b.ReportMetric(float64(scan.Milliseconds())/float64(b.N), "ms/scan")
}

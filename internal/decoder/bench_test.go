package decoder

import (
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"picday/internal/photo"
	testphoto "picday/internal/test/photo"
)

// cpu is what this process and the given child have used.
func cpu(b *testing.B, c *child) time.Duration {
	b.Helper()
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		b.Fatal(err)
	}
	all := time.Duration(self.Utime.Nano() + self.Stime.Nano())
	if c != nil {
		used, err := c.used()
		if err != nil {
			b.Fatal(err)
		}
		all += used
	}
	return all
}

// BenchmarkRender is what isolation costs: the same picture in this process and in a
// child, turn by turn, so that a noisy neighbour disturbs both. The shares reported
// are of the renditions alone, without copying and hashing.
func BenchmarkRender(b *testing.B) {
	for _, pic := range []struct {
		name string
		spec testphoto.Spec
	}{
		{"24MP", testphoto.Spec{Width: 6000, Height: 4000, Seed: 1}},
		{"12MP", testphoto.Spec{Width: 4000, Height: 3000, Seed: 1, Orientation: 6}},
	} {
		b.Run(pic.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			f, facts := file(b, testphoto.Make(pic.spec))
			p := start(b, Options{})
			here := func() {
				if _, err := f.Seek(0, io.SeekStart); err != nil {
					b.Fatal(err)
				}
				m := photo.ReadMeta(f)
				if _, err := photo.Render(f, m, facts, p.Limits, sizes); err != nil {
					b.Fatal(err)
				}
			}
			there := func() {
				if _, _, err := p.Render(b.Context(), "acme", f, facts, sizes); err != nil {
					b.Fatal(err)
				}
			}
			here()
			there()
			c := p.first(b)
			var wall, used [2]time.Duration
			b.ResetTimer()
			for b.Loop() {
				for i, do := range []func(){here, there} {
					began, before := time.Now(), cpu(b, c)
					do()
					wall[i] += time.Since(began)
					used[i] += cpu(b, c) - before
				}
			}
			per := func(d time.Duration) float64 { return d.Seconds() * 1000 / float64(b.N) }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(per(wall[0]), "here-ms")
			b.ReportMetric(per(wall[1]), "child-ms")
			b.ReportMetric(per(used[0]), "here-cpu-ms")
			b.ReportMetric(per(used[1]), "child-cpu-ms")
			b.ReportMetric(100*(float64(used[1])/float64(used[0])-1), "cpu-overhead-%")
			b.ReportMetric(float64(c.resident())/(1<<20), "child-MB")
		})
	}
}

// BenchmarkSmall is a round trip with next to nothing to do.
func BenchmarkSmall(b *testing.B) {
	f, facts := file(b, testphoto.Make(testphoto.Spec{Width: 16, Height: 16}))
	p := start(b, Options{})
	for b.Loop() {
		if _, _, err := p.Render(b.Context(), "acme", f, facts, sizes); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStart is a child's birth, up to where it waits for work.
func BenchmarkStart(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var resident int64
	for b.Loop() {
		c, err := spawn(256 << 20)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := c.greet(startWithin); err != nil {
			b.Fatal(err)
		}
		resident = c.resident()
		c.end()
	}
	b.ReportMetric(float64(resident)/(1<<20), "MB")
}

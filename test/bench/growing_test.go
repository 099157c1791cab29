package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"picday/internal/test/catalogues"
	testphoto "picday/internal/test/photo"
)

// grownTurn is how many photos come in each time it is an account's turn.
const grownTurn = 1000

// BenchmarkGrown uploads tiny JPEGs into an account that has many photos
// already, on sale, and tells how many a second the real picdayd publishes:
// tiny ones, so that the catalogue's part is as large as it can be. Three
// daemons, each with its own catalogue, take turns; what counts is the ratio
// of two that follow each other, which holds on a busy machine too.
func BenchmarkGrown(b *testing.B) {
	var all []*grownWorld
	begin := time.Now()
	most := catalogueSize(b)
	for _, n := range []int{most / 100, most / 10, most} {
		all = append(all, grow(b, n))
	}
	b.Logf("seeded in %v", time.Since(begin).Round(time.Second))
	for _, w := range all {
		w.take(b, grownTurn/10) // what is done once
	}
	for b.Loop() {
		for _, w := range all {
			rate, cpu := w.take(b, grownTurn)
			w.rate, w.cpu = append(w.rate, rate), append(w.cpu, cpu)
		}
	}
	smallest := all[0]
	for _, w := range all {
		var rate, cpu []float64
		for i := range w.rate {
			rate, cpu = append(rate, w.rate[i]/smallest.rate[i]), append(cpu, w.cpu[i]/smallest.cpu[i])
		}
		b.ReportMetric(median(w.rate), fmt.Sprintf("%d-photos/s", w.photos))
		b.ReportMetric(median(w.cpu), fmt.Sprintf("%d-cpu-ms/photo", w.photos))
		if w != smallest {
			b.ReportMetric(100*median(rate), fmt.Sprintf("%d-rate-percent", w.photos))
			b.ReportMetric(100*median(cpu), fmt.Sprintf("%d-cpu-percent", w.photos))
		}
	}
	b.ReportMetric(0, "ns/op")
}

// A grownWorld is a studio with so many photos in a job that was activated.
type grownWorld struct {
	studioWorld
	photos    int
	turns     int
	pid       int
	published func() int
	rate, cpu []float64 // photos a second, milliseconds a photo; of each turn
}

func grow(b *testing.B, photos int) *grownWorld {
	b.Helper()
	w, _ := studio(b)
	g := &grownWorld{studioWorld: w, photos: photos}
	// A line of the log for every photo would grow beside the catalogue.
	w.EditConfig(`"debug"`, `"warn"`)
	w.MustPicday("job", "add", w.account, "sold")
	w.MustPicday("job", "activate", w.account, "sold")
	s := catalogue(b, w.World)
	if err := catalogues.Bulk(b.Context(), s, w.account, "sold", photos, 100); err != nil {
		b.Fatal(err)
	}
	g.pid = w.StartDaemon().Pid()
	g.published = func() int {
		c, err := s.All().Counts(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if c.Problems > 0 {
			b.Fatal(w.MustPicday("problems"))
		}
		return c.Photos
	}
	return g
}

// take puts an album of new photos into the job, all at once, and measures
// from the first that is published to the last.
func (g *grownWorld) take(b *testing.B, n int) (rate, cpu float64) {
	b.Helper()
	g.turns++
	made := filepath.Join(g.Dir, "local", fmt.Sprintf("Album %d", g.turns))
	if err := os.MkdirAll(made, 0o755); err != nil {
		b.Fatal(err)
	}
	pic := testphoto.Make(testphoto.Spec{Width: 64, Height: 48, Quality: 80})
	for i := range n {
		// As no other world has it, nor any turn.
		data := testphoto.Vary(pic, (g.photos+g.turns)*grownTurn+i)
		if err := os.WriteFile(filepath.Join(made, fmt.Sprintf("IMG_%04d.jpg", i)), data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	before := g.published()
	if err := os.Rename(made, filepath.Join(filepath.Dir(g.album), filepath.Base(made))); err != nil {
		b.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Minute)
	var first time.Time
	var already int
	var cpuBefore float64
	for {
		now := g.published() - before
		if first.IsZero() && now > 0 {
			first, already, cpuBefore = time.Now(), now, cpuOf(b, family(b, g.pid))
		}
		if now == n {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d were published", now, n)
		}
		time.Sleep(2 * time.Millisecond)
	}
	took, used := time.Since(first), cpuOf(b, family(b, g.pid))-cpuBefore
	return float64(n-already) / took.Seconds(), 1000 * used / float64(n-already)
}

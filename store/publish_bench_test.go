package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/internal/upload"
	"picday/store"
)

// nowhere is a Disk without files.
type nowhere struct{}

func (nowhere) Look(context.Context, string, string) (store.Presence, upload.Identity) {
	return store.Unknown, upload.Identity{}
}

func (nowhere) Find(context.Context, string, string, upload.Identity, store.SHA) (store.Presence, string) {
	return store.Absent, ""
}

func (nowhere) Verify(context.Context) error { return nil }

// grown is a catalogue with many photos in one account, and what was measured with it.
type grown struct {
	*store.Store
	acct store.Account
	n    int
	one  []time.Duration // transactions of one photo
	many []time.Duration // transactions of a group
	cpu  []time.Duration // the processor's part of them
}

// grow makes a catalogue with a number of photos in one account.
func grow(b *testing.B, dir string, photos int) {
	b.Helper()
	must(b, os.Mkdir(dir, 0o700))
	s, _, err := store.Create(b.Context(), dir)
	must(b, err)
	must(b, s.Update(b.Context(), func(tx *store.Tx) error {
		acct, err := tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
		if err == nil {
			err = tx.AddJob(acct, "job1")
		}
		return err
	}))
	must(b, catalogues.Bulk(b.Context(), s, "acme", "job1", photos, 100))
	must(b, s.Close())
}

func openGrown(b *testing.B, dir string) *grown {
	b.Helper()
	s, err := store.Open(b.Context(), dir)
	must(b, err)
	b.Cleanup(func() { s.Close() })
	acct, err := s.All().Account(b.Context(), "acme")
	must(b, err)
	return &grown{Store: s, acct: acct}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// publish publishes new photos in one transaction, as picdayd's writer does, and returns how
// long that took.
func (g *grown) publish(b *testing.B, photos int) time.Duration {
	b.Helper()
	begin := time.Now()
	err := g.Update(context.Background(), func(tx *store.Tx) error {
		for range photos {
			g.n++
			name := fmt.Sprintf("job1/New %04d/IMG_%04d.jpg", g.n/100, g.n%100)
			if _, err := tx.Publish(store.Arrival{
				Account:  g.acct,
				Place:    store.Place{Path: name, Shown: name, Job: "job1", Album: fmt.Sprintf("New %04d", g.n/100), Area: "individuals"},
				Identity: upload.Identity{Volume: 1 << 60, Ino: uint64(g.n), Size: 7_000_000, Ctime: int64(g.n)},
				Original: store.Original{
					SHA: sha256.Sum256([]byte(name)), Bytes: 7_000_000, Width: 6000, Height: 4000,
					Renditions: []store.Rendition{
						{Spec: catalogues.Specs[0], Width: 1600, Height: 1067, Bytes: 200_000},
						{Spec: catalogues.Specs[1], Width: 400, Height: 267, Bytes: 20_000},
					},
				},
			}, nowhere{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}

// BenchmarkPublish measures publishing a new photo in an account that already has many:
// alone in a transaction, and in groups of 64, as when many wait. It alternates between the
// sizes, so that their ratio, which is the result, is right on a busy machine too. It runs in
// memory, without the cost of syncing; its sub-benchmark disk includes that, and measures an
// fsync of one page for comparison.
func BenchmarkPublish(b *testing.B) {
	most := 1_000_000
	if n, err := strconv.Atoi(os.Getenv("PICDAY_BENCH_PHOTOS")); err == nil {
		most = n
	}
	sizes := []int{most / 100, most / 10, most}
	disk := b.TempDir()
	begin := time.Now()
	for _, n := range sizes {
		grow(b, filepath.Join(disk, strconv.Itoa(n)), n)
	}
	b.Logf("seeded in %v", time.Since(begin).Round(time.Second))
	b.Run("memory", func(b *testing.B) {
		memory, err := os.MkdirTemp("/dev/shm", "picday-bench-")
		if err != nil {
			b.Skip("there is no /dev/shm: ", err)
		}
		b.Cleanup(func() { os.RemoveAll(memory) })
		if out, err := exec.Command("cp", "-a", disk+"/.", memory).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		publishTurns(b, memory, sizes)
	})
	b.Run("disk", func(b *testing.B) {
		publishTurns(b, disk, sizes)
		b.ReportMetric(float64(syncs(b, disk).Microseconds()), "fsync-us")
	})
}

func publishTurns(b *testing.B, dir string, sizes []int) {
	const alone, group = 10, 64
	var all []*grown
	for _, n := range sizes {
		all = append(all, openGrown(b, filepath.Join(dir, strconv.Itoa(n))))
	}
	for b.Loop() {
		for range 10 {
			for _, g := range all {
				for range alone {
					g.one = append(g.one, g.publish(b, 1))
				}
				before := cpuTime(b)
				g.many = append(g.many, g.publish(b, group))
				g.cpu = append(g.cpu, cpuTime(b)-before)
			}
		}
	}
	rate := func(took []time.Duration) float64 {
		slices.Sort(took)
		return group / took[len(took)/2].Seconds()
	}
	for i, g := range all {
		slices.Sort(g.one)
		b.ReportMetric(float64(g.one[len(g.one)/2].Microseconds()), fmt.Sprintf("%d-median-us", sizes[i]))
		b.ReportMetric(rate(g.many), fmt.Sprintf("%d-photos/s", sizes[i]))
		b.ReportMetric(rate(g.cpu), fmt.Sprintf("%d-photos/cpu-s", sizes[i]))
	}
	// Compare CPU times, which other programs hardly affect.
	b.ReportMetric(rate(all[len(all)-1].cpu)/rate(all[0].cpu), "largest/smallest")
	b.ReportMetric(0, "ns/op")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// syncs returns the median time of an fsync of one page.
func syncs(b *testing.B, dir string) time.Duration {
	f, err := os.Create(filepath.Join(dir, "page"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	for i := range 200 {
		begin := time.Now()
		if _, err := f.WriteAt(make([]byte, 4096), int64(i%16)*4096); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

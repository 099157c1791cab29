// Package bench measures picday as a whole process, on real input, against a
// named peer in the same run. `make bench` runs it; every figure in the docs
// comes from here.
package bench

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/test/bed"
	"picday/internal/test/catalogues"
	"picday/internal/upload"
	"picday/store"
)

func TestMain(m *testing.M) { bed.Main(m) }

func catalogue(b *testing.B, w *bed.World) *store.Store {
	b.Helper()
	s, err := store.Open(b.Context(), w.Data)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}

func median[T cmp.Ordered](d []T) T {
	slices.Sort(d)
	return d[len(d)/2]
}

// known enters files as photos already dealt with, so many a directory, and
// makes the files, empty.
func known(b *testing.B, w *bed.World, account string, dirs, perDir int) {
	b.Helper()
	s := catalogue(b, w)
	if err := catalogues.Bulk(b.Context(), s, account, "job", dirs*perDir, perDir); err != nil {
		b.Fatal(err)
	}
	volumes := upload.NewVolumes(filepath.Join(w.Uploads, store.MarkerFile))
	made := map[string]bool{}
	err := catalogues.Identify(b.Context(), s, account, func(path string) (id upload.Identity, err error) {
		name := filepath.Join(w.Uploads, account, path)
		if dir := filepath.Dir(name); !made[dir] {
			made[dir] = true
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return id, err
			}
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			return id, err
		}
		fi, err := os.Lstat(name)
		if err != nil {
			return id, err
		}
		return volumes.IdentityOf(fi, filepath.Dir(name)), nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkReconcile100k looks again at 100,000 unchanged photos in 1,000
// albums. The peer is find, printing what picday compares.
func BenchmarkReconcile100k(b *testing.B) {
	w := bed.New(b)
	w.MustPicday("init")
	u := w.AddAccount("studio", "jobs")
	w.MustPicday("job", "add", u.Name, "job")
	known(b, w, u.Name, 1000, 100)
	w.StartDaemon()
	w.MustPicday("rescan", "--wait")
	var ours, finds []time.Duration
	for b.Loop() {
		begin := time.Now()
		cmd := exec.Command("find", u.Dir(), "-printf", `%p %i %s %C@\n`)
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		finds = append(finds, time.Since(begin))
		begin = time.Now()
		w.MustPicday("rescan", "--wait")
		ours = append(ours, time.Since(begin))
	}
	var st struct {
		Photos   int
		LastScan struct {
			Seconds float64
			Files   int
		} `json:"last_scan"`
	}
	w.JSON(&st, "status", "--json")
	if st.LastScan.Files != 100_000 || st.Photos != 100_000 {
		b.Fatalf("not what was to be measured: %+v", st)
	}
	b.ReportMetric(float64(median(ours).Milliseconds()), "rescan-ms")
	b.ReportMetric(float64(median(finds).Milliseconds()), "find-ms")
	b.ReportMetric(float64(median(ours))/float64(median(finds)), "rescan/find")
	b.ReportMetric(st.LastScan.Seconds*1000, "last-scan-ms")
}

// BenchmarkIdle10kFolders is what picdayd costs when nothing happens, with
// 10,000 watched folders.
func BenchmarkIdle10kFolders(b *testing.B) {
	w := bed.New(b)
	w.MustPicday("init")
	u := w.AddAccount("studio", "jobs")
	w.MustPicday("job", "add", u.Name, "job")
	known(b, w, u.Name, 10_000, 1)
	d := w.StartDaemon()
	w.MustPicday("rescan", "--wait")
	const window = 10 * time.Second
	var cpu []float64
	for b.Loop() {
		before := cpuSeconds(b, d.Pid())
		time.Sleep(window) // this is the measurement: nothing happens
		cpu = append(cpu, cpuSeconds(b, d.Pid())-before)
	}
	b.ReportMetric(100*median(cpu)/window.Seconds(), "cpu-percent")
	b.ReportMetric(rssMiB(b, d.Pid()), "RSS-MiB")
}

// cpuSeconds is what a process has used, and those of its children that have
// ended: picdayd's decoders do after so many pictures.
func cpuSeconds(b *testing.B, pid int) float64 {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0 // a child that ended meanwhile
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var sum float64
	for _, ended := range fields[13:15] { // cutime, cstime, in ticks
		ticks, err := strconv.ParseFloat(ended, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += ticks / 100
	}
	// schedstat counts nanoseconds, of one thread each.
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that ended
		}
		ns, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += ns / 1e9
	}
	return sum
}

func rssMiB(b *testing.B, pid int) float64  { return memory(b, pid, "VmRSS:") }
func peakMiB(b *testing.B, pid int) float64 { return memory(b, pid, "VmHWM:") }

func memory(b *testing.B, pid int, what string) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if kib, ok := strings.CutPrefix(line, what); ok {
			n, err := strconv.ParseFloat(strings.Fields(kib)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return n / 1024
		}
	}
	b.Fatal("no ", what)
	return 0
}

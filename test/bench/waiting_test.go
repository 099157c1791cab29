package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// waiting is how many photos lie there when the clock starts.
const waiting = 200

// BenchmarkWaiting24MP is a morning's upload: 200 photos of 24 megapixels lie
// there, and the real picdayd takes them all, isolated, hashed, copied, fsynced
// and committed. The peers do their work on the same files: the better shell
// script, and a small C program on libvips, two at a time each. Nobody waits
// for them to be durable.
func BenchmarkWaiting24MP(b *testing.B) {
	for _, program := range []string{"vipsthumbnail", "exiftool", "sqlite3", "cc", "pkg-config"} {
		if _, err := exec.LookPath(program); err != nil {
			b.Fatalf("the peers need %s: make bench installs it", program)
		}
	}
	for b.Loop() {
		w, disk := studio(b)
		files := photographs(b, w.album, waiting, testphoto.Spec{Width: 6000, Height: 4000, Quality: 92}, false)
		ours := w.takeAll(b, waiting)
		script, vips := runScript(b, disk, files), runVips(b, disk, files)
		b.ReportMetric(waiting/script.Seconds(), "script-photos/s")
		b.ReportMetric(waiting/vips.Seconds(), "libvips-photos/s")
		b.ReportMetric(script.Seconds()/ours.Seconds(), "x-script")
		b.ReportMetric(vips.Seconds()/ours.Seconds(), "x-libvips")
	}
}

// BenchmarkWaitingOthers is the same for other cameras, without the peers.
func BenchmarkWaitingOthers(b *testing.B) {
	if _, err := exec.LookPath("jpegtran"); err != nil {
		b.Fatal("progressive photos need jpegtran: make bench installs it")
	}
	for _, kind := range []struct {
		name        string
		spec        testphoto.Spec
		progressive bool
		n           int
	}{
		{"12MP-phone", testphoto.Spec{Width: 4032, Height: 3024, Quality: 90}, false, 100},
		{"24MP-progressive", testphoto.Spec{Width: 6000, Height: 4000, Quality: 92}, true, 50},
		{"100MP", testphoto.Spec{Width: 11656, Height: 8742, Quality: 92}, false, 10},
	} {
		b.Run(kind.name, func(b *testing.B) {
			for b.Loop() {
				w, _ := studio(b)
				photographs(b, w.album, kind.n, kind.spec, kind.progressive)
				w.takeAll(b, kind.n)
			}
		})
	}
}

// A studioWorld has one account with one album, and its data on a real disk,
// so that being durable costs what it costs.
type studioWorld struct {
	*bed.World
	account string
	album   string
}

func studio(b *testing.B) (w studioWorld, disk string) {
	b.Helper()
	disk, err := os.MkdirTemp("/var/tmp", "picday-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(disk) })
	if err := os.Chmod(disk, 0o755); err != nil {
		b.Fatal(err)
	}
	w.World = bed.New(b)
	w.EditConfig(w.Data, disk+"/data")
	w.Data = disk + "/data"
	w.MustPicday("init")
	u := w.AddAccount("studio", "jobs")
	w.MustPicday("job", "add", u.Name, "job")
	w.account, w.album = u.Name, filepath.Join(u.Dir(), "job/album")
	return w, disk
}

// takeAll starts the daemon and measures until n photos are published.
func (w studioWorld) takeAll(b *testing.B, n int) time.Duration {
	b.Helper()
	begin := time.Now()
	d := w.StartDaemon()
	s := catalogue(b, w.World)
	// Both cores are idle until the files have settled; how busy they are is
	// counted from the first photo to the last.
	var first time.Time
	var cpuBefore float64
	for {
		c, err := s.All().Counts(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if c.Photos == n {
			break
		}
		if first.IsZero() && c.Photos > 0 {
			first, cpuBefore = time.Now(), cpuOf(b, family(b, d.Pid()))
		}
		if c.Problems > 0 {
			b.Fatal(w.MustPicday("problems"))
		}
		time.Sleep(10 * time.Millisecond)
	}
	took := time.Since(begin)
	pids := family(b, d.Pid())
	cpu, working := cpuOf(b, pids), time.Since(first)
	var rss float64
	for _, pid := range pids {
		rss += peakMiB(b, pid)
	}
	d.Kill()
	b.ReportMetric(float64(n)/took.Seconds(), "photos/s")
	b.ReportMetric(1000*cpu/float64(n), "cpu-ms/photo")
	b.ReportMetric(100*(cpu-cpuBefore)/working.Seconds()/float64(runtime.NumCPU()), "busy-percent")
	b.ReportMetric(rss, "peak-RSS-MiB")
	return took
}

func cpuOf(b *testing.B, pids []int) (sum float64) {
	b.Helper()
	for _, pid := range pids {
		sum += cpuSeconds(b, pid)
	}
	return sum
}

// photographs makes the corpus: a few pictures with the detail of a camera's,
// as n files of which no two are the same.
func photographs(b *testing.B, dir string, n int, spec testphoto.Spec, progressive bool) (files []string) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	var pics [8][]byte
	for i := range min(n, len(pics)) {
		spec.Seed, spec.Orientation, spec.Thumbnail = uint64(i), 1+5*(i%2), true
		spec.TakenAt = time.Date(2026, 9, 14, 8, i, 0, 0, time.UTC)
		spec.Make, spec.Model, spec.Serial = "picday", "Bench", "1"
		if pics[i] = testphoto.Make(spec); progressive {
			cmd := exec.Command("jpegtran", "-copy", "all", "-progressive")
			cmd.Stdin = bytes.NewReader(pics[i])
			var err error
			if pics[i], err = cmd.Output(); err != nil {
				b.Fatal(err)
			}
		}
	}
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("IMG_%04d.jpg", i))
		if err := os.WriteFile(name, testphoto.Vary(pics[i%len(pics)], i), 0o644); err != nil {
			b.Fatal(err)
		}
		files = append(files, name)
	}
	return files
}

func runScript(b *testing.B, disk string, files []string) time.Duration {
	b.Helper()
	out, db := filepath.Join(disk, "script"), filepath.Join(disk, "script.db")
	mustRun(b, nil, "mkdir", out)
	mustRun(b, nil, "sqlite3", db, "CREATE TABLE photo (sha, taken, path)")
	begin := time.Now()
	mustRun(b, []byte(strings.Join(files, "\x00")), "xargs", "-0", "-n1", "-P2", "peers/script.sh", out, db)
	return time.Since(begin)
}

func runVips(b *testing.B, disk string, files []string) time.Duration {
	b.Helper()
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "vips").Output()
	if err != nil {
		b.Fatal(err)
	}
	bin, out := filepath.Join(disk, "vips"), filepath.Join(disk, "vips-out")
	mustRun(b, nil, "cc", append([]string{"-O2", "-o", bin, "peers/vips.c"}, strings.Fields(string(flags))...)...)
	mustRun(b, nil, "mkdir", out)
	begin := time.Now()
	mustRun(b, []byte(strings.Join(files, "\x00")), "xargs", "-0", "-n10", "-P2", bin, out)
	return time.Since(begin)
}

func mustRun(b *testing.B, stdin []byte, name string, args ...string) {
	b.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// family is a process and its children.
func family(b *testing.B, pid int) []int {
	b.Helper()
	pids := []int{pid}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range tasks {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				b.Fatal(err)
			}
			pids = append(pids, child)
		}
	}
	return pids
}

package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/testbed"
	"picday/internal/testphoto"
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
		w := testbed.New(b)
		disk, err := os.MkdirTemp("/var/tmp", "picday-bench-")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { os.RemoveAll(disk) })
		if err := os.Chmod(disk, 0o755); err != nil {
			b.Fatal(err)
		}
		w.EditConfig(w.Data, disk+"/data")
		w.Data = disk + "/data"
		w.MustPicday("init")
		u := w.AddAccount("studio", "jobs")
		w.MustPicday("job", "add", u.Name, "job")
		files := photographs(b, filepath.Join(u.Dir(), "job/album"))

		begin := time.Now()
		d := w.StartDaemon()
		s := catalogue(b, w)
		cpu, rss := 0.0, 0.0
		for {
			c, err := s.Counts(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if c.Photos == waiting {
				break
			}
			if c.Problems > 0 {
				b.Fatal(w.MustPicday("problems"))
			}
			time.Sleep(10 * time.Millisecond)
		}
		ours := time.Since(begin)
		for _, pid := range family(b, d.Pid()) {
			cpu += cpuSeconds(b, pid)
			rss += rssMiB(b, pid)
		}
		d.Kill()
		script, vips := runScript(b, disk, files), runVips(b, disk, files)
		b.ReportMetric(waiting/ours.Seconds(), "photos/s")
		b.ReportMetric(waiting/script.Seconds(), "script-photos/s")
		b.ReportMetric(waiting/vips.Seconds(), "libvips-photos/s")
		b.ReportMetric(script.Seconds()/ours.Seconds(), "x-script")
		b.ReportMetric(vips.Seconds()/ours.Seconds(), "x-libvips")
		b.ReportMetric(1000*cpu/waiting, "cpu-ms/photo")
		b.ReportMetric(100*cpu/ours.Seconds()/2, "busy-percent-of-2-cores")
		b.ReportMetric(rss, "RSS-MiB")
	}
}

// photographs makes the corpus: eight pictures with the detail of a camera's,
// as 200 files of which no two are the same.
func photographs(b *testing.B, dir string) (files []string) {
	b.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	var pics [8][]byte
	for i := range pics {
		pics[i] = testphoto.Make(testphoto.Spec{
			Width: 6000, Height: 4000, Seed: uint64(i), Quality: 92, Orientation: 1 + 5*(i%2), Thumbnail: true,
			TakenAt: time.Date(2026, 9, 14, 8, i, 0, 0, time.UTC), Make: "picday", Model: "Bench", Serial: "1",
		})
	}
	for i := range waiting {
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

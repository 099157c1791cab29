package test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// An uploader makes folders as deep as the file system allows, and renames the topmost. The
// others' photos are published meanwhile, the uploader gets one problem for each such
// folder, and nothing below it is watched.
func TestDepthCostsNobodyElse(t *testing.T) {
	s := newSite(t)
	deep, other := s.jobs("deep", "job1"), s.jobs("other", "job1")
	s.must(deep.ByKey().MustWire().Mkdir("/job1/A"))
	s.must(other.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(other, "/job1/A/0.jpg")

	makeDeepTree(t, deep.Dir()+"/job1/A", "files", 1_900, 60)
	s.uploadAndWait(other, "/job1/A/1.jpg")
	s.must(os.Rename(deep.Dir()+"/job1/A/files", deep.Dir()+"/job1/A/moved"))
	s.uploadAndWait(other, "/job1/A/2.jpg")
	makeDeepTree(t, deep.Dir()+"/job1/A", "levels", 12_000, 1)
	s.uploadAndWait(other, "/job1/A/3.jpg")

	first := func(top string) string { return "job1/A/" + top + "/x/x/x/x/x" }
	s.waitProblems(deep, map[string]string{first("moved"): "unknown-folder", first("levels"): "unknown-folder"})
	if n := s.status().WatchedDirs; n > 50 {
		t.Errorf("%d folders are watched", n)
	}
	s.must(os.WriteFile(deep.Dir()+"/"+first("moved")+"/y.jpg", photo(), 0o644))
	if r := s.Picday("explain", first("moved")+"/y.jpg"); r.Code != 0 || !strings.Contains(r.Stdout, "ignored") || !strings.Contains(r.Stdout, "folders deep") {
		t.Error(r)
	}
	s.daemon.Kill()
	s.daemon = s.StartDaemon()
	s.uploadAndWait(other, "/job1/A/4.jpg")
	s.rescan()
	s.waitProblems(deep, map[string]string{first("moved"): "unknown-folder", first("levels"): "unknown-folder"})
	s.verify()
	s.MustPicday("job", "activate", deep.Name, "job1", "--with-problems")
}

// makeDeepTree makes folders below dir, each inside of the other, with files in the last.
func makeDeepTree(t *testing.T, dir, top string, levels, files int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	must(err)
	for i, name := 0, top; i < levels; i, name = i+1, "x" {
		must(unix.Mkdirat(fd, name, 0o755))
		next, err := unix.Openat(fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		must(err)
		unix.Close(fd)
		fd = next
	}
	for i := range files {
		f, err := unix.Openat(fd, fmt.Sprintf("%d.jpg", i), unix.O_WRONLY|unix.O_CREAT|unix.O_CLOEXEC, 0o644)
		must(err)
		_, err = unix.Write(f, []byte{1})
		must(err)
		unix.Close(f)
	}
	unix.Close(fd)
}

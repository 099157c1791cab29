package test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// limitOpenFiles limits the daemon to room more open files. The returned function restores the
// limit.
func (s *site) limitOpenFiles(room int) (restoreLimit func()) {
	s.t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.daemon.Pid()))
	s.must(err)
	var taken []int
	for _, e := range open {
		n, err := strconv.Atoi(e.Name())
		s.must(err)
		taken = append(taken, n)
	}
	least := 0
	for free := -1; free < room; least++ {
		if !slices.Contains(taken, least) {
			free++
		}
	}
	limits := string(readFile(s.t, fmt.Sprintf("/proc/%d/limits", s.daemon.Pid())))
	_, line, _ := strings.Cut(limits, "Max open files")
	var soft, hard int
	_, err = fmt.Sscan(line, &soft, &hard)
	s.must(err)
	set := func(n int) {
		s.t.Helper()
		// Run it as the daemon's user, because root in a container may not.
		cmd := exec.Command("prlimit", "--pid", strconv.Itoa(s.daemon.Pid()), fmt.Sprintf("--nofile=%d:%d", n, hard))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.Credential("picday")}
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.t.Fatalf("%v: %s", err, out)
		}
	}
	set(least - 1)
	return func() { s.t.Helper(); set(soft) }
}

// A daemon that can open no file, or only few, loses no photo and withdraws none, reports
// it, and continues by itself when it can open files again.
func TestNoDescriptorIsLeft(t *testing.T) {
	s := newSite(t)
	u, school := s.jobs("starved", "job1"), s.portraits("school")
	wire, other := u.ByKey().MustWire(), school.ByKey().MustWire()
	at := school.Name + "/user-pictures/"
	s.must(wire.Mkdir("/job1/A"))
	want := []string{"job1/A/stays.jpg", "job1/A/moves.jpg", "job1/A/goes.jpg"}
	for _, path := range want {
		s.must(wire.Put("/"+path, photo()))
	}
	s.must(other.Put("/"+at+"7.jpg", photo()))
	before := s.waitPhotos(u, want...)
	s.waitPhotos(school, at+"7.jpg")
	for round, room := range []int{0, 4} {
		restoreLimit := s.limitOpenFiles(room)
		defer restoreLimit()
		album := fmt.Sprintf("job1/B%d", round)
		s.must(wire.Mkdir("/" + album))
		for i := range 3 {
			path := fmt.Sprintf("%s/%d.jpg", album, i)
			s.must(wire.Put("/"+path, photo()))
			want = append(want, path)
		}
		s.must(other.Put("/"+at+"7.jpg", photo()))
		if round == 0 {
			s.must(wire.Rename("/job1/A/moves.jpg", "/job1/A/moved.jpg"))
			s.must(wire.Remove("/job1/A/goes.jpg"))
			s.Eventually("the log says why", func() (bool, any) {
				log := string(readFile(t, s.daemon.LogPath()))
				return strings.Contains(log, "too many open files"), log
			})
			s.Never("something is believed to be deleted", 2*grace, func() (bool, any) {
				// What goes.jpg was may be withdrawn: it is really gone, and the daemon sees
				// it as soon as it closes a file of its own.
				have := keys(s.photos(u))
				moved := slices.Contains(have, "job1/A/moves.jpg") || slices.Contains(have, "job1/A/moved.jpg")
				return !moved || !slices.Contains(have, "job1/A/stays.jpg"), shorten(have)
			})
			want = slices.DeleteFunc(want, func(path string) bool { return path == "job1/A/moves.jpg" || path == "job1/A/goes.jpg" })
			want = append(want, "job1/A/moved.jpg")
		}
		restoreLimit()
		if round == 0 {
			s.waitStatus("starved", "could open no more files")
		}
		s.waitPhotos(u, slices.Clone(want)...)
		s.waitPhotos(school, at+"7.jpg")
	}
	if p := s.photos(u)["job1/A/moved.jpg"]; p.Link != before["job1/A/moves.jpg"].Link {
		t.Error("the photo that was moved has another link")
	}
	if log := string(readFile(t, s.daemon.LogPath())); strings.Count(log, "cannot look at uploads") > 3 {
		t.Errorf("%d lines of one kind in the log", strings.Count(log, "cannot look at uploads"))
	}
	s.rescan()
	s.verify()
}

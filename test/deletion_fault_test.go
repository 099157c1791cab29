package test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Files are deleted while the daemon has no descriptor left. They are shown as waiting, and
// their photos are withdrawn when it has descriptors again, without waiting for the next
// full scan. This also holds if the daemon is restarted meanwhile.
func TestDeletionsMeetAFault(t *testing.T) {
	s := newSite(t)
	u := s.jobs("fault", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	for _, name := range []string{"1", "2", "3", "4"} {
		s.must(wire.Put("/job1/A/"+name+".jpg", photo()))
	}
	s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg", "job1/A/3.jpg", "job1/A/4.jpg")

	// Without the marker deletions are in doubt, but status can still answer.
	marker := s.Uploads + "/.picday-volume"
	s.must(os.Rename(marker, marker+"~"))
	s.must(wire.Remove("/job1/A/1.jpg"))
	s.Eventually("status and explain say so", func() (bool, any) {
		st, ex := s.Picday("status"), s.Picday("explain", "job1/A/1.jpg")
		return strings.Contains(st.Stdout, "unsure") && strings.Contains(st.Stdout, "job1/A/1.jpg") && strings.Contains(ex.Stdout, "cannot be seen"), st.Stdout + ex.Stdout
	})
	s.must(os.Rename(marker+"~", marker))
	s.waitPhotos(u, "job1/A/2.jpg", "job1/A/3.jpg", "job1/A/4.jpg")
	s.Eventually("status is content", func() (bool, any) {
		r := s.Picday("status")
		return !strings.Contains(r.Stdout, "unsure"), r
	})

	for _, name := range []string{"2", "3"} {
		s.setOpenFiles("5")
		s.must(wire.Remove("/job1/A/" + name + ".jpg"))
		s.Eventually("the log tells of it", func() (bool, any) {
			log := s.daemon.Log()
			return strings.Contains(log, "too many open files"), log
		})
		if name == "3" {
			break
		}
		s.setOpenFiles("1024")
		s.waitPhotos(u, "job1/A/3.jpg", "job1/A/4.jpg")
	}
	s.daemon.Kill()
	s.daemon = s.StartDaemon()
	s.waitPhotos(u, "job1/A/4.jpg")
}

// setOpenFiles sets how many files the running daemon may have open.
func (s *site) setOpenFiles(n string) {
	s.t.Helper()
	cmd := exec.Command("prlimit", fmt.Sprintf("--pid=%d", s.daemon.Pid()), "--nofile="+n+":")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.Credential("picday")} // root in a container may not
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

package test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Deletions while the daemon has no descriptor left are not forgotten: they are
// shown, and the photos are withdrawn when it has some again; without the next
// scan of everything, which is an hour away. So they are if it ends meanwhile.
func TestDeletionsMeetAFault(t *testing.T) {
	s := newSite(t)
	u := s.jobs("fault", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	for _, name := range []string{"1", "2", "3", "4"} {
		s.must(wire.Put("/job1/A/"+name+".jpg", photo()))
	}
	s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg", "job1/A/3.jpg", "job1/A/4.jpg")

	// No marker: the fault in which status can still answer.
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
		s.openFiles("5")
		s.must(wire.Remove("/job1/A/" + name + ".jpg"))
		s.Eventually("the log tells of it", func() (bool, any) {
			log := s.daemon.Log()
			return strings.Contains(log, "too many open files"), log
		})
		if name == "3" {
			break
		}
		s.openFiles("1024")
		s.waitPhotos(u, "job1/A/3.jpg", "job1/A/4.jpg")
	}
	s.daemon.Kill()
	s.daemon = s.StartDaemon()
	s.waitPhotos(u, "job1/A/4.jpg")
}

// openFiles says how many the daemon may have open, while it runs.
func (s *site) openFiles(n string) {
	s.t.Helper()
	cmd := exec.Command("prlimit", fmt.Sprintf("--pid=%d", s.daemon.Pid()), "--nofile="+n+":")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.Credential("picday")} // only the same user may
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %s", err, out)
	}
}

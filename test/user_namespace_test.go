package test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// In a user namespace, as in an unprivileged container, the kernel refuses leases. Photos are
// published nevertheless, doctor and status say why that takes longer, and the daemon reports
// what it sees of the jailed group.
func TestInAUserNamespace(t *testing.T) {
	bed.NeedUserNamespace(t)
	s := newSite(t)
	u := s.jobs("studio", "job1")
	s.daemon.Stop(syscall.SIGTERM)
	s.EditConfig("settle = ", "settle_unsure = \"6s\"\nsettle = ")
	out := bed.Result{}
	s.Namespaced = true
	if out = s.Picday("doctor"); strings.Contains(out.Stdout, "cannot give picdayd") {
		t.Skip("no user namespace with capabilities can be had here")
	}
	if !strings.Contains(out.Stdout, "user namespace") || !strings.Contains(out.Stdout, "after 6s of quiet") {
		t.Errorf("doctor: %v", out)
	}
	s.daemon = s.StartDaemon()
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	start := time.Now()
	s.must(wire.Put("/job1/A/1.jpg", photo()))
	s.Eventually("status says it", func() (bool, any) {
		r := s.Picday("status")
		return strings.Contains(r.Stdout, "who has an upload of "+u.Name+" open"), r
	})
	s.waitPhotos(u, "job1/A/1.jpg")
	if took := time.Since(start); took < 6*time.Second {
		t.Errorf("taken after %v", took)
	}
	s.daemon.Stop(syscall.SIGTERM)

	s.Namespaced = false
	if found := s.findings(); len(found) != 1 || found[0].Check != "picdayd" {
		t.Errorf("%+v", found)
	}
	for _, c := range [][]string{{"usermod", "-rG", "picday-sftp", u.Name}, {"usermod", "-aG", "picday-sftp", u.Name}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		s.daemon = s.StartDaemon()
		lost := c[1] == "-rG"
		s.Eventually("status knows about the group", func() (bool, any) {
			r := s.Picday("status")
			return strings.Contains(r.Stdout, "gpasswd -a "+u.Name) == lost, r
		})
		s.daemon.Stop(syscall.SIGTERM)
	}
	s.daemon = s.StartDaemon()
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

package test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"picday/internal/control"
	"picday/internal/testbed"
)

// health waits for what /healthz says, on both listeners.
func (s *site) health(when, want string) {
	s.t.Helper()
	for _, addr := range []string{s.Public, s.Admin} {
		s.Eventually(when+": health is "+want, func() (bool, any) {
			resp, err := http.Get("http://" + addr + "/healthz")
			if err != nil {
				return false, err.Error()
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			is := fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(string(body)))
			return err == nil && is == want, is
		})
	}
}

// answers waits until the daemon's own status says something. It asks over the
// socket: the command reads the catalogue too.
func (s *site) answers(when, want string) {
	s.t.Helper()
	s.Eventually(when+": status says "+want, func() (bool, any) {
		st, err := control.Ask(s.t.Context(), s.Run())
		return err == nil && strings.Contains(strings.Join(st.Warnings, "\n"), want), fmt.Sprint(st.Warnings, err)
	})
}

// The proof of life is one of the data directory's disk too. One that does not
// answer, or takes nothing, is said; and nobody works on in a directory that is
// not the one that everybody else sees.
func TestTheDataDiskGoes(t *testing.T) {
	sh := func(t *testing.T, args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	disk := func(t *testing.T) (*site, testbed.Photo) {
		t.Parallel()
		s := &site{World: testbed.New(t), t: t}
		s.must(os.Mkdir(s.Data, 0o750))
		s.MountExt4(s.Data)
		s.init()
		s.daemon = s.StartDaemon("WATCHDOG_USEC=3000000") // a proof each second
		u := s.jobs("disk", "job1")
		wire := u.ByKey().MustWire()
		s.must(wire.Mkdir("/job1/A"))
		s.must(wire.Put("/job1/A/1.jpg", photo()))
		p := s.waitPhotos(u, "job1/A/1.jpg")["job1/A/1.jpg"]
		s.health("at first", "200 ok")
		return s, p
	}
	t.Run("frozen", func(t *testing.T) {
		s, p := disk(t)
		sh(t, "fsfreeze", "--freeze", s.Data)
		thaw := func() { _ = exec.Command("fsfreeze", "--unfreeze", s.Data).Run() }
		defer thaw()
		s.health("frozen", "503 not proven alive: disk-stuck")
		s.answers("frozen", "frozen")
		if r := s.Picday("status"); r.Code != 0 || !strings.Contains(r.Stdout, "frozen") {
			t.Errorf("the command: %v", r)
		}
		thaw()
		s.health("thawed", "200 ok")
		s.shows(p)
		// Without picdayd only the catalogue could say something.
		s.daemon.Stop(syscall.SIGTERM)
		sh(t, "fsfreeze", "--freeze", s.Data)
		if r := s.Picday("status"); r.Code != 1 || !strings.Contains(r.Stdout, "catalogue does not answer") || !strings.Contains(r.Stderr, "not running") {
			t.Errorf("without picdayd: %v", r)
		}
	})
	t.Run("aborted", func(t *testing.T) {
		s, p := disk(t)
		sh(t, "mount", "-o", "remount,abort", s.Data)
		s.health("aborted", "503 not proven alive: disk-failed")
		s.answers("aborted", "read-only file system")
		s.shows(p)
		// Started again it does what it can, and more once the disk is sound.
		s.daemon.Kill()
		s.daemon = s.LaunchDaemon()
		s.health("aborted and started again", "503 not proven alive: disk-read-only")
		s.answers("aborted and started again", "published pictures are served, and nothing else is done")
		s.shows(p)
		s.daemon.Stop(syscall.SIGTERM)
	})
	for name, change := range map[string]func(s *site){
		"another in its place": func(s *site) {
			s.must(os.Mkdir(s.Dir+"/copy", 0o755))
			sh(s.t, "cp", "-a", s.Data, s.Dir+"/copy/")
			s.Unmount(s.Data)
			s.Bind(s.Dir+"/copy/data", s.Data)
		},
		"mounted anew": func(s *site) {
			s.Bind(s.Data, s.Data)
		},
		"deleted": func(s *site) {
			s.must(os.RemoveAll(s.Data + "/originals"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := disk(t)
			change(s)
			if err := s.daemon.Wait(); err == nil || !strings.Contains(s.daemon.Log(), "not what picdayd has open") {
				t.Errorf("%v\n%s", err, s.daemon.Log())
			}
			if name == "deleted" {
				return
			}
			s.daemon = s.StartDaemon()
			s.shows(p)
			s.verify()
		})
	}
}

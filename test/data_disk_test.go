package test

import (
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"picday/internal/control"
	"picday/internal/test/bed"
	"picday/store"
)

// waitHealth waits until /healthz says want, on both listeners.
func (s *site) waitHealth(when, want string) {
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

// waitStatus waits until the daemon's own status says something. It asks over the
// socket: the command reads the catalogue too.
func (s *site) waitStatus(when, want string) {
	s.t.Helper()
	s.Eventually(when+": status says "+want, func() (bool, any) {
		st, err := control.Ask(s.t.Context(), s.Run())
		return err == nil && slices.ContainsFunc(st.Warnings, func(w control.Warning) bool { return strings.Contains(w.Text, want) }), fmt.Sprint(st.Warnings, err)
	})
}

// A data disk that does not answer, or cannot be written, is reported. The daemon does not
// work on in a data directory whose path leads to another one.
func TestAFailingDataDiskIsReported(t *testing.T) {
	sh := func(t *testing.T, args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	disk := func(t *testing.T) (*site, bed.Photo) {
		t.Parallel()
		s := &site{World: bed.New(t), t: t}
		s.must(os.Mkdir(s.Data, 0o750))
		s.MountExt4(s.Data)
		s.init()
		s.daemon = s.StartDaemon("WATCHDOG_USEC=3000000") // checks its health each second
		u := s.jobs("disk", "job1")
		wire := u.ByKey().MustWire()
		s.must(wire.Mkdir("/job1/A"))
		s.must(wire.Put("/job1/A/1.jpg", photo()))
		p := s.waitPhotos(u, "job1/A/1.jpg")["job1/A/1.jpg"]
		s.waitHealth("at first", "200 ok")
		return s, p
	}
	t.Run("frozen", func(t *testing.T) {
		s, p := disk(t)
		sh(t, "fsfreeze", "--freeze", s.Data)
		thaw := func() { _ = exec.Command("fsfreeze", "--unfreeze", s.Data).Run() }
		defer thaw()
		s.waitHealth("frozen", "503 not proven alive: disk-stuck")
		s.waitStatus("frozen", "frozen")
		if r := s.Picday("status"); r.Code != 0 || !strings.Contains(r.Stdout, "frozen") {
			t.Errorf("the command: %v", r)
		}
		thaw()
		s.waitHealth("thawed", "200 ok")
		s.requireServed(p)
		// While picdayd does not answer, the command reads only the catalogue.
		s.daemon.Stop(syscall.SIGTERM)
		sh(t, "fsfreeze", "--freeze", s.Data)
		if r := s.Picday("status"); r.Code != 1 || !strings.Contains(r.Stdout, "catalogue does not answer") || !strings.Contains(r.Stderr, "not running") {
			t.Errorf("without picdayd: %v", r)
		}
	})
	t.Run("aborted", func(t *testing.T) {
		s, p := disk(t)
		sh(t, "mount", "-o", "remount,abort", s.Data)
		s.waitHealth("aborted", "503 not proven alive: disk-failed")
		s.waitStatus("aborted", "read-only file system")
		s.requireServed(p)
		// A new daemon does what the disk allows, and everything once the disk works.
		s.daemon.Kill()
		s.daemon = s.LaunchDaemon()
		s.waitHealth("aborted and started again", "503 not proven alive: disk-read-only")
		s.waitStatus("aborted and started again", "published pictures are served, and nothing else is done")
		s.requireServed(p)
		s.daemon.Stop(syscall.SIGTERM)
	})
	for name, change := range map[string]func(s *site){
		"another in its place": func(s *site) {
			s.must(os.Mkdir(s.Dir+"/copy", 0o755))
			s.daemon.Freeze() // its temporary files come and go
			sh(s.t, "cp", "-a", s.Data, s.Dir+"/copy/")
			s.daemon.Thaw()
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
			s.requireServed(p)
			s.verify()
		})
	}
	t.Run("the catalogue is deleted", func(t *testing.T) {
		s, p := disk(t)
		s.writeManifest()
		s.must(os.Remove(s.Data + "/catalogue.sqlite"))
		s.waitHealth("without a catalogue", "503 not proven alive: catalogue-gone")
		s.waitStatus("without a catalogue", "picday rebuild")
		if _, err := os.Lstat(s.Data + "/catalogue.sqlite"); !os.IsNotExist(err) {
			t.Errorf("a catalogue was begun: %v", err)
		}
		if out := s.MustPicday("rebuild"); !strings.Contains(out, "1 published photos") || !strings.Contains(out, "could not be known") {
			t.Errorf("rebuild: %s", out)
		}
		if err := s.daemon.Wait(); err == nil || !strings.Contains(s.daemon.Log(), "there is a catalogue again") {
			t.Errorf("%v\n%s", err, s.daemon.Log())
		}
		s.daemon = s.StartDaemon()
		s.requireServed(p) // under the same link
		s.verify()
		if r := s.Picday("rebuild"); r.Code != 1 || !strings.Contains(r.Stderr, "systemctl stop picdayd") {
			t.Errorf("while picdayd works: %v", r)
		}
		s.daemon.Stop(syscall.SIGTERM)
		if r := s.Picday("rebuild"); r.Code != 4 {
			t.Errorf("a sound catalogue: %v", r)
		}
	})
}

// writeManifest does at once what the daemon does after a minute.
func (s *site) writeManifest() {
	s.t.Helper()
	manifest := filepath.Join(s.Data, store.ManifestFile)
	s.must(os.Mkdir(filepath.Dir(manifest), 0o700))
	db, err := sql.Open("sqlite3", s.Data+"/catalogue.sqlite")
	s.must(err)
	defer db.Close()
	_, err = db.Exec(`VACUUM INTO ?`, manifest)
	s.must(err)
	fi, err := os.Stat(s.Data)
	s.must(err)
	owner := fi.Sys().(*syscall.Stat_t)
	for _, name := range []string{filepath.Dir(manifest), manifest} {
		s.must(os.Chown(name, int(owner.Uid), int(owner.Gid)))
	}
}

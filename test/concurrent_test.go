package test

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// requireOwners requires that all of data_dir belongs to the daemon's user, and that
// nobody else can read it.
func (s *site) requireOwners() {
	s.t.Helper()
	daemon, err := user.Lookup("picday")
	s.must(err)
	err = filepath.WalkDir(s.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // deleted since the directory was read
		}
		if st := info.Sys().(*syscall.Stat_t); fmt.Sprint(st.Uid) != daemon.Uid || info.Mode().Perm()&0o007 != 0 {
			s.t.Errorf("%s: owner %d, mode %v", path, st.Uid, info.Mode())
		}
		return nil
	})
	s.must(err)
}

// requireNoLockErrors requires that neither tool nor daemon met a locked or foreign file.
func (s *site) requireNoLockErrors() {
	s.t.Helper()
	s.requireOwners()
	logs, _ := filepath.Glob(s.Dir + "/picdayd*.log")
	for _, path := range logs {
		for line := range strings.Lines(string(readFile(s.t, path))) {
			if strings.Contains(line, `"level":"error"`) || strings.Contains(line, "locked") || strings.Contains(line, "readonly") {
				s.t.Errorf("the daemon: %s", line)
			}
		}
	}
}

// The tool, as root, and the daemon, as picday, can open the catalogue in any order, and
// SQLite's files never belong to root.
func TestWhoeverOpensFirst(t *testing.T) {
	s := newQuietSite(t)
	u := s.jobs("first", "job1") // the tool writes before the daemon runs
	s.requireOwners()
	s.daemon = s.StartDaemon()
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/1.jpg")
	s.MustPicday("job", "add", u.Name, "job2") // the tool writes while the daemon runs
	s.daemon.Stop(syscall.SIGTERM)
	s.requireOwners()
	s.MustPicday("job", "add", u.Name, "job3") // the tool writes after the daemon has ended
	s.photos(u)
	s.requireOwners()
	s.daemon = s.StartDaemon()
	s.uploadAndWait(u, "/job1/A/2.jpg")
	s.daemon.Kill() // leaves a write-ahead log that the tool has to recover
	s.MustPicday("job", "add", u.Name, "job4")
	s.waitPhotos(u, "job1/A/1.jpg", "job1/A/2.jpg")
	s.requireOwners()
	s.daemon = s.StartDaemon()
	s.uploadAndWait(u, "/job1/A/3.jpg")
	s.requireNoLockErrors()
}

// The tool is used without pause, several at once, while photos arrive.
func TestToolAndDaemonAtOnce(t *testing.T) {
	photos, rounds := 60, 5
	if os.Getenv("PICDAY_TORTURE") != "" {
		photos, rounds = 500, 40
	}
	s := newSite(t)
	u, want := s.jobs("busy", "job1"), []string{}
	for i := range photos {
		s.Local(fmt.Sprintf("A/%d.jpg", i), photo())
		want = append(want, fmt.Sprintf("job1/A/%d.jpg", i))
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if out := u.ByKey().SFTP(`put -r "` + s.Dir + `/local/A" /job1/`); out.Err != nil {
			t.Error(out.Err)
		}
	})
	for worker := range 3 {
		wg.Go(func() {
			for i := range rounds {
				for _, args := range [][]string{
					{"job", "add", u.Name, fmt.Sprintf("new %d %d", worker, i)},
					{"job", "list", "--json"},
					{"photos", u.Name, "--json"},
					{"job", "activate", u.Name, fmt.Sprintf("new %d %d", worker, i), "--wait", "60s"},
					{"problems"},
				} {
					if r := s.Picday(args...); r.Code != 0 {
						t.Error(r)
					}
				}
			}
		})
	}
	wg.Wait()
	s.waitPhotos(u, want...)
	if n := strings.Count(s.MustPicday("job", "list", u.Name), "active"); n != 3*rounds {
		t.Errorf("%d jobs are active", n)
	}
	s.requireNoLockErrors()
}

// Accounts that are added at the same time all exist, and each can log in to its own folder
// only.
func TestAccountsAtOnce(t *testing.T) {
	s := newSite(t)
	var wg sync.WaitGroup
	for i := range 5 {
		wg.Go(func() {
			r := s.PicdayInput("a long password\n", "account", "add", s.Name(fmt.Sprintf("many%d", i)), "--layout", "jobs", "--password-stdin")
			if r.Code != 0 {
				t.Error(r)
			}
		})
	}
	wg.Wait()
	for i := range 5 {
		if out := s.Login(s.Name(fmt.Sprintf("many%d", i)), "a long password", "").SFTP("ls"); out.Err != nil {
			t.Error(out.Err)
		}
	}
	if r := s.Picday("doctor"); r.Code != 0 {
		t.Error(r)
	}
}

// A second daemon for the same catalogue does not start.
func TestASecondDaemonIsRefused(t *testing.T) {
	s := newSite(t)
	u := s.jobs("single", "job1")
	second := s.LaunchDaemon()
	if err := second.Wait(); err == nil {
		t.Error("a second daemon ran and ended well")
	}
	if log := second.Log(); !strings.Contains(log, "another picdayd") {
		t.Errorf("it said: %s", log)
	}
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/proof.jpg")
}

// init creates what is missing, and changes nothing that exists.
func TestInitAgain(t *testing.T) {
	s := newSite(t)
	u := s.jobs("again", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/1.jpg")
	before := s.photos(u)
	key, err := os.Stat(s.Data + "/link.key")
	s.must(err)
	for range 3 {
		if out := s.MustPicday("init"); out != "" {
			t.Errorf("init again did: %s", out)
		}
	}
	after, err := os.Stat(s.Data + "/link.key")
	if err != nil || !os.SameFile(key, after) {
		t.Errorf("the key of the links: %v", err)
	}
	s.uploadAndWait(u, "/job1/A/2.jpg")
	if now := s.photos(u)["job1/A/1.jpg"]; now.Link != before["job1/A/1.jpg"].Link {
		t.Errorf("%+v", now)
	}
	s.requireNoLockErrors()
}

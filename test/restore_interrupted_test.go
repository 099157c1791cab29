package test

import (
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A backup whose catalogue is newer than its pictures, as with continuous replication of the
// catalogue, can be restored.
func TestRestoreALaterCatalogue(t *testing.T) {
	s := newSite(t)
	u := s.jobs("late", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/1.jpg")
	s.backup()
	s.uploadAndWait(u, "/job1/A/2.jpg")
	if out, err := exec.Command("cp", "-rn", s.Data+"/originals", s.Dir+"/backup/").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.uploadAndWait(u, "/job1/A/3.jpg")
	later := s.Dir + "/later.sqlite"
	db, err := sql.Open("sqlite3", s.Data+"/catalogue.sqlite")
	s.must(err)
	_, err = db.Exec("VACUUM INTO ?", later)
	s.must(err)
	s.must(db.Close())
	before := s.photos(u)
	s.daemon.Stop(syscall.SIGTERM)
	s.deleteEverything(u)
	initialising.Lock()
	// Leave the files as a crash of the machine leaves them.
	s.must(os.WriteFile(later+"-wal", []byte("changes"), 0o600))
	if r := s.Picday("restore", s.Dir+"/backup", "--catalogue", later); r.Code != 4 || !strings.Contains(r.Stderr, "wal_checkpoint") {
		t.Errorf("a catalogue whose last changes are elsewhere: %v", r)
	}
	s.must(os.Remove(later + "-wal"))
	r := s.Picday("restore", s.Dir+"/backup", "--catalogue", later)
	initialising.Unlock()
	sha := before["job1/A/3.jpg"].SHA256
	if r.Code != 1 || !strings.Contains(r.Stdout, sha+" is missing") || strings.Count(r.Stdout, "is missing") != 1 {
		t.Errorf("one original was never copied: %v", r)
	}
	s.daemon = s.StartDaemon()
	// Without renditions in the backup, restore makes them again from the originals.
	s.Eventually("2.jpg is served", func() (bool, any) {
		status, _ := fetch(t, before["job1/A/2.jpg"].URL)
		return status == 200, status
	})
	s.requireStillPublished(u, "job1/A/1.jpg", "job1/A/2.jpg", "job1/A/3.jpg")
	for path, p := range s.photos(u) {
		if p.Link != before[path].Link {
			t.Errorf("%s has another link", path)
		}
	}
	for _, path := range []string{"1.jpg", "2.jpg"} {
		if _, err := os.Stat(u.Dir() + "/job1/A/" + path); err != nil {
			t.Error(err)
		}
	}
}

// A restore that is killed at many moments can be run again, and is then complete.
func TestRestoreIsKilled(t *testing.T) {
	s := newSite(t)
	u, school := s.jobs("killed", "job1", "sold"), s.portraits("kschool")
	for _, dir := range []string{"/job1/A", "/sold/A"} {
		s.must(u.ByKey().MustWire().Mkdir(dir))
	}
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		s.must(u.ByKey().MustWire().Put("/job1/A/"+name+".jpg", photo()))
		s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/"+name+".jpg", photo()))
	}
	s.uploadAndWait(u, "/sold/A/s.jpg")
	s.rescan()
	s.MustPicday("job", "activate", u.Name, "sold")
	before, trees := s.allOutput(u, school), s.tree(s.Uploads)
	s.backup()
	s.daemon.Stop(syscall.SIGTERM)
	s.deleteEverything(u, school)
	initialising.Lock()
	defer initialising.Unlock()
	killed := 0
	for after := time.Duration(0); ; after += after/4 + 10*time.Millisecond {
		cmd := s.PicdayCmd("restore", s.Dir+"/backup")
		var said strings.Builder
		cmd.Stderr = &said
		s.must(cmd.Start())
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("after %d kills: %v\n%s", killed, err, said.String())
			}
		case <-time.After(after):
			s.must(cmd.Process.Kill())
			if <-done != nil {
				killed++
				if r := s.Picday("photos"); strings.Contains(r.Stdout, "jpg") {
					t.Errorf("half a restore is published: %v", r)
				}
				continue
			}
		}
		break
	}
	t.Logf("killed %d times", killed)
	if killed < 3 {
		t.Errorf("only %d kills: this test has seen nothing", killed)
	}
	requireSame(t, "what picday says", before, s.allOutput(u, school))
	requireSame(t, "the uploaders' folders", trees, s.tree(s.Uploads))
	s.daemon = s.StartDaemon()
	s.rescan()
	s.verify()
	requireSame(t, "what picday says after a rescan", before, s.allOutput(u, school))
	if r := s.Picday("doctor"); r.Code != 0 {
		t.Error(r)
	}
}

package test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

type differences struct {
	Originals   int `json:"originals"`
	Renditions  int `json:"renditions"`
	Uploads     int `json:"uploads"`
	Waiting     int `json:"waiting"`
	Repaired    int `json:"repaired"`
	Differences []struct{ Kind, Account, Path, File, Message, Fix string }
}

// requireDifferences requires that verify finds exactly these differences, each "kind what".
func (s *site) requireDifferences(want ...string) (v differences) {
	s.t.Helper()
	r := s.Picday("verify", "--json")
	s.decode(r.Stdout, &v)
	if code := min(len(want), 1); r.Code != code || len(v.Differences) != len(want) {
		s.t.Errorf("want %q: %v", want, r)
	}
	for _, w := range want {
		kind, what, _ := strings.Cut(w, " ")
		found := false
		for _, d := range v.Differences {
			found = found || d.Kind == kind && strings.Contains(d.Path+d.File, what) && len(d.Message) > 5 && len(d.Fix) > 20
		}
		if !found {
			s.t.Errorf("%q is not among %+v", w, v.Differences)
		}
	}
	return v
}

func TestVerifyBothDirections(t *testing.T) {
	s := newSite(t)
	u, school := s.jobs("both", "job1", "sold"), s.portraits("vschool")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Mkdir("/sold/A"))
	s.must(wire.Put("/sold/A/s.jpg", photo()))
	s.must(wire.Put("/job1/lost.jpg", photo()))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.uploadAndWait(u, "/job1/A/y.jpg")
	s.uploadAndWait(school, "/"+school.Name+"/user-pictures/12.jpg")
	s.MustPicday("job", "activate", u.Name, "sold")
	if v := s.requireDifferences(); v.Originals != 4 || v.Renditions != 8 || v.Uploads != 5 || v.Waiting != 0 {
		t.Errorf("%+v", v)
	}
	// verify reports no difference for a running upload.
	f, err := wire.Open("/job1/A/slow.jpg", bed.Write|bed.Create|bed.Truncate)
	s.must(err)
	_, err = f.Write(photo()[:100])
	s.must(err)
	s.rescan()
	if v := s.requireDifferences(); v.Waiting != 1 {
		t.Errorf("%+v", v)
	}
	s.must(f.Close())
	s.must(os.Remove(u.Dir() + "/job1/A/slow.jpg"))

	// Change files while the daemon does not run.
	s.daemon.Stop(syscall.SIGTERM)
	s.must(os.Remove(u.Dir() + "/job1/A/x.jpg"))
	s.must(os.WriteFile(u.Dir()+"/job1/A/new.jpg", photo(), 0o644))
	if v := s.requireDifferences("upload job1/A/x.jpg"); v.Waiting != 1 {
		t.Errorf("%+v", v)
	}
	// Remove the whole folder of an account.
	s.must(os.Rename(school.Dir(), s.Dir+"/aside"))
	s.requireDifferences("upload job1/A/x.jpg", "folder user-pictures")
	s.must(os.Rename(s.Dir+"/aside", school.Dir()))
	volume := readFile(t, s.Uploads+"/.picday-volume")
	s.must(os.Remove(s.Uploads + "/.picday-volume"))
	s.requireDifferences("volume ")
	s.damage(s.Uploads+"/.picday-volume", volume)
	s.daemon = s.StartDaemon()
	s.waitPhotos(u, "job1/A/new.jpg", "job1/A/y.jpg", "sold/A/s.jpg")
	s.requireDifferences()
	// Files in an active job's folder are not processed.
	s.must(os.WriteFile(s.Uploads+"/.active/"+u.Name+"/sold/A/late.jpg", photo(), 0o644))
	s.Eventually("it is old enough to have been taken", func() (bool, any) {
		r := s.Picday("verify")
		return r.Code == 1 && strings.Contains(r.Stdout, "sold/A/late.jpg") && strings.Contains(r.Stdout, "active"), r
	})
}

func TestVerifyRepairs(t *testing.T) {
	s := newSite(t)
	u := s.jobs("repair", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	served := s.servedSums(u)
	for _, name := range keys(s.renditions()) {
		s.must(os.Remove(name))
	}
	orphan := s.Data + "/originals/ab/" + strings.Repeat("ab", 32) + ".jpg"
	young := s.Data + "/renditions/ab/" + strings.Repeat("ab", 32) + "-thumb-400q80.jpg"
	s.must(os.WriteFile(orphan, photo(), 0o600))
	s.must(os.WriteFile(young, photo(), 0o600))
	s.must(os.Chtimes(orphan, time.Time{}, time.Now().Add(-2*time.Hour)))
	s.requireDifferences("orphan "+orphan, "rendition large", "rendition thumb")
	if r := s.Picday("verify", "--repair"); r.Code != 4 || !strings.Contains(r.Stderr, "stop picdayd") && !strings.Contains(r.Stderr, "stop it first") {
		t.Errorf("while picdayd runs: %v", r)
	}
	s.daemon.Stop(syscall.SIGTERM)
	if r := s.Picday("verify", "--repair"); r.Code != 0 || !strings.Contains(r.Stderr, "deleted 1 files") {
		t.Error(r)
	}
	if _, err := os.Stat(orphan); err == nil {
		t.Error("the orphan is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("a file that could be in somebody's hands was deleted:", err)
	}
	s.daemon = s.StartDaemon()
	s.Eventually("both are made anew", func() (bool, any) {
		have := keys(s.renditions())
		return len(have) == 3, have
	})
	s.requireDifferences()
	requireSame(t, "what the link shows", served, s.servedSums(u))
}

// verify finds no difference while files are uploaded, overwritten, moved and deleted, and
// the trash is emptied.
func TestVerifyWhileUploadsRun(t *testing.T) {
	s := newSite(t, bed.Options{Settle: 50 * time.Millisecond, DeleteGrace: 50 * time.Millisecond})
	u := s.jobs("vbusy", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/first.jpg")
	for round := range 10 {
		s.MustPicday("trash", "empty", "--all")
		cmd := s.PicdayCmd("verify")
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		s.must(cmd.Start())
		for i := range 8 {
			name := func(round int) string { return fmt.Sprintf("/job1/A/%d-%d.jpg", round, i) }
			s.must(wire.Put(name(round), photo()))
			switch {
			case round > 0 && i%3 == 0:
				s.must(wire.Put(name(round-1), photo()))
			case round > 0 && i%3 == 1:
				s.must(wire.PosixRename(name(round-1), fmt.Sprintf("/job1/A/m%d-%d.jpg", round, i)))
			case round > 0:
				s.must(wire.Remove(name(round - 1)))
			}
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("round %d: %v\n%s", round, err, out.String())
		}
		s.rescan()
	}
	s.verify()
}

// verify finds two renditions that were exchanged on disk, and a change within a rendition
// that keeps its size and structure.
func TestVerifySeesRenditions(t *testing.T) {
	s := newSite(t)
	u := s.jobs("vrend", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	for i, name := range []string{"x", "y"} {
		s.must(u.ByKey().MustWire().Put("/job1/A/"+name+".jpg", testphoto.Tiny(i)))
	}
	s.waitPhotos(u, "job1/A/x.jpg", "job1/A/y.jpg")
	served := s.servedSums(u)
	s.requireDifferences()
	thumbs, err := filepath.Glob(s.Data + "/renditions/*/*-thumb-*.jpg")
	s.must(err)
	large, err := filepath.Glob(s.Data + "/renditions/*/*-large-*.jpg")
	s.must(err)
	aside := s.Dir + "/aside.jpg"
	s.must(os.Rename(thumbs[0], aside))
	s.must(os.Rename(thumbs[1], thumbs[0]))
	s.must(os.Rename(aside, thumbs[1]))
	rotten := readFile(t, large[0])
	for i := range 300 {
		rotten[len(rotten)/2+i] ^= 0x20
	}
	s.damage(large[0], rotten)
	s.requireDifferences("rendition "+thumbs[0], "rendition "+thumbs[1], "rendition "+large[0])
	s.daemon.Stop(syscall.SIGTERM)
	if r := s.Picday("verify", "--repair", "--rate", "50"); r.Code != 0 {
		t.Error(r)
	}
	s.daemon = s.StartDaemon()
	s.Eventually("they are made again", func() (bool, any) {
		r := s.Picday("verify", "--json")
		return r.Code == 0, r
	})
	requireSame(t, "what the links show", served, s.servedSums(u))
}

// verify also checks the links and paths in the catalogue.
func TestVerifySeesLinksAndDoubles(t *testing.T) {
	s := newSite(t)
	u, school := s.jobs("vlink", "job1"), s.portraits("vlinks")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	for _, name := range []string{"a", "b", "c"} {
		s.uploadAndWait(u, "/job1/A/"+name+".jpg")
	}
	s.uploadAndWait(school, "/"+school.Name+"/user-pictures/12.jpg")
	s.MustPicday("link", "rotate", school.Name, "12")
	s.requireDifferences()
	s.daemon.Stop(syscall.SIGTERM)
	db, err := sql.Open("sqlite3", s.Data+"/catalogue.sqlite")
	s.must(err)
	defer db.Close()
	_, err = db.Exec(`UPDATE photo SET link = 'aside' WHERE file = 'a.jpg';
		UPDATE photo SET path = (SELECT path FROM photo p WHERE p.file = 'b.jpg') WHERE file = 'c.jpg'`)
	s.must(err)
	s.requireDifferences("link job1/A/a.jpg", "no-file job1/A/c.jpg", "double job1/A/b.jpg")
}

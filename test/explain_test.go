package test

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

type explained struct {
	Account, Path, State string
	Why                  []string
	Photo                *struct{ Link string }
	Problem              *struct{ Reason string }
	Trash                []struct{ SHA256 string }
	Looks                []struct {
		Bytes, Inode int64
		Verdicts     []string
	}
}

// requireExplained requires the state that explain gives for a path, and words in its text.
func (s *site) requireExplained(state, words string, args ...string) explained {
	s.t.Helper()
	var all []explained
	s.JSON(&all, append([]string{"explain"}, args...)...)
	text := s.MustPicday(append([]string{"explain"}, args...)...)
	s.t.Logf("picday explain %q\n%s", args, text)
	if len(all) != 1 || all[0].State != state || !strings.Contains(text, state) {
		s.t.Errorf("explain %q: want %s, got %+v", args, state, all)
		return explained{}
	}
	for word := range strings.FieldsSeq(words) {
		if !strings.Contains(strings.Join(all[0].Why, " "), word) {
			s.t.Errorf("explain %q does not say %q: %q", args, word, all[0].Why)
		}
	}
	return all[0]
}

func TestExplainEveryState(t *testing.T) {
	s := newSite(t)
	u, twin, school := s.jobs("explains", "job1", "sold"), s.jobs("twin", "job1"), s.portraits("eschool")
	wire := u.ByKey().MustWire()
	for _, dir := range []string{"/job1/A", "/job1/Mu\u0308ller", "/sold/A"} {
		s.must(wire.Mkdir(dir))
	}
	s.must(twin.ByKey().MustWire().Mkdir("/job1/A"))
	paths := []string{"job1/A/a.jpg", "job1/A/gone.jpg", "job1/A/old.jpg", "job1/Mu\u0308ller/m.jpg", "sold/A/s.jpg"}
	for _, path := range paths {
		s.must(wire.Put("/"+path, photo()))
	}
	s.uploadAndWait(twin, "/job1/A/a.jpg")
	portrait := school.Name + "/user-pictures/12.jpg"
	s.uploadAndWait(school, "/"+portrait)
	s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/IMG_7.jpg", photo()))
	s.must(wire.Put("/job1/A/.DS_Store", []byte("x")))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/gone.jpg", "job1/A/old.jpg", "job1/M\u00fcller/m.jpg", "sold/A/s.jpg")
	if x := s.requireExplained("published", "", "job1/A/old.jpg"); len(x.Looks) < 3 || x.Looks[len(x.Looks)-1].Bytes == 0 || x.Looks[0].Inode == 0 || // the first may find it empty yet
		!strings.Contains(x.Looks[len(x.Looks)-2].Verdicts[2]+x.Looks[len(x.Looks)-1].Verdicts[0], "no process has it open for writinga whole JPEG") {
		t.Errorf("the looks at it: %+v", x.Looks)
	}
	s.must(wire.PosixRename("/job1/A/old.jpg", "/job1/A/new.jpg"))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/gone.jpg", "job1/A/new.jpg", "job1/M\u00fcller/m.jpg", "sold/A/s.jpg")
	s.must(wire.Remove("/job1/A/gone.jpg"))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/new.jpg", "job1/M\u00fcller/m.jpg", "sold/A/s.jpg")
	s.MustPicday("job", "activate", u.Name, "sold")

	if out := s.MustPicday("explain", "job1/A/a.jpg"); !strings.Contains(out, u.Name) || !strings.Contains(out, twin.Name) {
		t.Errorf("two accounts have it: %s", out)
	}
	link := s.photos(u)["job1/A/a.jpg"].Link
	if x := s.requireExplained("published", "complete", "/job1/A/a.jpg", "--account", u.Name, "--show-link"); x.Photo == nil || x.Photo.Link != link {
		t.Errorf("%+v", x)
	}
	// Only --show-link prints the whole link, because people forward the output with their
	// questions.
	for _, how := range [][]string{nil, {"--json"}} {
		if out := s.MustPicday(append([]string{"explain", "job1/A/a.jpg", "--account", u.Name}, how...)...); strings.Contains(out, link[:8]) || !strings.Contains(out, link[:6]+"…") {
			t.Errorf("%q: %s", how, out)
		}
	}
	s.requireExplained("published", "complete", u.Dir()+"/job1/A/a.jpg")
	s.requireExplained("published", "complete", "job1/M\u00fcller/m.jpg") // composed, while the file's name is decomposed
	s.requireExplained("published", "complete", portrait)
	s.requireExplained("published", "active", "sold/A/s.jpg")
	s.requireExplained("withdrawn", "deleted trash restore", "job1/A/gone.jpg")
	s.requireExplained("moved", "job1/A/new.jpg", "job1/A/old.jpg")
	s.requireExplained("ignored", "operating", "job1/A/.DS_Store")
	s.requireExplained("folder", "folder", "job1/M\u00fcller")
	s.waitProblems(school, map[string]string{school.Name + "/user-pictures/IMG_7.jpg": "bad-name"})
	if x := s.requireExplained("problem", "ID deleted after", school.Name+"/user-pictures/IMG_7.jpg"); x.Problem == nil || x.Problem.Reason != "bad-name" {
		t.Errorf("%+v", x)
	}

	// A user who may read only the catalogue is told what it says.
	if r := s.PicdayAs("picday", "explain", "job1/A/a.jpg"); r.Code != 0 || !strings.Contains(r.Stdout, "published") || !strings.Contains(r.Stdout, "sudo") {
		t.Error(r)
	}
	if r := s.PicdayAs("picday", "explain", "job1/A/never.jpg"); r.Code != 1 || !strings.Contains(r.Stderr, "sudo") {
		t.Error(r)
	}

	s.daemon.Stop(syscall.SIGTERM)
	s.must(wire.Put("/job1/A/late.jpg", photo()))
	s.must(wire.Put("/job1/A/new.jpg", photo()))
	s.must(os.Remove(twin.Dir() + "/job1/A/a.jpg"))
	s.must(os.Remove(school.Dir() + "/" + school.Name + "/user-pictures/IMG_7.jpg"))
	s.requireExplained("missing", "list problems ID running", school.Name+"/user-pictures/IMG_7.jpg")
	s.requireExplained("waiting", "running systemctl", "job1/A/late.jpg")
	s.requireExplained("waiting", "before stays published", "job1/A/new.jpg")
	s.requireExplained("missing", "withdrawn running", "job1/A/a.jpg", "--account", twin.Name)
	s.must(os.MkdirAll(u.Dir()+"/nojob/A", 0o755))
	s.must(os.WriteFile(u.Dir()+"/nojob/A/x.jpg", photo(), 0o644))
	s.requireExplained("waiting", "no job", "nojob/A/x.jpg")
	s.MustPicday("account", "remove", twin.Name, "--keep")
	s.requireExplained("missing", "removed", "job1/A/a.jpg", "--account", twin.Name)
	for _, args := range [][]string{{"job1/A/never.jpg"}, {"../../etc/passwd"}, {"job1/A/a.jpg", "--account", "nobody"}} {
		if r := s.Picday(append([]string{"explain"}, args...)...); r.Code != 3 || r.Stdout != "" {
			t.Errorf("%q: %v", args, r)
		}
	}
	if r := s.Picday("explain", "/"); r.Code != 2 {
		t.Error(r)
	}
}

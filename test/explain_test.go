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
}

// explains requires the state of a path, and words in what is said about it.
func (s *site) explains(state, words string, args ...string) explained {
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
	s.proof(twin, "/job1/A/a.jpg")
	portrait := school.Name + "/user-pictures/12.jpg"
	s.proof(school, "/"+portrait)
	s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/IMG_7.jpg", photo()))
	s.must(wire.Put("/job1/A/.DS_Store", []byte("x")))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/gone.jpg", "job1/A/old.jpg", "job1/M\u00fcller/m.jpg", "sold/A/s.jpg")
	s.must(wire.PosixRename("/job1/A/old.jpg", "/job1/A/new.jpg"))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/gone.jpg", "job1/A/new.jpg", "job1/M\u00fcller/m.jpg", "sold/A/s.jpg")
	s.must(wire.Remove("/job1/A/gone.jpg"))
	s.waitPhotos(u, "job1/A/a.jpg", "job1/A/new.jpg", "job1/M\u00fcller/m.jpg", "sold/A/s.jpg")
	s.MustPicday("job", "activate", u.Name, "sold")

	if out := s.MustPicday("explain", "job1/A/a.jpg"); !strings.Contains(out, u.Name) || !strings.Contains(out, twin.Name) {
		t.Errorf("two accounts have it: %s", out)
	}
	link := s.photos(u)["job1/A/a.jpg"].Link
	if x := s.explains("published", "complete", "/job1/A/a.jpg", "--account", u.Name, "--show-link"); x.Photo == nil || x.Photo.Link != link {
		t.Errorf("%+v", x)
	}
	// What is passed on with a question shows nobody the picture.
	for _, how := range [][]string{nil, {"--json"}} {
		if out := s.MustPicday(append([]string{"explain", "job1/A/a.jpg", "--account", u.Name}, how...)...); strings.Contains(out, link[:8]) || !strings.Contains(out, link[:6]+"…") {
			t.Errorf("%q: %s", how, out)
		}
	}
	s.explains("published", "complete", u.Dir()+"/job1/A/a.jpg")
	s.explains("published", "complete", "job1/M\u00fcller/m.jpg") // typed on another keyboard than the Mac's
	s.explains("published", "complete", portrait)
	s.explains("published", "active", "sold/A/s.jpg")
	s.explains("withdrawn", "deleted trash restore", "job1/A/gone.jpg")
	s.explains("moved", "job1/A/new.jpg", "job1/A/old.jpg")
	s.explains("ignored", "operating", "job1/A/.DS_Store")
	s.explains("folder", "folder", "job1/M\u00fcller")
	s.waitProblems(school, map[string]string{school.Name + "/user-pictures/IMG_7.jpg": "bad-name"})
	if x := s.explains("problem", "ID deleted after", school.Name+"/user-pictures/IMG_7.jpg"); x.Problem == nil || x.Problem.Reason != "bad-name" {
		t.Errorf("%+v", x)
	}

	// Who may read the catalogue only is told what it says.
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
	s.explains("waiting", "running systemctl", "job1/A/late.jpg")
	s.explains("waiting", "before stays published", "job1/A/new.jpg")
	s.explains("missing", "withdrawn running", "job1/A/a.jpg", "--account", twin.Name)
	s.must(os.MkdirAll(u.Dir()+"/nojob/A", 0o755))
	s.must(os.WriteFile(u.Dir()+"/nojob/A/x.jpg", photo(), 0o644))
	s.explains("waiting", "no job", "nojob/A/x.jpg")
	s.MustPicday("account", "remove", twin.Name, "--keep")
	s.explains("missing", "removed", "job1/A/a.jpg", "--account", twin.Name)
	for _, args := range [][]string{{"job1/A/never.jpg"}, {"../../etc/passwd"}, {"job1/A/a.jpg", "--account", "nobody"}} {
		if r := s.Picday(append([]string{"explain"}, args...)...); r.Code != 3 || r.Stdout != "" {
			t.Errorf("%q: %v", args, r)
		}
	}
	if r := s.Picday("explain", "/"); r.Code != 2 {
		t.Error(r)
	}
}

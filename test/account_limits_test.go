package test

import (
	"strings"
	"testing"
)

// An account at its limits keeps its photos and can change them. Of its new files and
// folders one each is listed as a problem. Other accounts are not affected, and the waiting
// files become photos when there is room.
func TestLimitsOfAnAccount(t *testing.T) {
	s := newQuietSite(t)
	s.EditConfig("[upload]\n", "[upload]\nmax_files = 3\nmax_folders = 3\n")
	s.daemon = s.StartDaemon()
	u, other := s.jobs("many", "job1"), s.jobs("few", "job1")
	s.must(other.ByKey().MustWire().Mkdir("/job1/A"))
	wire := u.ByKey().MustWire()
	for _, dir := range []string{"/job1/A", "/job1/B"} { // the job has three folders now
		s.must(wire.Mkdir(dir))
	}
	for _, path := range []string{"/job1/A/0.jpg", "/job1/A/1.jpg", "/job1/B/2.jpg"} {
		s.uploadAndWait(u, path)
	}
	s.must(wire.Put("/job1/A/3.jpg", photo()))
	s.waitProblems(u, map[string]string{"job1/A/3.jpg": "too-many-files"})
	s.must(wire.Put("/job1/A/4.jpg", photo()))
	s.must(wire.Mkdir("/job1/C"))
	s.must(wire.Put("/job1/C/5.jpg", photo()))
	s.waitProblems(u, map[string]string{"job1/A/3.jpg": "too-many-files", "job1/C": "too-many-folders"})
	s.rescan()
	s.requireExplained("problem", "files", "job1/A/3.jpg", "--account", u.Name)
	s.requireExplained("waiting", "limit files", "job1/A/4.jpg", "--account", u.Name)
	s.requireExplained("waiting", "limit folders", "job1/C/5.jpg", "--account", u.Name)
	s.requireExplained("folder", "max_folders", "job1/C", "--account", u.Name)
	warnings := s.MustPicday("status")
	for _, words := range []string{u.Name + " is at a limit: it holds 3 files", u.Name + " is at a limit: it holds 3 folders"} {
		if !strings.Contains(warnings, words) {
			t.Errorf("status does not say %q:\n%s", words, warnings)
		}
	}
	s.uploadAndWait(other, "/job1/A/0.jpg")
	s.must(wire.PosixRename("/job1/A/1.jpg", "/job1/A/moved.jpg"))
	s.waitPhotos(u, "job1/A/0.jpg", "job1/A/moved.jpg", "job1/B/2.jpg")

	for _, path := range []string{"/job1/A/4.jpg", "/job1/C/5.jpg", "/job1/B/2.jpg"} {
		s.must(wire.Remove(path))
	}
	s.must(wire.Rmdir("/job1/B"))
	s.waitPhotos(u, "job1/A/0.jpg", "job1/A/3.jpg", "job1/A/moved.jpg")
	s.MustPicday("rescan", "--wait")
	s.waitProblems(u, map[string]string{})
	if n := s.status().WatchedDirs; n != 5 {
		t.Errorf("%d folders are watched", n)
	}
	if text := s.MustPicday("status"); strings.Contains(text, "at a limit") {
		t.Error(text)
	}
	s.verify()
}

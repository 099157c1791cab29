package test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

var longName = strings.Repeat("ä", 125) + "x.jpg" // 255 bytes and one less than NAME_MAX allows with a slash

// File names that uploaders could use, and how they are shown: in NFC, with \xNN for control
// characters and for bytes that are not UTF-8. "" is not compared.
var names = map[string]string{
	"a b.jpg":                  "a b.jpg",
	"gr\u00fcn.jpg":            "gr\u00fcn.jpg",
	"blau\u0308.jpg":           "bla\u00fc.jpg", // decomposed, as macOS sends it
	"latin1 \xfc.jpg":          `latin1 \xfc.jpg`,
	"broken \xe2\x82.jpg":      "",
	"new\nline.jpg":            `new\x0aline.jpg`,
	"tab\tand \x1b[31mred.jpg": `tab\x09and \x1b[31mred.jpg`,
	";rm -rf $(id) `id`.jpg":   ";rm -rf $(id) `id`.jpg",
	"-rf.jpg":                  "-rf.jpg",
	"--help.jpg":               "--help.jpg",
	"'quotes\" \\.jpg":         "'quotes\" \\.jpg",
	"%s%n%00.JPEG":             "%s%n%00.JPEG",
	"..jpg.jpg":                "",
	"日本語 \U0001f4f7.Jpg":       "日本語 \U0001f4f7.Jpg",
	longName:                   longName,
}

func TestNames(t *testing.T) {
	s := newSite(t)
	u := s.jobs("names", "job1")
	wire := u.ByKey().MustWire()
	shown := map[string]string{} // by SHA-256
	n := 0
	for _, dir := range []string{"A", "group 1", "blau\u0308", "lat\xefn", "-x", "new\nline", strings.Repeat("d", 255)} {
		s.must(wire.Mkdir("/job1/" + dir))
		for name, want := range names {
			if strings.HasPrefix(name, ".") {
				continue // dot files are ignored
			}
			data := photo()
			s.must(wire.Put("/job1/"+dir+"/"+name, data))
			n++
			if dir == "A" && want != "" {
				shown[sum(data)] = "job1/A/" + want
			}
		}
	}
	var list []bed.Photo
	s.Eventually("all names are taken", func() (bool, any) {
		list = nil
		s.JSON(&list, "photos", u.Name)
		return len(list) == n, len(list)
	})
	for _, p := range list {
		if want, ok := shown[p.SHA256]; ok && p.Path != want {
			t.Errorf("shown as %q, want %q", p.Path, want)
		}
	}
	s.waitProblems(u, map[string]string{})
	s.plainOutput(n, "photos", u.Name)
	if j := s.job(u, "job1"); j.Albums != 7 {
		t.Errorf("%+v", j)
	}
}

// plainOutput requires that a command prints one line for each of n rows and a heading, and
// no control characters.
func (s *site) plainOutput(n int, args ...string) {
	s.t.Helper()
	out := s.MustPicday(args...)
	if lines := strings.Count(out, "\n"); lines != n+1 {
		s.t.Errorf("picday %v prints %d lines for %d rows", args, lines, n)
	}
	if strings.ContainsAny(out, "\x1b\r\x00") {
		s.t.Errorf("picday %v lets control characters through", args)
	}
}

// The commands accept the names that they print as arguments.
func TestNamesWorkAsArguments(t *testing.T) {
	s := newSite(t)
	u := s.jobs("args", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	count := 0
	for name, shown := range names {
		if shown != "" {
			s.must(wire.Put("/job1/A/"+name, photo()))
			count++
		}
	}
	s.Eventually("all are there", func() (bool, any) { p := s.photos(u); return len(p) == count, keys(p) })
	for name, shown := range names {
		if shown != "" {
			s.must(wire.Remove("/job1/A/" + name))
		}
	}
	s.Eventually("all are in the trash", func() (bool, any) { p := s.trash(u); return len(p) == count, keys(p) })
	for path := range s.trash(u) {
		s.MustPicday("trash", "restore", "--", u.Name, path)
	}
	s.Eventually("all are back", func() (bool, any) { p := s.photos(u); return len(p) == count, keys(p) })
}

// Two names with the same printable form are not mistaken for each other.
func TestEscapesAreNotAmbiguous(t *testing.T) {
	s := newSite(t)
	u := s.jobs("alike", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/a\nb.jpg", photo()))
	s.must(wire.Put(`/job1/A/a\x0ab.jpg`, photo()))
	s.Eventually("both are there, under two paths", func() (bool, any) {
		var list []bed.Photo
		s.JSON(&list, "photos", u.Name)
		return len(list) == 2 && list[0].Path != list[1].Path, list
	})
}

// Symbolic links, pipes and sockets are never followed or opened, whoever made them.
func TestWhatIsNotAFile(t *testing.T) {
	s := newSite(t)
	u, victim := s.jobs("tricks", "job1"), s.jobs("victim", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	secret := photo()
	s.must(os.WriteFile(s.Dir+"/secret.jpg", secret, 0o600))
	s.must(victim.ByKey().MustWire().Mkdir("/job1/B"))
	s.must(victim.ByKey().MustWire().Put("/job1/B/theirs.jpg", secret))
	s.waitPhotos(victim, "job1/B/theirs.jpg")
	originals := keys(s.originals())

	up := strings.Repeat("../", 12)
	for name, target := range map[string]string{
		"shadow.jpg": "/etc/shadow", "absolute.jpg": s.Dir + "/secret.jpg", "relative.jpg": up + s.Dir[1:] + "/secret.jpg",
		"theirs.jpg": "../../../" + victim.Name + "/job1/B/theirs.jpg", "self.jpg": "self.jpg", "key.jpg": s.Data + "/link.key",
	} {
		s.must(u.Symlink(target, "/job1/A/"+name))
	}
	// Symbolic links to the other account's album and to a parent folder.
	s.must(u.Symlink("../../"+victim.Name+"/job1/B", "/job1/Album"))
	s.must(u.Symlink("..", "/job1/A/group"))
	// SFTP cannot create these files, but a backup tool can.
	s.must(syscall.Mkfifo(u.Dir()+"/job1/A/fifo.jpg", 0o666))
	s.must(syscall.Mknod(u.Dir()+"/job1/A/zero.jpg", syscall.S_IFCHR|0o666, 1<<8|5))

	s.uploadAndWait(u, "/job1/A/proof.jpg")
	s.rescan()
	s.waitPhotos(u, "job1/A/proof.jpg")
	if now := s.originals(); len(now) != len(originals)+1 {
		t.Errorf("originals were %v, are %v", originals, keys(now))
	}
	for path, p := range s.problems(u) {
		if p.Reason != "unreadable" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	// A symbolic link that replaces a photo's file is not followed.
	was := s.photos(u)["job1/A/proof.jpg"]
	s.must(wire.Remove("/job1/A/proof.jpg"))
	s.must(u.Symlink(up+s.Dir[1:]+"/secret.jpg", "/job1/A/proof.jpg"))
	s.Eventually("the link is a problem", func() (bool, any) {
		p := s.problems(u)["job1/A/proof.jpg"]
		return p.Reason == "unreadable", p
	})
	if p, ok := s.photos(u)["job1/A/proof.jpg"]; ok && p.SHA256 != was.SHA256 {
		t.Errorf("published through a link: %+v", p)
	}
	if len(s.originals()) != len(originals)+1 {
		t.Errorf("originals: %v", keys(s.originals()))
	}
}

// originals are the files in which picday keeps the uploads.
func (s *site) originals() map[string]bool {
	s.t.Helper()
	all := map[string]bool{}
	files, err := filepath.Glob(s.Data + "/originals/*/*")
	s.must(err)
	for _, f := range files {
		all[filepath.Base(f)] = true
	}
	return all
}

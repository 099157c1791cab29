package test

import (
	"bytes"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// skipWithout skips a test if picday does not have a command.
func (s *site) skipWithout(command string) {
	s.t.Helper()
	if !s.hasCommand(command) {
		s.t.Skipf("this picday has no command %s yet", command)
	}
}

// requireNotFound requires that a link answers 404 to the first request.
func (s *site) requireNotFound(url string) {
	s.t.Helper()
	if status, body := fetch(s.t, url); status != http.StatusNotFound {
		s.t.Errorf("%s: status %d, %d bytes", url, status, len(body))
	}
}

// requireServed requires that a link serves a JPEG of the photo's size.
func (s *site) requireServed(p bed.Photo) {
	s.t.Helper()
	status, body := fetch(s.t, p.URL)
	img, err := jpeg.DecodeConfig(bytes.NewReader(body))
	if status != http.StatusOK || err != nil || img.Width != p.Renditions[0].Width || img.Height != p.Renditions[0].Height {
		s.t.Errorf("%s: status %d, %+v, %v; the catalogue says %+v", p.URL, status, img, err, p)
	}
}

// Every photo that the catalogue lists is served. A withdrawn one answers 404, and is served
// again after a restore.
func TestServed(t *testing.T) {
	s := newSite(t)
	u := s.jobs("served", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.must(wire.Put("/job1/A/x.jpg", photo()))
	p := s.waitPhotos(u, "job1/A/x.jpg")["job1/A/x.jpg"]
	s.requireServed(p)
	if status, body := fetch(t, strings.TrimSuffix(p.URL, ".jpg")+"/thumb.jpg"); status != http.StatusOK || int64(len(body)) != p.Renditions[1].Bytes {
		t.Errorf("thumb: status %d, %d bytes", status, len(body))
	}
	for _, path := range []string{"/", "/" + p.Link, "/" + p.Link + "/", "/" + p.Link + "/huge.jpg", "/job1/A/x.jpg", "/" + strings.Repeat("0", 56) + ".jpg", "/../link.key"} {
		s.requireNotFound("http://" + s.Public + path)
	}
	s.must(wire.Remove("/job1/A/x.jpg"))
	s.waitPhotos(u)
	s.requireNotFound(p.URL)
	s.MustPicday("trash", "restore", u.Name, "job1/A/x.jpg")
	s.waitPhotos(u, "job1/A/x.jpg")
	s.requireServed(p)
	s.MustPicday("job", "activate", u.Name, "job1")
	s.requireServed(p)
}

func TestARotatedLink(t *testing.T) {
	s := newSite(t)
	u := s.portraits("rotated")
	s.must(u.ByKey().MustWire().Put(pictures(u)+"12.jpg", photo()))
	s.must(u.ByKey().MustWire().Put(pictures(u)+"13.jpg", photo()))
	at := u.Name + "/user-pictures/"
	before := s.waitPhotos(u, at+"12.jpg", at+"13.jpg")
	s.MustPicday("link", "rotate", u.Name, "12")
	after := s.photos(u)
	if after[at+"12.jpg"].Link == before[at+"12.jpg"].Link || after[at+"13.jpg"].Link != before[at+"13.jpg"].Link {
		t.Errorf("before: %+v\nafter: %+v", before, after)
	}
	s.requireNotFound(before[at+"12.jpg"].URL)
	s.requireServed(after[at+"12.jpg"])
	s.requireServed(after[at+"13.jpg"])
	for _, name := range []string{"12", at + "12.jpg", "user-pictures/12.jpg"} {
		if out := s.MustPicday("link", "show", u.Name, name); !strings.Contains(out, after[at+"12.jpg"].Link) {
			t.Errorf("link show %s: %s", name, out)
		}
	}
	if r := s.Picday("link", "show", u.Name, "99"); r.Code != 3 {
		t.Error(r)
	}
}

// verify finds files that are missing or were changed by others than picday.
func TestVerify(t *testing.T) {
	s := newSite(t)
	s.skipWithout("verify")
	u := s.jobs("verify", "job1")
	s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.verify()
	for path := range s.renditions() {
		data := readFile(t, path)
		s.damage(path, data[:len(data)-1])
		if r := s.Picday("verify"); r.Code != 1 {
			t.Errorf("%s is cut: %v", path, r)
		}
		s.damage(path, data)
	}
	for name := range s.originals() {
		path := s.Data + "/originals/" + name[:2] + "/" + name
		data := readFile(t, path)
		data[len(data)/2] ^= 1
		s.damage(path, data)
		if r := s.Picday("verify"); r.Code != 1 {
			t.Errorf("one bit of %s is wrong: %v", path, r)
		}
		data[len(data)/2] ^= 1
		s.damage(path, data)
	}
	s.verify()
}

// explain gives the state of every file and its reason.
func TestExplain(t *testing.T) {
	s := newSite(t)
	s.skipWithout("explain")
	u := s.jobs("explain", "job1")
	_, f := s.openSlow(u)
	_, err := f.Write(photo()[:100])
	s.must(err)
	wire := u.ByKey().MustWire()
	s.must(wire.Put("/job1/lost.jpg", photo()))
	s.must(wire.Put("/job1/A/x.jpg.filepart", photo()))
	s.uploadAndWait(u, "/job1/A/x.jpg")
	s.waitProblems(u, map[string]string{"job1/lost.jpg": "no-album"})
	for path, word := range map[string]string{
		"job1/A/x.jpg": s.photos(u)["job1/A/x.jpg"].SHA256, "job1/lost.jpg": "album", "job1/A/slow.jpg": "open", "job1/A/x.jpg.filepart": "temporary",
	} {
		if out := s.MustPicday("explain", path); !strings.Contains(out, word) {
			t.Errorf("explain %s does not say %q:\n%s", path, word, out)
		}
	}
	if r := s.Picday("explain", "job1/A/never.jpg"); r.Code != 3 {
		t.Error(r)
	}
}

// picdayd --check finds what would prevent it from working, and does not start.
func TestCheck(t *testing.T) {
	s := newSite(t)
	if out, err := s.DaemonCmd("--check").CombinedOutput(); err != nil {
		t.Errorf("--check beside a running daemon: %v\n%s", err, out)
	}
	s.EditConfig("rescan =", "rescann =")
	cmd := s.DaemonCmd("--check")
	if out, err := cmd.CombinedOutput(); err == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "rescann") {
		t.Errorf("--check of a misspelt key: %v\n%s", err, out)
	}
}

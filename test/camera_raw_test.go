package test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

// A RAW file with its JPEG in the same folder is no problem. A RAW file alone is one, whose
// message asks for the JPEG. The uploader's own receipt counts both.
func TestRAWBesideJPEG(t *testing.T) {
	s := newSite(t, bed.Options{Receipts: true})
	u := s.jobs("raw", "job1")
	wire, raw := u.ByKey().MustWire(), []byte("II*\x00 not a JPEG")
	s.must(wire.Mkdir("job1/A"))
	s.must(wire.Put("job1/A/IMG_1.CR2", raw))
	s.must(wire.Put("job1/A/IMG_2.CR2", raw))
	s.must(wire.Put("job1/A/IMG_2.xmp", []byte("<x/>")))
	s.waitProblems(u, map[string]string{"job1/A/IMG_1.CR2": "not-jpeg", "job1/A/IMG_2.CR2": "not-jpeg", "job1/A/IMG_2.xmp": "not-jpeg"})
	s.requireExplained("problem", "upload its JPEG too", "job1/A/IMG_2.CR2")
	s.must(wire.Put("job1/A/IMG_2.JPG", photo()))
	s.waitProblems(u, map[string]string{"job1/A/IMG_1.CR2": "not-jpeg"})
	s.requireExplained("ignored", "RAW beside JPEG called IMG_2", "job1/A/IMG_2.CR2")
	s.must(wire.Put("job1/A/IMG_2.nef", raw))
	s.Eventually("the later RAW file is set aside, too", func() (bool, any) {
		var all []explained
		s.JSON(&all, "explain", "job1/A/IMG_2.nef")
		return len(all) == 1 && all[0].State == "ignored", all
	})
	s.MustPicday("verify")
	s.must(wire.Remove("job1/A/IMG_2.JPG"))
	s.waitProblems(u, map[string]string{
		"job1/A/IMG_1.CR2": "not-jpeg", "job1/A/IMG_2.CR2": "not-jpeg", "job1/A/IMG_2.nef": "not-jpeg", "job1/A/IMG_2.xmp": "not-jpeg",
	})
	s.requireReceipts(u, wire)
}

// receipt reads the report for programs with the real client: the numbers by their names. It
// fails if it is not whole.
func (s *site) receipt(u *bed.Uploader, dir string) map[string]string {
	s.t.Helper()
	to := filepath.Join(s.Dir, "report.csv")
	if out := u.ByKey().SFTP("get " + dir + "/report.csv " + to); out.Err != nil {
		return nil
	}
	content, err := os.ReadFile(to)
	s.must(err)
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	if err != nil || len(rows) < 3 || rows[0][0] != "what" || rows[len(rows)-1][0] != "mark" || len(rows[len(rows)-1][4]) != 24 {
		s.t.Errorf("half a report (%v): %q", err, content)
		return nil
	}
	numbers := map[string]string{}
	for _, row := range rows[1:] {
		numbers[row[0]] = row[1]
	}
	return numbers
}

// requireReceipts: whoever reads the receipt while uploads run finds a whole one, at last one
// that says all; nobody but picdayd changes it; it is no upload; it goes when switched off.
func (s *site) requireReceipts(u *bed.Uploader, wire *bed.Wire) {
	s.t.Helper()
	school := s.portraits("school")
	uploaded := make(chan error, 1)
	go func() {
		for i := range 8 {
			if err := wire.Put(fmt.Sprintf("job1/A/IMG_2%d.JPG", i), photo()); err != nil {
				uploaded <- err
				return
			}
		}
		uploaded <- wire.Put("job1/A/IMG_2.JPG", photo())
	}()
	s.Eventually("the receipt says what came", func() (bool, any) {
		got := s.receipt(u, "/_picday/job1")
		return got["published"] == "9" && got["aside"] == "3" && got["problems"] == "1" && got["waiting"] == "0" && got["arrived"] == "13", got
	})
	s.must(<-uploaded)
	schools := "/" + school.Name + "/_picday"
	s.Eventually("a school has one", func() (bool, any) {
		got := s.receipt(school, schools)
		return got["published"] == "0", got
	})
	for login, dir := range map[*bed.Uploader]string{u: "/_picday", school: schools} {
		file := dir + "/report.txt"
		if login == u {
			file = dir + "/job1/report.txt"
		}
		for _, command := range []string{
			"put " + s.Local("mine.txt", []byte("mine")) + " " + file, "put " + s.Local("mine.txt", []byte("mine")) + " " + dir + "/mine.txt",
			"rm " + file, "rename " + file + " /other", "rename " + dir + " /other", "chmod 777 " + dir, "chmod 666 " + file, "mkdir " + dir + "/more", "rmdir " + dir,
		} {
			if out := login.ByKey().SFTP(command); out.Err == nil {
				s.t.Errorf("an uploader may %s", command)
			}
		}
		if out := login.ByKey().SFTP("get " + file + " " + filepath.Join(s.Dir, "report.txt")); out.Err != nil {
			s.t.Error(out.Err)
		}
	}
	if text := string(readFile(s.t, filepath.Join(s.Dir, "report.txt"))); !strings.Contains(text, "\r\n") {
		s.t.Errorf("%q", text)
	}
	s.rescan()
	for _, p := range s.problems(u) {
		if strings.Contains(p.Path, "_picday") {
			s.t.Errorf("the receipt is taken for an upload: %+v", p)
		}
	}
	s.MustPicday("verify")
	if r := s.Picday("doctor"); strings.Contains(r.Stdout+r.Stderr, "_picday") {
		s.t.Error(r)
	}
	if r := s.Picday("job", "add", u.Name, "_picday"); r.Code != 2 || !strings.Contains(r.Stderr, "uploaders find their receipts") {
		s.t.Error(r)
	}
	s.MustPicday("account", "remove", school.Name, "--keep")
	s.MustPicday("account", "add", school.Name, "--layout", "portraits")
	s.MustPicday("job", "activate", u.Name, "job1", "--with-problems")
	s.Eventually("a job on sale has none", func() (bool, any) {
		_, err := os.Lstat(u.Dir() + "/_picday/job1")
		return os.IsNotExist(err), err
	})
	s.daemon.Stop(syscall.SIGTERM)
	s.EditConfig("[receipts]\nenabled = true", "[receipts]\nenabled = false")
	s.daemon = s.StartDaemon()
	s.Eventually("they are gone when switched off", func() (bool, any) {
		_, one := os.Lstat(u.Dir() + "/_picday")
		_, two := os.Lstat(school.Dir() + "/" + school.Name + "/_picday")
		return os.IsNotExist(one) && os.IsNotExist(two), fmt.Sprint(one, two)
	})
}

package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"picday/internal/testbed"
)

type finding struct{ Check, Status, Message, Fix string }

// findings are doctor's that are not ok. To each World, the accounts of those
// beside it on this machine are strays.
func (s *site) findings() []finding {
	s.t.Helper()
	var all []finding
	if r := s.Picday("doctor", "--json"); json.Unmarshal([]byte(r.Stdout), &all) != nil {
		s.t.Fatal(r)
	}
	return slices.DeleteFunc(all, func(f finding) bool { return f.Status == "ok" || f.Check == "strays" || f.Check == "penalties" })
}

// A folder that somebody has moved away is told as that, once, and the fix does
// not cost the photos in it.
func TestDoctorFindsMissingFolders(t *testing.T) {
	s := newSite(t)
	studio, school := s.jobs("studio", "job1", "job2"), s.portraits("school")
	s.must(studio.ByKey().MustWire().Mkdir("/job1/A"))
	s.must(studio.ByKey().MustWire().Put("/job1/A/1.jpg", photo()))
	s.must(school.ByKey().MustWire().Put("/"+school.Name+"/user-pictures/7.jpg", photo()))
	s.waitPhotos(studio, "job1/A/1.jpg")
	s.waitPhotos(school, school.Name+"/user-pictures/7.jpg")
	for check, dir := range map[string]string{
		"account " + school.Name:         school.Dir(),
		"job " + studio.Name + "/job1":   studio.Dir() + "/job1",
		"account " + school.Name + " in": school.Dir() + "/" + school.Name + "/user-pictures",
	} {
		check = strings.TrimSuffix(check, " in")
		s.must(os.Rename(dir, s.Dir+"/away"))
		s.Picday("rescan", "--wait") // that above a tree something moves makes no event
		s.Eventually("picdayd misses "+dir, func() (bool, any) {
			out := s.MustPicday("status")
			return strings.Contains(out, "is not there or cannot be read") && !strings.Contains(out, "inotify"), out
		})
		found := s.findings()
		if len(found) != 1 || found[0].Check != check || found[0].Status != "fail" ||
			!strings.Contains(found[0].Message, dir+" is not there") || !strings.Contains(found[0].Fix, "bring the folder back") {
			t.Errorf("%s: %+v", dir, found)
		}
		s.must(os.Rename(s.Dir+"/away", dir))
		s.Eventually("doctor is content again", func() (bool, any) {
			found := s.findings()
			return len(found) == 0, found
		})
	}
	s.remains(studio, "job1/A/1.jpg")
	s.remains(school, school.Name+"/user-pictures/7.jpg")

	s.MustPicday("account", "disable", school.Name)
	if out := s.MustPicday("doctor"); !strings.Contains(out, "closed as it should be") {
		t.Error(out)
	}
}

// The Unix user of an account is gone: doctor's commands make it anew, and
// everything that was known of its files is still known.
func TestDoctorBringsAnAccountBack(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school", "--id-pattern", "[a-f]{2}", "--allow-from", "127.0.0.0/8", "--allow-from", "::1")
	at := u.Name + "/user-pictures/"
	s.must(u.ByKey().MustWire().Put("/"+at+"ab.jpg", photo()))
	s.must(u.ByKey().MustWire().Put("/"+at+"holiday.jpg", photo()))
	link := s.waitPhotos(u, at+"ab.jpg")[at+"ab.jpg"].Link
	before := s.waitProblems(u, map[string]string{at + "holiday.jpg": "bad-name"})[at+"holiday.jpg"]
	if out, err := exec.Command("userdel", u.Name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found := s.findings()
	if len(found) != 1 || !strings.Contains(found[0].Message, "no Unix user "+u.Name) {
		t.Fatalf("%+v", found)
	}
	for command := range strings.SplitSeq(found[0].Fix, "; ") {
		words := strings.Fields(strings.ReplaceAll(command, "'", ""))
		s.MustPicday(words[1:]...)
	}
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	if p := s.photos(u)[at+"ab.jpg"]; p.Link != link {
		t.Errorf("%+v", p)
	}
	after := s.problems(u)[at+"holiday.jpg"]
	if after.Reason != "bad-name" || !after.DeleteAfter.After(*before.DeleteAfter) {
		t.Errorf("the stray was %+v, is %+v", before, after)
	}
	var accounts []testbed.Account
	s.JSON(&accounts, "account", "list")
	if len(accounts) != 1 || len(accounts[0].AllowFrom) != 2 {
		t.Errorf("%+v", accounts)
	}
}

// What is wrong in a job that has left SFTP cannot be mended there.
func TestProblemOfAnActiveJob(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	s.must(u.ByKey().MustWire().Put("/job1/1.jpg", photo()))
	p := s.waitProblems(u, map[string]string{"job1/1.jpg": "no-album"})["job1/1.jpg"]
	s.MustPicday("job", "activate", u.Name, "job1")
	for where, text := range map[string]string{
		"problems": s.problems(u)["job1/1.jpg"].Message,
		"explain":  strings.ReplaceAll(s.MustPicday("explain", "job1/1.jpg"), "\n", " "),
	} {
		if !strings.Contains(text, p.Message) || !strings.Contains(text, "planned again") {
			t.Errorf("%s: %s", where, text)
		}
	}
}

// Log-ins that would see nothing any more are named when they go.
func TestLogInsOfARemovedAccount(t *testing.T) {
	s := newSite(t)
	u := s.portraits("school")
	s.MustPicday("operator", "add", "eva", "--account", u.Name)
	s.MustPicday("operator", "add", "otto")
	s.MustPicday("token", "add", "till", "--account", u.Name)
	r := s.Picday("account", "remove", u.Name, "--files")
	if r.Code != 0 || !strings.Contains(r.Stderr, "operator eva") || !strings.Contains(r.Stderr, "token till") || strings.Contains(r.Stderr, "otto") {
		t.Error(r)
	}
}

// follow does what a fix says, up to what is said about it in brackets.
func (s *site) follow(f finding) {
	s.t.Helper()
	commands, _, _ := strings.Cut(f.Fix, " (")
	for command := range strings.SplitSeq(commands, "; ") {
		words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(command, "'", ""), "OTHER", s.Name("other")))
		if words[0] == "picday" {
			s.MustPicday(words[1:]...)
		} else if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			s.t.Errorf("%s: %v: %s", command, err, out)
		}
	}
}

// Somebody has made a Unix user with an account's name: the fix can be done as
// it is written. And no fix lets an account in that was disabled.
func TestDoctorOnAStrangersUser(t *testing.T) {
	s := newSite(t)
	for _, enabled := range []bool{true, false} {
		u := s.jobs(map[bool]string{true: "studio", false: "former"}[enabled], "job1")
		if !enabled {
			s.MustPicday("account", "disable", u.Name)
		}
		for what, stranger := range map[string]bool{"gone": false, "a stranger's": true} {
			if out, err := exec.Command("userdel", u.Name).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if stranger {
				s.AddUnixUser(strings.TrimSuffix(u.Name, s.Name("")))
			}
			found := s.findings()
			if len(found) != 1 {
				t.Fatalf("%s: %+v", what, found)
			}
			s.follow(found[0])
			if found := s.findings(); len(found) > 0 {
				t.Errorf("%s: %+v", what, found)
			}
			if out := s.MustPicday("account", "show", u.Name); strings.Contains(out, "account enable") == enabled {
				t.Errorf("%s, enabled %v: %s", what, enabled, out)
			}
			if stranger {
				s.must(exec.Command("userdel", s.Name("other")).Run())
				_ = exec.Command("groupdel", s.Name("other")).Run()
			}
		}
	}
}

// With a catalogue that cannot be read, no account is known: none may then be
// called a stranger whom the fix lets out of its jail.
func TestDoctorWithoutACatalogue(t *testing.T) {
	s := newQuietSite(t)
	u := s.jobs("studio", "job1")
	s.must(os.WriteFile(s.Data+"/catalogue.sqlite", []byte("not a catalogue, and long enough for SQLite to see it: "+strings.Repeat("x", 200)), 0o600))
	var all []finding
	r := s.Picday("doctor", "--json")
	s.must(json.Unmarshal([]byte(r.Stdout), &all))
	for _, f := range all {
		if f.Check == "catalogue" && f.Status == "fail" {
			continue
		}
		if strings.Contains(f.Message+f.Fix, u.Name) || f.Check == "drop-in" && f.Status != "ok" || f.Check == "strays" {
			t.Errorf("%+v", f)
		}
	}
	if r.Code != 1 {
		t.Error(r)
	}
	// Nor with another catalogue, which does not know it.
	s.must(os.Remove(s.Data + "/catalogue.sqlite"))
	s.MustPicday("init", "--new-volume")
	r = s.Picday("doctor", "--json")
	s.must(json.Unmarshal([]byte(r.Stdout), &all))
	at := slices.IndexFunc(all, func(f finding) bool { return f.Check == "strays" && strings.Contains(f.Message, "user "+u.Name) })
	if at < 0 || strings.Contains(all[at].Fix, "gpasswd") || !strings.Contains(all[at].Fix, "picday account add "+u.Name) {
		t.Fatal(r)
	}
	s.must(os.Remove(u.Dir() + "/job1"))
	s.MustPicday("account", "add", u.Name, "--layout", "jobs")
	if found := s.findings(); len(found) != 1 || found[0].Check != "picdayd" {
		t.Errorf("%+v", found)
	}
}

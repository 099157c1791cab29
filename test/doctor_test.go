package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

type finding struct{ Check, Status, Message, Fix string }

// findings returns doctor's findings that are not ok. It leaves out the accounts of parallel
// Worlds on this machine, which doctor calls strays.
func (s *site) findings() []finding {
	s.t.Helper()
	var all []finding
	if r := s.Picday("doctor", "--json"); json.Unmarshal([]byte(r.Stdout), &all) != nil {
		s.t.Fatal(r)
	}
	return slices.DeleteFunc(all, func(f finding) bool { return f.Status == "ok" || f.Check == "strays" || f.Check == "penalties" })
}

// Doctor reports a folder that was moved away once, and its fix loses no photo of it.
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
		s.Picday("rescan", "--wait") // a rename above an account's tree causes no event
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
	s.requireStillPublished(studio, "job1/A/1.jpg")
	s.requireStillPublished(school, school.Name+"/user-pictures/7.jpg")

	s.MustPicday("account", "disable", school.Name)
	if out := s.MustPicday("doctor"); !strings.Contains(out, "closed as it should be") {
		t.Error(out)
	}
}

// If the Unix user of an account is missing, doctor's commands create it again, and no photo
// or link changes.
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
	var accounts []bed.Account
	s.JSON(&accounts, "account", "list")
	if len(accounts) != 1 || len(accounts[0].AllowFrom) != 2 {
		t.Errorf("%+v", accounts)
	}
}

// The message of a problem in an active job says that it cannot be solved over SFTP.
func TestProblemOfAnActiveJob(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	s.must(u.ByKey().MustWire().Put("/job1/1.jpg", photo()))
	p := s.waitProblems(u, map[string]string{"job1/1.jpg": "no-album"})["job1/1.jpg"]
	s.MustPicday("job", "activate", u.Name, "job1", "--with-problems")
	for where, text := range map[string]string{
		"problems": s.problems(u)["job1/1.jpg"].Message,
		"explain":  strings.ReplaceAll(s.MustPicday("explain", "job1/1.jpg"), "\n", " "),
	} {
		if !strings.Contains(text, p.Message) || !strings.Contains(text, "planned again") {
			t.Errorf("%s: %s", where, text)
		}
	}
}

// Removing an account names the operators and tokens that are removed with it.
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

// follow runs the commands of a fix, without the remark in brackets.
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

// If somebody has created a Unix user with an account's name, the commands of doctor's fix
// work. No fix enables a disabled account.
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

// While the catalogue cannot be read, doctor knows no account. It must not call the Unix
// users in the jailed group strays, because that fix would release them from the jail.
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
	// With a new catalogue, which does not have the account, its Unix user is a stray, but
	// the fix must not release it from the jail either.
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

package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// requireErrorMessage requires that a command's error is a sentence on stderr: no dump, no panic, no bare
// errno, nothing on stdout.
func requireErrorMessage(t *testing.T, r bed.Result) {
	t.Helper()
	if strings.TrimSpace(r.Stderr) == "" || strings.TrimSpace(r.Stdout) != "" {
		t.Errorf("a refusal belongs on stderr, with words: %v", r)
	}
	for _, bad := range []string{"panic", "goroutine", "%!", "<nil>", "SQL logic", "constraint", "0x", ".go:"} {
		if strings.Contains(r.Stderr, bad) {
			t.Errorf("%q in what a user reads: %v", bad, r)
		}
	}
	if !strings.HasPrefix(r.Stderr, "picday: ") {
		t.Errorf("not in picday's voice: %v", r)
	}
}

func TestRefusals(t *testing.T) {
	s := newSite(t)
	jobs, school := s.jobs("cli", "job1"), s.portraits("clischool")
	s.must(jobs.ByKey().MustWire().Mkdir("/job1/A"))
	s.uploadAndWait(jobs, "/job1/A/x.jpg")
	garbage := s.Local("garbage.pub", []byte("ssh-ed25519 nonsense\n"))
	long := strings.Repeat("n", 32)
	for _, c := range []struct {
		code int
		args []string
	}{
		{2, []string{"frobnicate"}},
		{2, []string{"account", "frobnicate"}},
		{2, []string{"photos", "--frobnicate"}},
		{2, []string{"photos", jobs.Name, "more"}},
		{2, []string{"photos", jobs.Name, "--area", "elsewhere"}},
		{2, []string{"account", "add"}},
		{2, []string{"account", "add", s.Name("x")}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "albums"}},
		{2, []string{"account", "add", "Upper", "--layout", "jobs"}},
		{2, []string{"account", "add", long, "--layout", "jobs"}},
		{2, []string{"account", "add", "a/../b", "--layout", "jobs"}},
		{2, []string{"account", "add", "-x", "--layout", "jobs"}},
		{2, []string{"account", "add", "", "--layout", "jobs"}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--allow-from", "everywhere"}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--allow-from", "300.1.1.1/8"}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--key", s.Dir + "/missing"}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--key", garbage}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--key", jobs.Key}}, // a private key
		{2, []string{"account", "add", s.Name("x"), "--layout", "portraits", "--id-pattern", "[0-9"}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--no-password"}},
		{2, []string{"account", "add", s.Name("x"), "--layout", "jobs", "--password-stdin"}}, // stdin is empty
		{1, []string{"account", "add", jobs.Name, "--layout", "jobs"}},
		{3, []string{"account", "show", "nobody-here"}},
		{3, []string{"account", "card", "nobody-here"}},
		{3, []string{"account", "allow", "nobody-here"}},
		{2, []string{"account", "allow", jobs.Name, "10.0.0.0/64"}},
		{3, []string{"account", "passwd", "nobody-here"}},
		{3, []string{"account", "key", "nobody-here", jobs.Key + ".pub"}},
		{2, []string{"account", "key", jobs.Name, garbage}},
		{3, []string{"account", "disable", "nobody-here"}},
		{3, []string{"account", "enable", "nobody-here"}},
		{3, []string{"account", "remove", "nobody-here"}},
		{4, []string{"account", "remove", jobs.Name}},
		{2, []string{"account", "card", jobs.Name, "--format", "floppy"}},
		{3, []string{"job", "add", "nobody-here", "job1"}},
		{2, []string{"job", "add", school.Name, "job1"}},
		{2, []string{"job", "add", jobs.Name}},
		{2, []string{"job", "add", jobs.Name, "../escape"}},
		{2, []string{"job", "add", jobs.Name, ".."}},
		{2, []string{"job", "add", jobs.Name, ".hidden"}},
		{2, []string{"job", "add", jobs.Name, "new\nline"}},
		{2, []string{"job", "add", jobs.Name, strings.Repeat("x", 256)}},
		{3, []string{"job", "list", "nobody-here"}},
		{3, []string{"job", "activate", jobs.Name, "job9"}},
		{3, []string{"job", "plan", jobs.Name, "job9"}},
		{2, []string{"job", "activate", jobs.Name, "job1", "--wait", "soon"}},
		{2, []string{"job", "activate", jobs.Name, "job1", "--wait", "-1s"}},
		{3, []string{"photos", "nobody-here"}},
		{3, []string{"photos", jobs.Name, "--job", "job9"}},
		{3, []string{"photos", "--job", "job9"}},
		{4, []string{"trash", "empty"}},
		{2, []string{"trash", "empty", jobs.Name, "--all"}},
		{2, []string{"trash", "restore", jobs.Name, "job1", "--since", "tomorrow"}},
		{3, []string{"problems", "nobody-here"}},
		{3, []string{"trash", "list", "nobody-here"}},
		{3, []string{"trash", "restore", "nobody-here", "x.jpg"}},
		{3, []string{"trash", "restore", jobs.Name, "job1/A/x.jpg"}}, // it is not in the trash
		{3, []string{"trash", "empty", "nobody-here"}},
		{3, []string{"rescan", "nobody-here"}},
	} {
		r := s.Picday(c.args...)
		if r.Code != c.code {
			t.Errorf("want exit status %d: %v", c.code, r)
		}
		requireErrorMessage(t, r)
	}
	// None of these commands changed anything.
	var accounts []bed.Account
	s.JSON(&accounts, "account", "list")
	if len(accounts) != 2 {
		t.Errorf("accounts: %+v", accounts)
	}
	if r := s.Picday("doctor"); r.Code != 0 {
		t.Error(r)
	}
	s.waitPhotos(jobs, "job1/A/x.jpg")
}

// The errors for too few and for too many arguments differ, and name the arguments.
func TestWrongNumberOfWords(t *testing.T) {
	s := newQuietSite(t)
	for line, says := range map[string]string{
		"account show": "NAME is missing", "account key x": "FILE is missing", "job add acme": "JOB is missing",
		"init x": `"x" is one word too many`, "job activate acme Summer camp": `"camp" is one word too many; put quotes`,
		"photos a b": "usage: picday photos [ACCOUNT]",
	} {
		r := s.Picday(strings.Fields(line)...)
		if r.Code != 2 || !strings.Contains(r.Stderr, says) {
			t.Errorf("want %q: %v", says, r)
		}
		requireErrorMessage(t, r)
	}
}

func TestConfigurationErrors(t *testing.T) {
	s := newSite(t)
	for what, c := range map[string]struct{ text, says string }{
		"unknown key":  {"upload_dir = \"/srv/x\"\n[upload]\nsetle = \"1s\"\n", "line 3"},
		"bad duration": {"[upload]\nsettle = \"soon\"\n", "line 2"},
		"not TOML":     {"upload_dir = /srv\n", "line 1"},
		"nested dirs":  {"upload_dir = \"/srv/a\"\ndata_dir = \"/srv/a/b\"\n", "data_dir"},
	} {
		file := s.Local("bad.toml", []byte(c.text))
		cmd := s.PicdayCmd("status")
		cmd.Args = []string{cmd.Args[0], "--config", file, "status"}
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), c.says) || !strings.Contains(string(out), file) {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
	if r := s.Picday("--config", s.Dir+"/none.toml", "status"); r.Code != 2 || !strings.Contains(r.Stderr, "none.toml") {
		t.Errorf("a configuration that is not there: %v", r)
	}
}

// Empty lists are lists in JSON too, and output that is not a terminal has no colours.
func TestEmptyLists(t *testing.T) {
	s := newSite(t)
	for _, args := range [][]string{{"account", "list"}, {"job", "list"}, {"photos"}, {"problems"}, {"trash", "list"}} {
		var list []json.RawMessage
		s.JSON(&list, args...)
		if len(list) != 0 || strings.TrimSpace(s.MustPicday(append(args, "--json")...)) != "[]" {
			t.Errorf("picday %v --json: %v", args, list)
		}
		if r := s.Picday(args...); r.Code != 0 || strings.Contains(r.Stdout+r.Stderr, "\x1b") {
			t.Error(r)
		}
	}
	for _, args := range [][]string{{"--version"}, {"--help"}, {"account", "--help"}, {"job", "activate", "--help"}} {
		if r := s.Picday(args...); r.Code != 0 || r.Stdout == "" || r.Stderr != "" {
			t.Error(r)
		}
	}
}

// A user who may not read the catalogue is told so, and sees nothing of it.
func TestOtherUsersReadNothing(t *testing.T) {
	s := newSite(t)
	u, plain := s.jobs("private", "job1"), s.AddUnixUser("nosy")
	for _, args := range [][]string{{"photos"}, {"account", "list"}, {"status"}, {"init"}, {"job", "add", u.Name, "job2"}} {
		r := s.PicdayAs(plain.User, args...)
		if r.Code == 0 || strings.Contains(r.Stdout, u.Name) {
			t.Errorf("as %s: %v", plain.User, r)
		}
		requireErrorMessage(t, r)
	}
	if out, err := exec.Command("usermod", "-aG", "picday", plain.User).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, reader := range []string{"picday", plain.User} {
		for _, args := range [][]string{{"photos"}, {"problems", "--json"}, {"status"}, {"account", "list"}, {"job", "list"}, {"trash", "list"}} {
			if r := s.PicdayAs(reader, args...); r.Code != 0 {
				t.Errorf("as %s, who is in the group: %v", reader, r)
			}
		}
	}
	for _, args := range [][]string{{"job", "add", u.Name, "job2"}, {"operator", "add", "eva"}, {"token", "remove", "till"}} {
		if r := s.PicdayAs(plain.User, args...); r.Code == 0 || !strings.Contains(r.Stderr, "needs root") {
			t.Errorf("a reader changes something, or is not told why not: %v", r)
		}
	}
}

func TestAccountRemove(t *testing.T) {
	s := newSite(t)
	kept, gone := s.jobs("kept", "job1"), s.jobs("gone", "job1")
	for _, u := range []*bed.Uploader{kept, gone} {
		s.must(u.ByKey().MustWire().Mkdir("/job1/A"))
		s.uploadAndWait(u, "/job1/A/x.jpg")
	}
	live := gone.ByKey().MustWire()
	s.MustPicday("account", "remove", kept.Name, "--keep")
	if _, err := os.Stat(kept.Dir() + "/job1/A/x.jpg"); err != nil {
		t.Error("--keep:", err)
	}
	if out := kept.ByKey().SFTP("ls"); out.Err == nil {
		t.Error("a removed account gets in")
	}
	s.MustPicday("account", "remove", gone.Name, "--files")
	if _, err := os.Stat(gone.Dir()); err == nil {
		t.Error("--files leaves the tree")
	}
	s.Eventually("its session ends", func() (bool, any) {
		_, err := live.List("/")
		return err != nil, err
	})
	if r := s.Picday("account", "show", gone.Name); r.Code != 3 {
		t.Error(r)
	}
	// The name can be used again.
	again := s.jobs("gone", "job1")
	s.must(again.ByKey().MustWire().Mkdir("/job1/B"))
	s.uploadAndWait(again, "/job1/B/y.jpg")
	s.waitPhotos(again, "job1/B/y.jpg")
	if r := s.Picday("doctor"); r.Code != 0 {
		t.Error(r)
	}
}

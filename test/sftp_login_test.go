package test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

func TestBothLayoutsByPasswordAndByKey(t *testing.T) {
	s := newSite(t)
	studio, school := s.jobs("studio", "job00001"), s.portraits("school")
	for _, c := range []struct {
		u           *bed.Uploader
		start, dir  string
		key, passwd string
	}{
		{studio, "/", "/job00001/Class 1", "by key.jpg", "by password.jpg"},
		{school, "/" + school.Name, "/" + school.Name + "/user-pictures", "0012.jpg", "12.jpg"},
	} {
		for name, login := range map[string]bed.Login{c.key: c.u.ByKey(), c.passwd: c.u.ByPassword()} {
			wire := login.MustWire()
			if dir, err := wire.Getwd(); dir != c.start || err != nil {
				t.Errorf("%s lands in %q, %v; want %q", c.u.Name, dir, err, c.start)
			}
			if !wire.Exists(c.dir) {
				s.must(wire.Mkdir(c.dir))
			}
			s.must(wire.Put(c.dir+"/"+name, photo()))
			wire.Cut()
		}
		s.waitPhotos(c.u, strings.TrimPrefix(c.dir, "/")+"/"+c.key, strings.TrimPrefix(c.dir, "/")+"/"+c.passwd)
		if c.u.Card.StartDir != c.start || c.u.Card.User != c.u.Name || c.u.Card.Port != s.Port || len(c.u.Card.HostKeys) == 0 {
			t.Errorf("the card says %+v", c.u.Card)
		}
	}
	for path, p := range s.photos(studio) {
		if p.Job != "job00001" || p.Album != "Class 1" || p.Area != "individuals" || p.Person != "" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	for path, p := range s.photos(school) {
		if p.Person+".jpg" != p.File || p.Job+p.Album+p.Area != "" {
			t.Errorf("%s: %+v", path, p)
		}
	}
}

func TestTheJailHolds(t *testing.T) {
	s := newSite(t)
	u, other := s.jobs("inside", "job1"), s.jobs("other", "job1")
	s.must(os.WriteFile(s.Dir+"/secret", []byte("secret"), 0o644))
	s.must(u.Symlink("../../../../secret", "/job1/a"))
	s.must(u.Symlink(other.Dir(), "/job1/b"))
	anna, stranger := u.AddLogin("anna"), other.AddLogin("stranger")
	for _, wire := range []*bed.Wire{u.ByKey().MustWire(), anna.ByKey().MustWire(), anna.ByPassword().MustWire()} {
		s.jailed(wire, u, other)
	}
	if out := other.ByKey().SFTP("ls"); out.Err != nil {
		t.Error("the other account:", out.Err)
	}
	for _, l := range []bed.Login{s.Login(other.Name, "", u.Key), s.Login(stranger.Name, "", anna.Key), s.Login(stranger.Name, "", u.Key), s.Login(u.Name, "", anna.Key), s.Login(anna.Name, "", u.Key)} {
		if out := l.SFTP("ls"); out.Err == nil {
			t.Errorf("another one's key opens %s", l.User)
		}
	}
}

// jailed requires that a session of u's, by whatever name, sees its jail and nothing else.
func (s *site) jailed(wire *bed.Wire, u, other *bed.Uploader) {
	t := s.t
	t.Helper()
	root, err := wire.List("/../../../..")
	s.must(err)
	if len(root) != 1 || root[0] != "job1" {
		t.Errorf("the top of the view holds %q", root)
	}
	for _, path := range []string{s.Dir + "/secret", "/../../secret", "/../" + other.Name, "/etc/passwd", other.Dir()} {
		if wire.Exists(path) {
			t.Errorf("%s can be seen", path)
		}
	}
	if wire.Symlink("../../../../secret", "/job1/c") == nil {
		t.Error("a link can be made")
	}
	if wire.Exists("/job1/a") || wire.Exists("/job1/b/job1") {
		t.Error("a symbolic link leads out")
	}
	for what, err := range map[string]error{
		"make a job":       wire.Mkdir("/job2"),
		"rename a job":     wire.PosixRename("/job1", "/job9"),
		"remove a job":     wire.Rmdir("/job1"),
		"chmod the jail":   wire.Chmod("/", 0o777),
		"write at the top": wire.Put("/x.jpg", photo()),
	} {
		if err == nil {
			t.Errorf("the uploader can %s", what)
		}
	}
	if _, err := os.Stat(u.Dir() + "/job2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("job2: %v", err)
	}
}

func TestNothingButSFTP(t *testing.T) {
	s := newSite(t)
	u, plain := s.jobs("only", "job1"), s.AddUnixUser("plain")
	sshd := fmt.Sprintf("127.0.0.1:%d", s.Port) // a port that answers
	for name, login := range map[string]bed.Login{"key": u.ByKey(), "password": u.ByPassword(), "the key of a log-in": u.AddLogin("anna").ByKey()} {
		for what, args := range map[string][]string{
			"shell":             {"127.0.0.1"},
			"exec":              {"127.0.0.1", "echo", "MARK"},
			"terminal":          {"-tt", "127.0.0.1", "echo", "MARK"},
			"scp of old":        {"127.0.0.1", "scp", "-t", "/job1"},
			"forwarding -L, -D": {"-W", sshd, "127.0.0.1"},
			"forwarding -R":     {"-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9", "127.0.0.1"},
			"a forwarded path":  {"-N", "-o", "ExitOnForwardFailure=yes", "-R", "/tmp/sock:127.0.0.1:9", "127.0.0.1"},
			"a tunnel":          {"-N", "-o", "ExitOnForwardFailure=yes", "-w", "any:any", "127.0.0.1"},
		} {
			cmd := login.SSH(args...)
			cmd.Stdin = strings.NewReader("echo MARK\n")
			out, err := cmd.CombinedOutput()
			if err == nil && what != "shell" && what != "exec" && what != "scp of old" || strings.Contains(string(out), "MARK") {
				t.Errorf("%s by %s: %v\n%s", what, name, err, out)
			}
		}
		if out := login.SCP("-O", s.Local("old.jpg", photo()), "127.0.0.1:/job1/old.jpg"); out.Err == nil {
			t.Errorf("by %s the old scp protocol is served", name)
		}
		if out := login.SFTP("ls /"); out.Err != nil {
			t.Errorf("and SFTP by %s: %v", name, out.Err)
		}
	}
	if out := plain.Exec("echo", "MARK"); out.Err != nil || !strings.Contains(out.Text, "MARK") {
		t.Errorf("an ordinary user of the machine: %v", out)
	}
	if out, err := plain.SSH("-W", sshd, "127.0.0.1").CombinedOutput(); !strings.Contains(string(out), "SSH-2.0") {
		t.Errorf("an ordinary user cannot forward any more: %v\n%s", err, out)
	}
}

func TestAllowlist(t *testing.T) {
	s := newSite(t)
	u := s.jobs("fenced", "job1")
	try := func(allowed ...string) {
		t.Helper()
		s.MustPicday(append([]string{"account", "allow", u.Name}, allowed...)...)
		from := []string{"127.0.0.1", "127.0.0.2"}
		if bed.HasIPv6() {
			from = append(from, "::1")
		}
		for _, address := range from {
			want := len(allowed) == 0
			for _, cidr := range allowed {
				want = want || strings.HasPrefix(cidr, address+"/")
			}
			for how, login := range map[string]bed.Login{"key": u.ByKey(), "password": u.ByPassword()} {
				if out := login.FromAddress(address).SFTP("ls"); (out.Err == nil) != want {
					t.Errorf("allowed %q, from %s by %s: %v", allowed, address, how, out.Err)
				}
			}
		}
	}
	try("127.0.0.2/32")
	try("::1/128")
	try("127.0.0.1/32", "127.0.0.2/32")
	try()
	plain := s.AddUnixUser("plain")
	s.MustPicday("account", "allow", u.Name, "192.0.2.0/24")
	if out := plain.Exec("true"); out.Err != nil {
		t.Error("an ordinary user of the machine:", out.Err)
	}
	if out := u.ByKey().FromAddress("127.0.0.2").Exec("true"); out.Err == nil {
		t.Error("an address outside the list gets in")
	}
}

func TestDisableEndsSessions(t *testing.T) {
	s := newSite(t)
	u, other := s.jobs("gone", "job1"), s.jobs("stays", "job1")
	sessions := []*bed.Wire{u.ByKey().MustWire(), u.ByPassword().MustWire()}
	bystander := other.ByKey().MustWire()

	s.MustPicday("account", "disable", u.Name)
	s.Eventually("live sessions end", func() (bool, any) {
		for i, w := range sessions {
			select {
			case <-w.Done():
			default:
				return false, i
			}
		}
		return true, nil
	})
	for how, login := range map[string]bed.Login{"key": u.ByKey(), "password": u.ByPassword()} {
		if out := login.SFTP("ls"); out.Err == nil {
			t.Errorf("a disabled account gets in by %s", how)
		}
	}
	if _, err := bystander.List("/job1"); err != nil {
		t.Errorf("another account's session: %v", err)
	}

	s.MustPicday("account", "enable", u.Name)
	for how, login := range map[string]bed.Login{"key": u.ByKey(), "password": u.ByPassword()} {
		if out := login.SFTP("ls"); out.Err != nil {
			t.Errorf("enabled again, by %s: %v", how, out.Err)
		}
	}
}

func TestUnixUsersOfOthersAreNotAdopted(t *testing.T) {
	s := newSite(t)
	plain := s.AddUnixUser("theirs")
	before, _ := os.ReadFile("/etc/passwd")
	for _, name := range []string{plain.User, "root", "daemon", "sshd", "picday"} {
		r := s.Picday("account", "add", name, "--layout", "jobs")
		if r.Code == 0 || r.Stderr == "" {
			t.Errorf("adopted: %v", r)
		}
		if r := s.Picday("account", "remove", name, "--files"); r.Code != 3 {
			t.Errorf("removing what is not an account: %v", r)
		}
	}
	after, _ := os.ReadFile("/etc/passwd")
	for _, line := range strings.Split(string(before), "\n") {
		// Skip picday's own users, which belong to parallel tests.
		if !strings.Contains(line, ":picday account (") && !strings.Contains(line, ":picday login of ") && !strings.Contains(string(after), line) {
			t.Errorf("gone from /etc/passwd: %s", line)
		}
	}
	if out := plain.Exec("true"); out.Err != nil {
		t.Error("the ordinary user:", out.Err)
	}
}

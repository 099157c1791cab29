package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// requireLogin fails unless every one of these gets in, or none.
func (s *site) requireLogin(want bool, logins ...bed.Login) {
	s.t.Helper()
	for _, l := range logins {
		if out := l.SFTP("ls"); (out.Err == nil) != want {
			s.t.Errorf("%s (key %q) gets in: %v", l.User, filepath.Base(l.Key), out.Err)
		}
	}
}

// waitSessionsEnd waits until these sessions have ended.
func (s *site) waitSessionsEnd(sessions ...*bed.Wire) {
	s.t.Helper()
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
}

// Two freelancers of one studio work at the same time: they see the same jobs, one
// overwrites, renames and deletes what the other has uploaded, and the one who is
// removed in the middle of an upload leaves alone. What she has uploaded stays.
func TestTwoFreelancersOfOneStudio(t *testing.T) {
	s := newSite(t)
	studio, other := s.jobs("studio", "job1"), s.jobs("other", "job1")
	anna, bert := studio.AddLogin("anna"), studio.AddLogin("bert")
	a, b, own := anna.ByKey().MustWire(), bert.ByPassword().MustWire(), studio.ByKey().MustWire()
	s.must(a.Mkdir("/job1/A"))
	for _, name := range []string{"kept", "overwritten", "renamed", "deleted"} {
		s.must(a.Put("/job1/A/"+name+".jpg", photo()))
	}
	s.must(a.Chmod("/job1/A", 0o700)) // the others must have access whatever modes her client sets
	s.must(a.Chmod("/job1/A/overwritten.jpg", 0o600))
	before := s.waitPhotos(studio, "job1/A/kept.jpg", "job1/A/overwritten.jpg", "job1/A/renamed.jpg", "job1/A/deleted.jpg")
	s.must(b.Put("/job1/A/overwritten.jpg", photo()))
	s.must(b.Rename("/job1/A/renamed.jpg", "/job1/A/by bert.jpg"))
	s.must(own.Remove("/job1/A/deleted.jpg"))
	after := s.waitPhotos(studio, "job1/A/kept.jpg", "job1/A/overwritten.jpg", "job1/A/by bert.jpg")
	s.Eventually("the new picture is shown", func() (bool, any) {
		after = s.photos(studio)
		p := after["job1/A/overwritten.jpg"]
		return p.SHA256 != before["job1/A/overwritten.jpg"].SHA256, p
	})
	if after["job1/A/by bert.jpg"].SHA256 != before["job1/A/renamed.jpg"].SHA256 {
		t.Error("another picture under the new name")
	}
	if out := anna.ByPassword().SFTP("ls /"); out.Err != nil || !strings.Contains(out.Text, "job1") {
		t.Error(out)
	}

	half, err := a.Open("/job1/A/half.jpg", bed.Write|bed.Create)
	s.must(err)
	data := photo()
	_, err = half.Write(data[:len(data)/2])
	s.must(err)
	bystander, mine := other.ByKey().MustWire(), anna.ByPassword().MustWire()
	going, err := b.Open("/job1/A/going on.jpg", bed.Write|bed.Create)
	s.must(err)
	_, err = going.Write(data[:100])
	s.must(err)
	s.MustPicday("account", "login", "remove", studio.Name, anna.Name)
	s.waitSessionsEnd(a, mine)
	_, err = going.Write(data[100:])
	s.must(err)
	s.must(going.Close())
	for who, w := range map[string]*bed.Wire{"the other freelancer": b, "the studio": own} {
		if _, err := w.List("/job1/A"); err != nil {
			t.Errorf("the session of %s: %v", who, err)
		}
	}
	if _, err := bystander.List("/job1"); err != nil {
		t.Errorf("another account's session: %v", err)
	}
	s.requireLogin(false, anna.ByKey(), anna.ByPassword())
	s.requireLogin(true, bert.ByKey(), bert.ByPassword(), studio.ByKey(), studio.ByPassword())
	s.waitPhotos(studio, "job1/A/kept.jpg", "job1/A/overwritten.jpg", "job1/A/by bert.jpg", "job1/A/going on.jpg")
	if fi, err := os.Stat(studio.Dir() + "/job1/A/half.jpg"); err != nil || fi.Size() != int64(len(data)/2) {
		t.Errorf("what she had uploaded of the last one: %v", err)
	}
	// The others continue with it.
	s.must(b.Put("/job1/A/half.jpg", data))
	s.waitPhotos(studio, "job1/A/kept.jpg", "job1/A/overwritten.jpg", "job1/A/by bert.jpg", "job1/A/going on.jpg", "job1/A/half.jpg")
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// A log-in is closed and opened with its account, comes from where the account may,
// and has secrets of its own.
func TestALoginFollowsItsAccount(t *testing.T) {
	s := newSite(t)
	school := s.portraits("school")
	zoe := school.AddLogin("zoe")
	both := []bed.Login{zoe.ByKey(), zoe.ByPassword()}
	s.MustPicday("account", "allow", school.Name, "127.0.0.2")
	s.requireLogin(false, both...)
	s.requireLogin(true, both[0].FromAddress("127.0.0.2"), both[1].FromAddress("127.0.0.2"))
	s.MustPicday("account", "allow", school.Name)
	wire := zoe.ByKey().MustWire()
	if dir, err := wire.Getwd(); err != nil || dir != "/"+school.Name {
		t.Errorf("lands in %q, %v", dir, err)
	}
	s.must(wire.Put("/"+school.Name+"/user-pictures/12.jpg", photo()))
	s.waitPhotos(school, school.Name+"/user-pictures/12.jpg")
	s.MustPicday("account", "disable", school.Name)
	s.waitSessionsEnd(wire)
	s.requireLogin(false, both...)
	s.MustPicday("account", "enable", school.Name)
	s.requireLogin(true, both...)
	password := strings.TrimSpace(s.MustPicday("account", "passwd", zoe.Name))
	s.requireLogin(false, zoe.ByPassword())
	s.requireLogin(true, s.Login(zoe.Name, password, ""), school.ByPassword())
	s.MustPicday("account", "key", zoe.Name, school.Key+".pub")
	s.requireLogin(false, zoe.ByKey())
	s.requireLogin(true, s.Login(zoe.Name, "", school.Key))
	s.MustPicday("account", "remove", school.Name, "--keep")
	s.requireLogin(false, s.Login(zoe.Name, "", school.Key), s.Login(zoe.Name, password, ""))
	again := s.Picday("account", "add", school.Name, "--layout", "portraits")
	if again.Code != 0 {
		t.Fatal(again)
	}
	var list []bed.AccountLogin
	if s.JSON(&list, "account", "login", "list", school.Name); len(list) > 0 {
		t.Errorf("come back with the account: %+v", list)
	}
}

// What an uploader gets to hand: the card of a log-in, as text and for the programs.
func TestTheCardOfALogin(t *testing.T) {
	s := newSite(t)
	school := s.portraits("school")
	zoe := school.AddLogin("zoe", "--until", "2090-12-31")
	if c := zoe.Card; c.Account != school.Name || c.User != zoe.Name || c.StartDir != "/"+school.Name || c.Until != "2090-12-31" || !c.Enabled || len(c.Password) < 20 || len(c.HostKeys) == 0 {
		t.Errorf("%+v", c)
	}
	for format, want := range map[string][]string{
		"text":      {"SFTP account " + school.Name + ", log-in " + zoe.Name, "User         " + zoe.Name, "Last day     2090-12-31", "/" + school.Name},
		"filezilla": {"<User>" + zoe.Name + "</User>", "<RemoteDir>1 0 ", school.Name + "</RemoteDir>", "<Name>" + zoe.Name + " at "},
		"winscp":    {"sftp://" + zoe.Name + ";fingerprint=", "/" + school.Name + "/"},
	} {
		out := s.MustPicday("account", "card", zoe.Name, "--format", format)
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("%s lacks %q:\n%s", format, text, out)
			}
		}
	}
	var list []bed.AccountLogin
	s.JSON(&list, "account", "login", "list", school.Name)
	if len(list) != 1 || list[0].Account != school.Name || list[0].Name != zoe.Name || !list[0].Enabled || list[0].Ended || *list[0].Until != "2090-12-31" || list[0].CreatedAt.IsZero() {
		t.Errorf("%+v", list)
	}
	var shown bed.Account
	if s.JSON(&shown, "account", "show", school.Name); !slices.Equal(shown.Logins, []string{zoe.Name}) || shown.Until != "" {
		t.Errorf("%+v", shown)
	}
	if out := s.MustPicday("account", "show", school.Name); !strings.Contains(out, zoe.Name) {
		t.Error(out)
	}
	if out := s.MustPicday("account", "login", "list", school.Name); !strings.Contains(out, "LAST DAY") || !strings.Contains(out, "2090-12-31") {
		t.Error(out)
	}
}

// picdayInZone runs the tool on a machine whose clock is set to another zone, and wants this
// exit status.
func (s *site) picdayInZone(tz string, code int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	cmd := s.PicdayCmd(args...)
	if slices.Contains(args, "expire") {
		cmd = s.withUnitCapabilities("picday-logins.service", cmd)
	}
	cmd.Env = append(cmd.Env, "TZ="+tz)
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); cmd.ProcessState.ExitCode() != code {
		s.t.Fatalf("picday %q in %s: %v\n%s", args, tz, err, said.String())
	}
	return out.String(), said.String()
}

// withUnitCapabilities runs a command with the capabilities of a unit of systemd's.
func (s *site) withUnitCapabilities(unit string, cmd *exec.Cmd) *exec.Cmd {
	s.t.Helper()
	_, caps, found := strings.Cut(string(readFile(s.t, "../systemd/"+unit)), "\nCapabilityBoundingSet=")
	if !found {
		s.t.Fatalf("%s keeps all capabilities", unit)
	}
	caps, _, _ = strings.Cut(caps, "\n")
	caps = strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(caps), "cap_", "+"), " ", ",")
	as := exec.Command("setpriv", append([]string{"--no-new-privs", "--bounding-set=-all," + caps}, cmd.Args...)...)
	as.Env, as.Dir = cmd.Env, cmd.Dir
	return as
}

// When the last day is over by the machine's clock, the log-in is closed and its
// sessions end, without anybody typing a name. The clock is moved by its zone: at every
// moment it is a later date in the east than in the west.
func TestTheLastDayOfALogin(t *testing.T) {
	const west, east = "Etc/GMT+12", "Etc/GMT-14"
	s := newSite(t)
	studio := s.jobs("studio", "job1")
	bert := studio.AddLogin("bert")
	today := time.Now().In(time.FixedZone("", -12*60*60)).Format(time.DateOnly) // the latest time zone, where the day is still the earlier one
	limited := func(word string) (logins []bed.Login) {
		key := s.NewKey("key-" + word)
		out, _ := s.picdayInZone(west, 0, "account", "login", "add", studio.Name, s.Name(word), "--until", today, "--key", key+".pub", "--json")
		var card bed.Account
		s.must(json.Unmarshal([]byte(out), &card))
		return []bed.Login{s.Login(card.User, "", key), s.Login(card.User, card.Password, "")}
	}
	anna := limited("anna")
	s.requireLogin(true, anna...)
	mine, mine2, others := anna[0].MustWire(), anna[1].MustWire(), bert.ByKey().MustWire()
	if out, said := s.picdayInZone(west, 0, "account", "login", "expire"); out+said != "" {
		t.Errorf("on its last day: %s%s", out, said)
	}
	if _, said := s.picdayInZone(east, 0, "account", "login", "expire"); !strings.Contains(said, s.Name("anna")) || strings.Contains(said, bert.Name) {
		t.Errorf("the day after: %s", said)
	}
	s.waitSessionsEnd(mine, mine2)
	if _, err := others.List("/job1"); err != nil {
		t.Errorf("the other's session: %v", err)
	}
	s.requireLogin(false, anna...)
	s.requireLogin(true, bert.ByKey())
	if out, said := s.picdayInZone(east, 0, "account", "login", "expire"); out+said != "" {
		t.Errorf("again: %s%s", out, said)
	}
	out, _ := s.picdayInZone(east, 0, "account", "login", "list", studio.Name, "--json")
	var list []bed.AccountLogin
	s.must(json.Unmarshal([]byte(out), &list))
	if len(list) != 2 || !list[0].Ended || list[0].Enabled || !list[1].Enabled {
		t.Errorf("%+v", list)
	}
	s.picdayInZone(east, 0, "doctor")
	if _, said := s.picdayInZone(east, 1, "account", "passwd", s.Name("anna")); !strings.Contains(said, "is over") {
		t.Error(said)
	}
	s.MustPicday("account", "disable", studio.Name)
	s.picdayInZone(east, 0, "account", "enable", studio.Name)
	s.requireLogin(false, anna...)
	s.requireLogin(true, bert.ByKey())

	// Expired log-ins are refused even if the catalogue cannot be read.
	carl := limited("carl")
	s.requireLogin(true, carl...)
	s.daemon.Stop(syscall.SIGTERM)
	s.must(os.Rename(s.Data, s.Data+".away"))
	if _, said := s.picdayInZone(east, 2, "account", "login", "expire"); !strings.Contains(said, s.Name("carl")) || !strings.Contains(said, "catalogue") {
		t.Error(said)
	}
	s.requireLogin(false, carl...)
	s.must(os.Rename(s.Data+".away", s.Data))
}

// Names of accounts, log-ins and Unix users are one name space, and what is typed wrong
// is said so.
func TestWrongLogins(t *testing.T) {
	s := newSite(t)
	studio, other := s.jobs("studio", "job1"), s.jobs("other", "job1")
	anna, plain := studio.AddLogin("anna"), s.AddUnixUser("plain")
	before := string(readFile(t, "/etc/passwd"))
	for _, c := range []struct {
		code int
		say  string
		args []string
	}{
		{1, "login list " + studio.Name, []string{"add", other.Name, anna.Name}},
		{1, "exists already", []string{"add", studio.Name, other.Name}},
		{1, "exists already", []string{"add", studio.Name, studio.Name}},
		{4, "not made by picday", []string{"add", studio.Name, plain.User}},
		{4, "not made by picday", []string{"add", studio.Name, "root"}},
		{2, "picday's own", []string{"add", studio.Name, "picday"}},
		{2, "2 to 31", []string{"add", studio.Name, "Anna"}},
		{2, "2 to 31", []string{"add", studio.Name, "x\nMatch User root"}},
		{2, "2 to 31", []string{"add", studio.Name, "../x"}},
		{3, "account list", []string{"add", "nobody-has-this", "newone"}},
		{2, "--until 2020-01-01 is over", []string{"add", studio.Name, "newone", "--until", "2020-01-01"}},
		{2, "is not a date", []string{"add", studio.Name, "newone", "--until", "31.7.2090"}},
		{2, "--key FILE", []string{"add", studio.Name, "newone", "--no-password"}},
		{2, "contradict", []string{"add", studio.Name, "newone", "--no-password", "--password-stdin"}},
		{2, "NAME is missing", []string{"add", studio.Name}},
		{3, "login list " + other.Name, []string{"remove", other.Name, anna.Name}},
		{3, "login list " + studio.Name, []string{"remove", studio.Name, other.Name}},
		{3, "login list " + studio.Name, []string{"remove", studio.Name, plain.User}},
		{3, "account list", []string{"list", anna.Name}},
	} {
		r := s.Picday(append([]string{"account", "login"}, c.args...)...)
		if r.Code != c.code || !strings.Contains(r.Stderr, c.say) {
			t.Errorf("want %d and %q: %v", c.code, c.say, r)
		}
	}
	for _, args := range [][]string{{"account", "add", anna.Name, "--layout", "jobs"}, {"account", "disable", anna.Name}, {"account", "allow", anna.Name}, {"account", "remove", anna.Name, "--files"}, {"job", "add", anna.Name, "job2"}} {
		if r := s.Picday(args...); r.Code == 0 {
			t.Errorf("works: %v", r)
		}
	}
	for line := range strings.Lines(string(readFile(t, "/etc/passwd"))) {
		if strings.Contains(line, s.Name("")) && !strings.Contains(before, line) {
			t.Errorf("new in /etc/passwd: %s", line)
		}
	}
	s.requireLogin(true, anna.ByKey(), studio.ByKey(), other.ByKey())
	if r := s.PicdayInput("a password of mine\n", "account", "login", "add", studio.Name, s.Name("typed"), "--password-stdin"); r.Code != 0 || strings.Contains(r.Stdout, "Password") {
		t.Error(r)
	}
	s.requireLogin(true, s.Login(s.Name("typed"), "a password of mine", ""))
}

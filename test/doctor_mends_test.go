package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

// What doctor says of the drop-in is true, and the commands that it prints repair it.
func TestDoctorMendsTheDropIn(t *testing.T) {
	s := newSite(t)
	s.jobs("dropin", "job1")
	file := s.Ours
	for name, wreck := range map[string]func() error{
		"is not there":     func() error { return os.Remove(file) },
		"is not what":      func() error { return os.WriteFile(file, nil, 0o644) },
		"can be changed":   func() error { return os.Chmod(file, 0o666) },
		"was edited":       func() error { return os.WriteFile(file, append(readFile(t, file), "# mine\n"...), 0o644) },
		"others than root": func() error { return os.Chown(file, 1, 1) },
	} {
		s.must(wreck())
		found := s.findings()
		if len(found) != 1 || found[0].Check != "drop-in" || !strings.Contains(found[0].Message, name) {
			t.Errorf("%s: %+v", name, found)
			continue
		}
		if strings.HasPrefix(found[0].Fix, "chown") {
			out, err := exec.Command("sh", "-ec", found[0].Fix).CombinedOutput()
			if err != nil {
				t.Errorf("%s: %q: %v\n%s", name, found[0].Fix, err, out)
			}
		} else if s.MustPicday("init"); found[0].Fix != `run "picday init"` {
			t.Errorf("%s: %q", name, found[0].Fix)
		}
		if found := s.findings(); len(found) > 0 {
			t.Errorf("%s, after the fix: %+v", name, found)
		}
	}
}

// Doctor reports a changed Unix user once, and the commands that it prints repair it.
func TestDoctorMendsUnixUsers(t *testing.T) {
	s := newSite(t)
	u := s.jobs("wrecked", "job1")
	for message, wreck := range map[string][]string{
		"the shell of its Unix user": {"usermod", "-s", "/bin/bash", u.Name},
		"is not in the group":        {"usermod", "-rG", "picday-sftp", u.Name},
	} {
		if out, err := exec.Command(wreck[0], wreck[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", wreck, err, out)
		}
		found := s.findings()
		if len(found) != 1 || !strings.Contains(found[0].Message, message) {
			t.Errorf("%q: %+v", wreck, found)
			continue
		}
		if out, err := exec.Command("sh", "-ec", found[0].Fix).CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", found[0].Fix, err, out)
		}
		if found := s.findings(); len(found) > 0 {
			t.Errorf("after the fix: %+v", found)
		}
	}
}

// shell runs what doctor prints, which finds picday.
func (s *site) shell(line string) *exec.Cmd {
	picday := s.PicdayCmd()
	cmd := exec.Command("sh", "-ec", line)
	cmd.Env = append(picday.Env, "PATH="+filepath.Dir(picday.Path)+":"+os.Getenv("PATH"), "PICDAY_CONFIG="+s.Config)
	return cmd
}

// What is wrong with a log-in is said of it, once, and the commands that doctor prints
// repair it.
func TestDoctorMendsLogIns(t *testing.T) {
	s := newSite(t)
	u := s.jobs("studio", "job1")
	anna := u.AddLogin("anna", "--until", "2090-12-31")
	other := s.AddUnixUser("other")
	mine, theirs := s.Credential(anna.Name), s.Credential(other.User)
	for message, wreck := range map[string]string{
		"the shell of its Unix user":      "usermod -s /bin/bash " + anna.Name,
		"is not in the group picday-sftp": "usermod -rG picday-sftp " + anna.Name,
		"is in no group of its own":       "groupdel " + anna.Name,
		"has another uid or group":        fmt.Sprintf("usermod -o -u %d %s", theirs.Uid, anna.Name),
		"does not expire after":           "chage -E -1 " + anna.Name,
		"is expired: it cannot log in":    "chage -E 1 " + anna.Name,
		"its password expires":            "chage -M 30 " + anna.Name,
		"no Unix user " + anna.Name:       "groupdel " + anna.Name + "; userdel -f " + anna.Name,
		"and on this machine it is not":   "usermod -c 'picday login of " + u.Name + "' " + anna.Name,
	} {
		if out, err := exec.Command("sh", "-ec", wreck).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", wreck, err, out)
		}
		found := s.findings()
		if len(found) != 1 || !strings.Contains(found[0].Message, message) || !strings.Contains(found[0].Check, u.Name) {
			t.Errorf("%q: %+v", wreck, found)
		}
		for _, f := range found {
			fix := f.Fix
			if _, command, quoted := strings.Cut(f.Message, "give it that day with \""); quoted {
				fix, _, _ = strings.Cut(command, "\"")
			} else if _, command, quoted := strings.Cut(f.Message, "end the log-in with \""); quoted { // the fix also says how to make it anew
				fix, _, _ = strings.Cut(command, "\"")
			}
			fix = strings.TrimSuffix(strings.TrimPrefix(fix, "run \""), "\"")
			if out, err := s.shell(fix).CombinedOutput(); err != nil {
				t.Errorf("%q: %v\n%s", fix, err, out)
			}
		}
		if found := s.findings(); len(found) > 0 {
			t.Errorf("%q, after the fix: %+v", wreck, found)
		}
		var list []bed.AccountLogin
		if s.JSON(&list, "account", "login", "list", u.Name); len(list) == 0 {
			s.MustPicday("account", "login", "add", u.Name, anna.Name, "--until", "2090-12-31")
		}
	}
	if c := s.Credential(anna.Name); c.Uid != mine.Uid || c.Gid != mine.Gid {
		t.Errorf("%+v, was %+v", c, mine)
	}
}

// While sshd rejects its configuration or does not read the drop-in, accounts can still be
// listed, and init does not report success.
func TestABrokenSSHDConfiguration(t *testing.T) {
	s := newSite(t)
	u := s.jobs("broken", "job1")
	file := s.Dir + "/sshd_config"
	whole := readFile(t, file)
	s.must(os.WriteFile(file, append([]byte("Nonsense yes\n"), whole...), 0o644))
	if r := s.Picday("account", "list"); r.Code != 0 || !strings.Contains(r.Stdout, u.Name) {
		t.Error(r)
	}
	if r := s.Picday("doctor"); r.Code != 1 || !strings.Contains(r.Stdout, "Nonsense /") {
		t.Errorf("what sshd says is not there, or not clean: %v", r)
	}
	s.must(os.WriteFile(file, []byte(strings.ReplaceAll(string(whole), "Include", "#Include")), 0o644))
	if r := s.Picday("init"); r.Code != 1 || !strings.Contains(r.Stderr, "Include ") {
		t.Errorf("init is content with an sshd that does not jail: %v", r)
	}
	s.must(os.WriteFile(file, whole, 0o644))
	if out := s.MustPicday("init"); out != "" {
		t.Error(out)
	}
}

// While the disk of data_dir is not mounted, no command that picday prints makes a new
// catalogue in its place, or removes accounts.
func TestNoAdviceHarmsAnUnmountedCatalogue(t *testing.T) {
	s := newSite(t)
	u := s.jobs("away", "job1")
	s.daemon.Stop(syscall.SIGTERM)
	data := s.Data
	s.must(os.Rename(data, s.Dir+"/elsewhere"))
	mark := string(readFile(t, s.Uploads+"/.picday-volume"))
	owner := s.Credential("picday")
	for _, empty := range []string{"no directory", "an empty directory", "an empty catalogue"} {
		switch empty {
		case "an empty directory": // systemd creates it so
			s.must(os.Mkdir(data, 0o750))
			s.must(os.Chown(data, int(owner.Uid), int(owner.Gid)))
		case "an empty catalogue":
			s.must(os.WriteFile(data+"/link.key", readFile(t, s.Dir+"/elsewhere/link.key"), 0o600))
			s.must(os.WriteFile(data+"/catalogue.sqlite", nil, 0o640))
			s.must(os.Chown(data+"/link.key", int(owner.Uid), int(owner.Gid)))
			s.must(os.Chown(data+"/catalogue.sqlite", int(owner.Uid), int(owner.Gid)))
		}
		if out, err := s.DaemonCmd().CombinedOutput(); err == nil || !strings.Contains(string(out), "mount") {
			t.Errorf("picdayd with %s: %v\n%s", empty, err, out)
		}
		r := s.Picday("doctor")
		if r.Code != 1 || strings.Contains(r.Stdout, "→ sudo picday init") || strings.Contains(r.Stdout, "→ if nobody needs it run") || strings.Contains(r.Stdout, "--new-volume") ||
			!strings.Contains(r.Stdout, "disk") {
			t.Errorf("%s: %v", empty, r)
		}
		r = s.Picday("init")
		if r.Code != 4 || !strings.Contains(r.Stderr, u.Name) || !strings.Contains(r.Stderr, "mount") {
			t.Errorf("%s: %v", empty, r)
		}
		if now := string(readFile(t, s.Uploads+"/.picday-volume")); now != mark {
			t.Fatalf("%s: the uploads belong to another catalogue now", empty)
		}
		if out, err := s.DaemonCmd().CombinedOutput(); err == nil {
			t.Errorf("picdayd with %s, after that: %s", empty, out)
		}
	}
	s.must(os.RemoveAll(data))
	s.must(os.Rename(s.Dir+"/elsewhere", data))
	s.daemon = s.StartDaemon()
	if found := s.findings(); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

// The commands that explain a missing photo report a full disk. Once there is room the photo
// is published without any command.
func TestAFullDiskIsReported(t *testing.T) {
	t.Parallel()
	s := &site{World: bed.New(t), t: t}
	s.must(os.Mkdir(s.Data, 0o750))
	s.must(syscall.Mount("tmpfs", s.Data, "tmpfs", 0, "mode=0750,size=64m"))
	s.init()
	s.daemon = s.StartDaemon()
	u := s.jobs("full", "job1")
	wire := u.ByKey().MustWire()
	s.must(wire.Mkdir("/job1/A"))
	s.fillDisk(s.Data)
	s.must(wire.Put("/job1/A/1.jpg", photo()))
	for _, args := range [][]string{{"status"}, {"explain", "job1/A/1.jpg"}} {
		s.Eventually(args[0]+" says that the disk is full", func() (bool, any) {
			r := s.Picday(args...)
			return strings.Contains(r.Stdout, "cannot be taken in") && strings.Contains(r.Stdout, "disk is full"), r
		})
	}
	s.freeDisk(s.Data)
	s.waitPhotos(u, "job1/A/1.jpg")
	s.Eventually("status is content", func() (bool, any) {
		r := s.Picday("status")
		return !strings.Contains(r.Stdout, "cannot be taken in"), r
	})
}

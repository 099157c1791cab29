package account

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/store"
)

func writeConfig(t *testing.T, text string) {
	t.Helper()
	must(t, os.WriteFile("/etc/ssh/sshd_config", []byte(text), 0o644))
}

// TestAdminsConfigurations: what sysadmins have in their sshd_config must
// neither keep the accounts out nor let them out of the jail.
func TestAdminsConfigurations(t *testing.T) {
	key, public := newKey(t)
	adminKey, adminPublic := newKey(t)
	for name, text := range map[string]string{
		"plain":                  mainConfig,
		"AllowGroups":            mainConfig + "AllowGroups root wheel\n",
		"AllowUsers":             mainConfig + "AllowUsers root@127.0.0.1 admin\n",
		"no passwords":           mainConfig + "PasswordAuthentication no\nAuthenticationMethods publickey\n",
		"two factors":            mainConfig + "AuthenticationMethods publickey,password\n",
		"no keys":                mainConfig + "PubkeyAuthentication no\nPasswordAuthentication no\n",
		"a Match of his own":     mainConfig + "Match User root\n  X11Forwarding no\nMatch Group adm\n  ForceCommand /bin/false\n",
		"Match all at the end":   mainConfig + "Match all\n  PasswordAuthentication no\n  AllowTcpForwarding yes\n  PermitTTY yes\n",
		"global ForceCommand":    mainConfig + "ForceCommand /bin/false\nChrootDirectory /var/empty\n",
		"external sftp-server":   strings.Replace(mainConfig, "sftp internal-sftp", "sftp /usr/lib/openssh/sftp-server", 1),
		"a key command":          mainConfig + "AuthorizedKeysCommand /usr/bin/true\nAuthorizedKeysCommandUser nobody\n",
		"Include at the end":     strings.Replace(mainConfig, "Include /etc/ssh/sshd_config.d/*.conf\n", "", 1) + "Include /etc/ssh/sshd_config.d/*.conf\n",
		"another drop-in before": mainConfig,
	} {
		t.Run(name, func(t *testing.T) {
			s := newWorld(t)
			writeConfig(t, text)
			if name == "another drop-in before" {
				must(t, os.WriteFile("/etc/ssh/sshd_config.d/00-admin.conf", []byte("PasswordAuthentication no\nMatch User root\n  PermitTTY no\n"), 0o644))
				must(t, os.WriteFile("/etc/ssh/sshd_config.d/99-admin.conf", []byte("LoginGraceTime 33\n"), 0o644))
			}
			before, err := s.effectiveForOthers(t.Context())
			must(t, err)
			startSSHD(t, s)
			_, err = s.Init(t.Context())
			must(t, err)
			acme := account("acme", layout.Jobs)
			_, err = s.Add(t.Context(), Spec{Account: acme, Keys: [][]byte{public}, Password: "pass:word 1"}, nil)
			must(t, err)
			login{user: "acme", key: key}.mustEnter(t)
			login{user: "acme", password: "pass:word 1"}.mustEnter(t)
			must(t, s.provenForOthers(t.Context(), before))
			healthy(t, s, acme)
			if name == "AllowUsers" { // and the admin is not locked out
				must(t, os.WriteFile("/etc/ssh/admin_keys", adminPublic, 0o644))
				writeConfig(t, text+"AuthorizedKeysFile /etc/ssh/admin_keys\n")
				must(t, s.reload(t.Context()))
				login{user: "root", key: adminKey}.mustEnter(t)
			}
		})
	}
}

// TestAdminsConfigurationsThatCannotWork must be refused, with a hint, and
// leave everything as it was.
func TestAdminsConfigurationsThatCannotWork(t *testing.T) {
	for _, c := range []struct{ name, config, dropIn, say string }{
		{"no Include", strings.Replace(mainConfig, "Include", "#", 1), "", "Include /etc/ssh/sshd_config.d/*.conf"},
		{"broken", mainConfig + "Nonsense yes\n", "", "broken already"},
		{"no SFTP", strings.Replace(mainConfig, "Subsystem", "#", 1), "", "Subsystem sftp"},
		{"an earlier Match for everybody", mainConfig, "Match all\n  ForceCommand /bin/false\n", "would not jail"},
		{"an earlier Match for the group", mainConfig, "Match Group " + JailGroup + "\n  PermitTTY yes\n", "would not jail"},
		{"reload", mainConfig, "", "not reloaded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newWorld(t)
			if c.dropIn != "" {
				_, err := s.Init(t.Context())
				must(t, err)
				must(t, os.WriteFile("/etc/ssh/sshd_config.d/00-admin.conf", []byte(c.dropIn), 0o644))
			}
			writeConfig(t, c.config)
			if c.name == "reload" {
				startSSHD(t, s)
				s.Config.SSHD.Reload = []string{"/bin/false"}
			}
			before := snapshot(t)
			_, err := s.Init(t.Context())
			if c.dropIn != "" {
				must(t, err)
				_, err = s.Add(t.Context(), Spec{Account: account("acme", layout.Jobs, "203.0.113.0/24")}, nil)
			}
			if err == nil || !strings.Contains(err.Error(), c.say) {
				t.Errorf("want %q, got %v", c.say, err)
			}
			if after := snapshot(t); after != before {
				t.Errorf("left behind:\n%s", differences(before, after))
			}
		})
	}
}

// In a chroot, or where a socket starts sshd for every connection, a reload
// fails because there is nothing to reload.
func TestNoSSHDToReload(t *testing.T) {
	s := newWorld(t)
	s.Config.SSHD.Reload = []string{"/bin/false"}
	_, err := s.Init(t.Context())
	must(t, err)
}

func TestRootInTheJailGroup(t *testing.T) {
	s := newWorld(t)
	sys(t, "groupadd", "--system", JailGroup)
	sys(t, "usermod", "-aG", JailGroup, "root")
	before := snapshot(t)
	if _, err := s.Init(t.Context()); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	if after := snapshot(t); after != before {
		t.Error(differences(before, after))
	}
}

func TestOtherPeoplesUsers(t *testing.T) {
	s := initWorld(t)
	sys(t, "useradd", "-M", "acme")
	sys(t, "useradd", "-M", "-G", JailGroup, "-s", nologin, "member")
	sys(t, "useradd", "-M", "-s", nologin, "-c", mark(layout.Jobs), "-p", "$y$x", "marked")
	sys(t, "useradd", "-M", "-o", "-u", "0", "-g", "root", "-G", JailGroup, "-s", nologin, "-c", mark(layout.Jobs), "toor")
	sys(t, "groupadd", "agroup")
	// As users of picday's they could be changed, but not by Add.
	if _, err := s.Add(t.Context(), Spec{Account: account("marked", layout.Jobs)}, nil); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	before := snapshot(t)
	for _, name := range []string{"acme", "member", "toor", "agroup", "daemon", "root"} {
		a := account(name, layout.Jobs, "203.0.113.0/24")
		for what, do := range map[string]func() error{
			"add":      func() error { _, err := s.Add(t.Context(), Spec{Account: a}, nil); return err },
			"allow":    func() error { _, err := s.SetAllow(t.Context(), a, nil); return err },
			"password": func() error { _, err := s.SetPassword(t.Context(), name, "12345678"); return err },
			"keys":     func() error { _, err := s.SetKeys(t.Context(), name, nil); return err },
			"disable":  func() error { _, err := s.Disable(t.Context(), a); return err },
			"enable":   func() error { _, err := s.Enable(t.Context(), a, nil); return err },
			"remove":   func() error { _, err := s.Remove(t.Context(), a, nil, true); return err },
			"job":      func() error { _, err := s.AddJob(name, "j"); return err },
		} {
			if err := do(); err == nil && !(name == "agroup" && what == "remove") {
				t.Errorf("%s %s works", what, name)
			}
		}
	}
	if after := snapshot(t); after != before {
		t.Error(differences(before, after))
	}
}

// TestHalfAUser: useradd writes one file after the other, and may be killed
// between any two.
func TestInterruptedUseradd(t *testing.T) {
	acme := account("acme", layout.Jobs)
	for _, lost := range [][]string{
		{shadowFile, groupFile, "/etc/gshadow"},
		{groupFile, "/etc/gshadow"},
		{"/etc/gshadow"},
	} {
		s := initWorld(t)
		before := map[string][]byte{}
		for _, f := range lost {
			before[f], _ = os.ReadFile(f)
		}
		_, err := s.apply(t.Context(), []step{s.userStep(acme, true)})
		must(t, err)
		for f, data := range before {
			must(t, os.WriteFile(f, data, 0o640))
		}
		_, err = s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
		if err != nil {
			t.Errorf("%v lost: %v", lost, err)
			continue
		}
		healthy(t, s, acme)
	}
}

func TestRootOnly(t *testing.T) {
	s := initWorld(t)
	for want, spoil := range map[string]func() error{
		"chown root /srv": func() error { return os.Chown("/srv", 33, 0) },
		"chmod go-w /srv": func() error { return os.Chmod("/srv", 0o775) },
	} {
		must(t, spoil())
		_, err := s.Add(t.Context(), Spec{Account: account("acme", layout.Jobs)}, nil)
		_, ierr := s.Init(t.Context())
		must(t, os.Chown("/srv", 0, 0))
		must(t, os.Chmod("/srv", 0o755))
		for _, err := range []error{err, ierr} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, got %v", want, err)
			}
		}
	}
}

func TestHostileTrees(t *testing.T) {
	s := initWorld(t)
	acme := account("acme", layout.Jobs)
	_, err := s.Add(t.Context(), Spec{Account: acme}, nil)
	must(t, err)
	_, err = s.AddJob("acme", "job")
	must(t, err)
	u, _ := lookupUser("acme")
	victim := "/srv/victim"
	must(t, os.Mkdir(victim, 0o755))
	must(t, os.WriteFile(victim+"/file", nil, 0o644))
	must(t, os.Symlink(victim, "/srv/up/acme/job/link"))
	must(t, os.Symlink(victim+"/file", "/srv/up/acme/job/filelink"))
	must(t, os.WriteFile("/srv/up/acme/job/\xff\n.jpg", nil, 0o600))
	for _, p := range []string{"/srv/up/acme/job", "/srv/up/acme/job/link", "/srv/up/acme/job/\xff\n.jpg"} {
		must(t, os.Lchown(p, u.uid+1, u.gid))
	}
	done, err := s.apply(t.Context(), []step{s.takeOverStep(acme)})
	must(t, err)
	if len(done) != 1 {
		t.Error(done)
	}
	for path, want := range map[string]int{victim: 0, victim + "/file": 0, "/srv/up/acme/job": u.uid, "/srv/up/acme/job/link": u.uid, "/srv/up/acme/job/\xff\n.jpg": u.uid} {
		fi, err := os.Lstat(path)
		must(t, err)
		if uid, _ := owner(fi); uid != want {
			t.Errorf("%q belongs to %d, want %d", path, uid, want)
		}
	}

	must(t, os.Mkdir("/srv/up/acme/job/a b", 0o755))
	must(t, unix.Mount(victim, "/srv/up/acme/job/a b", "", unix.MS_BIND, ""))
	before := snapshot(t)
	_, err = s.Remove(t.Context(), acme, nil, true)
	if err == nil || !strings.Contains(err.Error(), "/srv/up/acme/job/a b is a mount point") {
		t.Error(err)
	}
	if after := snapshot(t); after != before {
		t.Error(differences(before, after))
	}
	must(t, unix.Unmount("/srv/up/acme/job/a b", 0))
	_, err = s.Remove(t.Context(), acme, nil, true)
	must(t, err)
	if !exists(victim + "/file") {
		t.Error("a link was followed")
	}
}

func TestTheMachinesDefaults(t *testing.T) {
	s := initWorld(t)
	must(t, os.WriteFile("/etc/default/useradd", []byte("SHELL=/bin/sh\nCREATE_MAIL_SPOOL=yes\nEXPIRE=2030-01-01\nINACTIVE=3\nGROUP=100\n"), 0o644))
	sys(t, "sh", "-c", `sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 30/; s/^USERGROUPS_ENAB.*/USERGROUPS_ENAB no/; s/^#*CREATE_HOME.*/CREATE_HOME yes/' /etc/login.defs`)
	acme := account("acme", layout.Jobs)
	_, err := s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
	must(t, err)
	u, err := lookupUser("acme")
	must(t, err)
	if u.passwordExpires() || u.closed() || u.shadow.inactive != "" || u.home != noHome || u.shell != nologin {
		t.Errorf("%+v %+v", u, u.shadow)
	}
	if exists("/var/mail/acme") || exists("/home/acme") {
		t.Error("a mail spool or a home")
	}
	sys(t, "chage", "-M", "30", "acme")
	sys(t, "usermod", "-G", "", "-d", "/tmp", "acme")
	var fails int
	for _, f := range s.Check(t.Context(), []store.Account{acme}, true) {
		if f.Status == "fail" {
			fails++
		}
	}
	if fails != 3 { // ages, no jail, home
		t.Error("doctor does not see it")
	}
	_, err = s.Enable(t.Context(), acme, nil)
	must(t, err)
	healthy(t, s, acme)
	_, err = s.Remove(t.Context(), acme, nil, true)
	must(t, err)
	if g, _ := lookupGroup("acme"); g != nil {
		t.Error("the group stays")
	}
}

// TestForgottenAccount: an allowlist that the catalogue does not know of stays
// in force as long as its Unix user is there.
func TestForgottenAccount(t *testing.T) {
	s := initWorld(t)
	acme := account("acme", layout.Jobs, "203.0.113.0/24")
	_, err := s.Add(t.Context(), Spec{Account: acme}, nil)
	must(t, err)
	_, err = s.Add(t.Context(), Spec{Account: account("lincoln", layout.Portraits)}, nil)
	must(t, err)
	must(t, s.provenAllowlist(t.Context(), acme))
	_, err = s.Remove(t.Context(), acme, nil, true)
	must(t, err)
	text, _ := readFile(s.Config.SSHD.DropIn)
	if strings.Contains(string(text), "acme") {
		t.Errorf("%s", text)
	}
	// A user of somebody else's by that name is none of picday's business.
	must(t, os.WriteFile(s.Config.SSHD.DropIn, dropIn(s.Config, []entry{{acme.Name, "", acme.Layout, acme.AllowFrom}}), 0o644))
	_, err = s.Init(t.Context())
	must(t, err)
	text, _ = readFile(s.Config.SSHD.DropIn)
	if strings.Contains(string(text), "acme") {
		t.Errorf("%s", text)
	}
}

func TestLock(t *testing.T) {
	s := initWorld(t)
	release, err := s.Lock(t.Context())
	must(t, err)
	again, err := s.Lock(t.Context())
	must(t, err)
	other := New(s.Config)
	got := make(chan error)
	go func() {
		_, err := other.Add(t.Context(), Spec{Account: account("acme", layout.Jobs)}, nil)
		got <- err
	}()
	again()
	select {
	case err := <-got:
		t.Fatalf("the lock does not hold: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	release()
	must(t, <-got)
	fi, err := os.Stat(filepath.Join(filepath.Dir(s.Config.SSHD.KeysDir), ".account.lock"))
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Error(fi, err)
	}
}

package account

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// TestLife is an account's whole life against a real sshd.
func TestLife(t *testing.T) {
	s := newWorld(t)
	startSSHD(t, s)
	done, err := s.Init(t.Context())
	must(t, err)
	if len(done) == 0 {
		t.Error("init says nothing")
	}
	if done, err = s.Init(t.Context()); err != nil || len(done) != 0 {
		t.Errorf("init again: %q, %v", done, err)
	}
	healthy(t, s)

	key, public := newKey(t)
	acme := store.Account{Name: "acme", Layout: layout.Jobs, Enabled: true}
	_, err = s.Add(t.Context(), Spec{Account: acme, Keys: [][]byte{public, public}, Password: "pass:word 1"}, nil)
	must(t, err)
	lincoln := store.Account{Name: "lincoln", Layout: layout.Portraits, Enabled: true}
	_, err = s.Add(t.Context(), Spec{Account: lincoln, Password: "Lincoln-pass"}, []store.Account{acme})
	must(t, err)
	all := []store.Account{acme, lincoln}
	healthy(t, s, all...)
	if _, err := s.AddJob("acme", "job 1"); err != nil {
		t.Fatal(err)
	}

	byKey, byPass := login{user: "acme", key: key}, login{user: "acme", password: "pass:word 1"}
	school := login{user: "lincoln", password: "Lincoln-pass"}
	t.Run("jail", func(t *testing.T) {
		if out := byKey.mustEnter(t); !strings.Contains(out, "Remote working directory: /\n") || !strings.Contains(out, "job 1") {
			t.Errorf("lands elsewhere:\n%s", out)
		}
		byPass.mustEnter(t)
		if out := school.mustEnter(t); !strings.Contains(out, "directory: /lincoln\n") || !strings.Contains(out, "user-pictures") {
			t.Errorf("lands elsewhere:\n%s", out)
		}
		byKey.cannot(t, "mkdir /evil", "rename \"/job 1\" /other", "rmdir \"/job 1\"", "get /etc/passwd /tmp/x", "put /etc/hostname /x.jpg")
		if out, err := byKey.sftp(t, `mkdir "/job 1/Class 1"`, `put /etc/passwd "/job 1/Class 1/a.jpg"`); err != nil {
			t.Errorf("upload: %v\n%s", err, out)
		}
		fi, err := os.Stat("/srv/up/acme/job 1/Class 1/a.jpg")
		must(t, err)
		if fi.Mode().Perm() != 0o640 {
			t.Errorf("umask: %v", fi.Mode())
		}
		// No links, and a rename that is a link and an unlink on the server all the same.
		for _, link := range []string{"symlink a.jpg \"/job 1/Class 1/b.jpg\"", "ln \"/job 1/Class 1/a.jpg\" \"/job 1/Class 1/b.jpg\""} {
			if out, err := byKey.sftp(t, link); err == nil || !strings.Contains(out, "Permission denied") && !strings.Contains(out, "does not support") || exists("/srv/up/acme/job 1/Class 1/b.jpg") {
				t.Errorf("%s: %v\n%s", link, err, out)
			}
		}
		for _, rename := range []string{"rename -l", "rename"} {
			if out, err := byKey.sftp(t, `cd "/job 1/Class 1"`, rename+" a.jpg b.jpg", rename+" b.jpg a.jpg"); err != nil {
				t.Errorf("%s: %v\n%s", rename, err, out)
			}
		}
		if out, err := school.sftp(t, "put /etc/passwd user-pictures/1.jpg"); err != nil {
			t.Errorf("upload: %v\n%s", err, out)
		}
		school.cannot(t, "put /etc/passwd 1.jpg")
		login{user: "acme", password: "wrong-password"}.mustBeRefused(t)
	})

	t.Run("allowlist", func(t *testing.T) {
		acme.AllowFrom = networks("127.0.0.2", "2001:db8::/32")
		_, err := s.SetAllow(t.Context(), acme, all)
		must(t, err)
		all[0] = acme
		byKey.mustBeRefused(t)
		byPass.mustBeRefused(t)
		login{user: "acme", key: key, from: "127.0.0.2"}.mustEnter(t)
		login{user: "acme", password: "pass:word 1", from: "127.0.0.2"}.mustEnter(t)
		school.mustEnter(t)
		healthy(t, s, all...)
		acme.AllowFrom = nil
		_, err = s.SetAllow(t.Context(), acme, all)
		must(t, err)
		all[0] = acme
		byKey.mustEnter(t)
	})

	t.Run("disable", func(t *testing.T) {
		one, two := byKey.hold(t), byPass.hold(t)
		other := school.hold(t)
		_, err := s.Disable(t.Context(), acme)
		must(t, err)
		<-one
		<-two
		u, _ := lookupUser("acme")
		if pids, err := processes(holder{name: "acme", uid: u.uid}); err != nil || len(pids) != 0 {
			t.Error(pids, err)
		}
		select {
		case <-other:
			t.Error("another account's session was ended")
		default:
		}
		byKey.mustBeRefused(t)
		byPass.mustBeRefused(t)
		// Expiry alone must keep the key out, in case the file comes back.
		must(t, os.Rename(s.disabledKeyFile("acme"), s.keyFile("acme")))
		if out, err := byKey.sftp(t, "pwd"); err == nil {
			t.Errorf("an expired account gets in with its key:\n%s", out)
		}
		must(t, os.Rename(s.keyFile("acme"), s.disabledKeyFile("acme")))
		acme.Enabled = false
		healthy(t, s, acme, lincoln)
		if done, err := s.Disable(t.Context(), acme); err != nil || len(done) != 0 {
			t.Errorf("again: %q, %v", done, err)
		}
		_, err = s.Enable(t.Context(), acme, all)
		must(t, err)
		acme.Enabled = true
		byKey.mustEnter(t)
		byPass.mustEnter(t)
		healthy(t, s, all...)
	})

	t.Run("credentials", func(t *testing.T) {
		_, err := s.SetPassword(t.Context(), acme.Name, "another-one")
		must(t, err)
		byPass.mustBeRefused(t)
		login{user: "acme", password: "another-one"}.mustEnter(t)
		_, err = s.SetKeys(t.Context(), acme.Name, nil)
		must(t, err)
		byKey.mustBeRefused(t)
		_, err = s.SetPassword(t.Context(), acme.Name, "")
		must(t, err)
		login{user: "acme", password: "another-one"}.mustBeRefused(t)
		_, err = s.SetKeys(t.Context(), acme.Name, [][]byte{public})
		must(t, err)
		byKey.mustEnter(t)
	})

	t.Run("active job", func(t *testing.T) {
		_, err := s.HideJob("acme", "job 1")
		must(t, err)
		if out := byKey.mustEnter(t); strings.Contains(out, "job 1") {
			t.Errorf("still shown:\n%s", out)
		}
		_, err = s.ShowJob("acme", "job 1")
		must(t, err)
		if out, err := byKey.sftp(t, `ls "/job 1/Class 1/a.jpg"`, `put /etc/passwd "/job 1/Class 1/b.jpg"`); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})

	t.Run("remove and add again", func(t *testing.T) {
		ended := byKey.hold(t)
		_, err := s.Remove(t.Context(), acme, all, false)
		must(t, err)
		<-ended
		byKey.mustBeRefused(t)
		healthy(t, s, lincoln)
		fi, err := os.Stat("/srv/up/acme")
		must(t, err)
		if uid, gid := owner(fi); uid != 0 || gid != 0 || fi.Mode().Perm() != 0o700 {
			t.Errorf("the tree that stays: %v %d:%d", fi.Mode(), uid, gid)
		}
		// Somebody else gets the number.
		sys(t, "useradd", "-M", "somebody")
		_, err = s.Add(t.Context(), Spec{Account: acme, Keys: [][]byte{public}}, []store.Account{lincoln})
		must(t, err)
		if out, err := byKey.sftp(t, `rename "/job 1/Class 1/a.jpg" "/job 1/Class 1/c.jpg"`, `rm "/job 1/Class 1/c.jpg"`); err != nil {
			t.Errorf("its earlier files are not its own: %v\n%s", err, out)
		}
		_, err = s.Remove(t.Context(), acme, all, true)
		must(t, err)
		if exists("/srv/up/acme") {
			t.Error("files stay")
		}
		if done, err := s.Remove(t.Context(), acme, all, true); err != nil || len(done) != 0 {
			t.Errorf("again: %q, %v", done, err)
		}
		healthy(t, s, lincoln)
	})
}

// TestExpiredWithoutPAM: the other way in which sshd can be set up.
func TestExpiredWithoutPAM(t *testing.T) {
	s := newWorld(t)
	must(t, os.WriteFile("/etc/ssh/sshd_config", []byte(strings.Replace(mainConfig, "UsePAM yes", "UsePAM no", 1)), 0o644))
	startSSHD(t, s)
	_, err := s.Init(t.Context())
	must(t, err)
	key, public := newKey(t)
	acme := store.Account{Name: "acme", Layout: layout.Jobs, Enabled: true}
	_, err = s.Add(t.Context(), Spec{Account: acme, Keys: [][]byte{public}}, nil)
	must(t, err)
	byKey := login{user: "acme", key: key}
	byKey.mustEnter(t)
	_, err = s.Disable(t.Context(), acme)
	must(t, err)
	must(t, os.Rename(s.disabledKeyFile("acme"), s.keyFile("acme")))
	if out, err := byKey.sftp(t, "pwd"); err == nil {
		t.Errorf("an expired account gets in with its key:\n%s", out)
	}
}

func TestHostKeysOfARealServer(t *testing.T) {
	s := initWorld(t)
	want := strings.Fields(sys(t, "ssh-keygen", "-l", "-E", "sha256", "-f", "/run/hostkey.pub"))[1]
	for _, pub := range []bool{true, false} {
		if !pub {
			must(t, os.Rename("/run/hostkey.pub", "/run/away"))
			defer func() { _ = os.Rename("/run/away", "/run/hostkey.pub") }()
		}
		keys, err := s.HostKeys(t.Context())
		must(t, err)
		if len(keys) != 1 || keys[0].SHA256 != want || keys[0].Type != "ssh-ed25519" {
			t.Errorf("%+v, want %s", keys, want)
		}
	}
}

func TestJobFolders(t *testing.T) {
	s := initWorld(t)
	acme := store.Account{Name: "acme", Layout: layout.Jobs, Enabled: true}
	if _, err := s.AddJob("acme", "j"); err == nil {
		t.Error("a job of no account")
	}
	_, err := s.Add(t.Context(), Spec{Account: acme, Password: NewPassword()}, nil)
	must(t, err)
	_, err = s.AddJob("acme", "Köln")
	must(t, err)
	if done, err := s.AddJob("acme", "Köln"); err != nil || len(done) != 0 {
		t.Error(done, err)
	}
	if _, err := s.AddJob("acme", "KÖLN"); err == nil {
		t.Error("a twin")
	}
	must(t, os.Chmod(s.JobDir("acme", "Köln"), 0o700)) // as a client may
	for range 2 {
		_, err = s.HideJob("acme", "Köln")
		must(t, err)
	}
	if _, err := s.AddJob("acme", "Köln"); err == nil || !strings.Contains(err.Error(), "active") {
		t.Error(err)
	}
	if _, err := s.AddJob("acme", "köln"); err == nil {
		t.Error("a twin of a hidden one")
	}
	for range 2 {
		_, err = s.ShowJob("acme", "Köln")
		must(t, err)
	}
	if fi, err := os.Stat(s.JobDir("acme", "Köln")); err != nil || fi.Mode().Perm() != 0o700 {
		t.Error(fi, err)
	}
	must(t, os.MkdirAll(s.HiddenJobDir("acme", "Köln"), 0o700))
	for _, move := range []func(string, string) ([]string, error){s.HideJob, s.ShowJob} {
		if _, err := move("acme", "Köln"); err == nil || !strings.Contains(err.Error(), "both") {
			t.Error(err)
		}
		for _, bad := range []string{"", ".", "..", "../lincoln", "none"} {
			if _, err := move("acme", bad); err == nil {
				t.Errorf("%q moved", bad)
			}
		}
	}
	must(t, os.Symlink("/etc", filepath.Join(s.Base("acme"), "link")))
	if _, err := s.HideJob("acme", "link"); err == nil {
		t.Error("a symlink moved")
	}
	if _, err := s.AddJob("acme", "link"); err == nil {
		t.Error("a symlink adopted")
	}
}

func TestManyNetworks(t *testing.T) {
	s := initWorld(t)
	acme := store.Account{Name: "acme", Layout: layout.Jobs, Enabled: true}
	var list []string
	for i := range 500 {
		list = append(list, "10.0."+string(rune('0'+i%10))+"."+string(rune('0'+i/10%10)), "2001:db8:"+string(rune('a'+i%6))+"::/48")
	}
	acme.AllowFrom = networks(list...)
	_, err := s.Add(t.Context(), Spec{Account: acme}, nil)
	must(t, err)
	if len(acme.AllowFrom) < 100 {
		t.Fatal(len(acme.AllowFrom))
	}
	must(t, s.provenAllowlist(t.Context(), acme))
}

package account

import (
	"errors"
	"os"
	"strings"
	"testing"

	"picday/internal/layout"
	"picday/store"
)

// TestClosedAndReopened is what removing and installing the package does. The
// sshd of this world has UsePAM on in one run and off in the other: expiry is
// looked at by PAM in the one and by sshd itself in the other.
func TestClosedAndReopened(t *testing.T) {
	for _, pam := range []string{"yes", "no"} {
		t.Run("UsePAM "+pam, func(t *testing.T) {
			s := newWorld(t)
			writeConfig(t, strings.Replace(mainConfig, "UsePAM yes", "UsePAM "+pam, 1))
			startSSHD(t, s)
			_, err := s.Init(t.Context())
			must(t, err)
			key, public := newKey(t)
			acme := store.Account{Name: "acme", Layout: layout.Jobs, Enabled: true}
			lincoln := store.Account{Name: "lincoln", Layout: layout.Portraits, Enabled: true}
			var earlier []store.Account
			for _, a := range []store.Account{acme, lincoln} {
				_, err = s.Add(t.Context(), Spec{Account: a, Keys: [][]byte{public}, Password: "pass:word 1"}, earlier)
				earlier = append(earlier, a)
				must(t, err)
			}
			acme = addLogin(t, s, acme, store.Login{Name: "anna"}, public, lincoln)
			_, err = s.Disable(t.Context(), lincoln)
			must(t, err)
			lincoln.Enabled = false
			all := []store.Account{acme, lincoln}
			held, held2 := login{user: "acme", key: key}.hold(t), login{user: "anna", key: key}.hold(t)
			// What an account could use without a jail: nothing of this may let it in.
			must(t, os.WriteFile("/.ssh-test-keys", public, 0o644))
			t.Cleanup(func() { os.Remove("/.ssh-test-keys") })
			writeConfig(t, strings.Replace(mainConfig, "UsePAM yes", "UsePAM "+pam+"\nAuthorizedKeysFile /.ssh-test-keys", 1))

			done, err := s.Close(t.Context())
			must(t, err)
			<-held
			<-held2
			if len(done) == 0 {
				t.Error("close says nothing")
			}
			if exists(s.Config.SSHD.DropIn) {
				t.Error("the drop-in is still there")
			}
			for _, user := range []string{"acme", "lincoln", "anna"} {
				login{user: user, key: key}.mustBeRefused(t)
				login{user: user, password: map[bool]string{true: "pass of anna", false: "pass:word 1"}[user == "anna"]}.mustBeRefused(t)
			}
			if done, err := s.Close(t.Context()); err != nil || len(done) != 0 {
				t.Errorf("close again: %q, %v", done, err)
			}

			_, err = s.Init(t.Context(), all...)
			must(t, err)
			login{user: "acme", key: key}.mustBeRefused(t)
			_, err = s.Reopen(t.Context(), all)
			must(t, err)
			login{user: "acme", key: key}.mustEnter(t)
			login{user: "acme", password: "pass:word 1"}.mustEnter(t)
			login{user: "anna", key: key}.mustEnter(t)
			login{user: "anna", password: "pass of anna"}.mustEnter(t)
			login{user: "lincoln", key: key}.mustBeRefused(t)
			healthy(t, s, all...)

			// Without an earlier Close nothing is opened.
			sys(t, "usermod", "--expiredate", "1", "acme")
			if done, err := s.Reopen(t.Context(), all); err != nil || len(done) != 0 {
				t.Errorf("reopen: %q, %v", done, err)
			}
			login{user: "acme", key: key}.mustBeRefused(t)
		})
	}
}

func TestCloseLeavesNobodyUnjailed(t *testing.T) {
	t.Run("a user of the admin's", func(t *testing.T) {
		s := initWorld(t)
		sys(t, "useradd", "--no-create-home", "--groups", JailGroup, "acme")
		before := snapshot(t)
		if _, err := s.Close(t.Context()); !errors.Is(err, ErrRefused) {
			t.Errorf("got %v", err)
		}
		if after := snapshot(t); after != before {
			t.Errorf("left behind:\n%s", differences(before, after))
		}
	})
	t.Run("a user taken out of the group", func(t *testing.T) {
		s := initWorld(t)
		_, err := s.Add(t.Context(), Spec{Account: account("acme", layout.Jobs), Password: "pass:word 1"}, nil)
		must(t, err)
		sys(t, "gpasswd", "-d", "acme", JailGroup)
		_, err = s.Close(t.Context())
		must(t, err)
		if u, err := lookupUser("acme"); err != nil || !u.closed() {
			t.Errorf("acme is open: %+v, %v", u, err)
		}
	})
	t.Run("sshd broken", func(t *testing.T) {
		s := initWorld(t)
		_, err := s.Add(t.Context(), Spec{Account: account("acme", layout.Jobs), Password: "pass:word 1"}, nil)
		must(t, err)
		writeConfig(t, mainConfig+"Nonsense yes\n")
		before := snapshot(t)
		if _, err := s.Close(t.Context()); err == nil || !strings.Contains(err.Error(), "broken already") {
			t.Errorf("got %v", err)
		}
		if after := snapshot(t); after != before {
			t.Errorf("left behind:\n%s", differences(before, after))
		}
	})
}

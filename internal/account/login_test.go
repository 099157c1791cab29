package account

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/store"
)

func day(t *testing.T, text string) localtime.Day {
	t.Helper()
	d, err := localtime.ParseDay(text)
	must(t, err)
	return d
}

// addLogin makes a log-in with a password and a key, and returns its account with it.
func addLogin(t *testing.T, s *System, a store.Account, l store.Login, public []byte, all ...store.Account) store.Account {
	t.Helper()
	_, err := s.AddLogin(t.Context(), a, LoginSpec{Login: l, Keys: [][]byte{public}, Password: "pass of " + l.Name}, append(all, a))
	must(t, err)
	return a.WithLogin(l)
}

// in is how a log-in of addLogin gets in.
func in(name, key string) (byKey, byPass login) {
	return login{user: name, key: key}, login{user: name, password: "pass of " + name}
}

// escapes are what no entrance of the layout jobs may do.
var escapes = []string{
	"mkdir /evil", "rename \"/job 1\" /other", "rmdir \"/job 1\"", "get /etc/passwd /tmp/x", "put /etc/hostname /x.jpg",
	"chmod 777 /", "chown 0 \"/job 1\"", "cd ../../..\nget lincoln/lincoln/user-pictures/1.jpg /tmp/x",
	"symlink / \"/job 1/all\"", "ln \"/job 1/Class 1/a.jpg\" \"/job 1/b.jpg\"",
}

// TestLogins: two freelancers of one studio work at the same time, in the studio's
// jail. Each owns what the others own; the one who leaves does so alone.
func TestLogins(t *testing.T) {
	s := newWorld(t)
	startSSHD(t, s)
	_, err := s.Init(t.Context())
	must(t, err)
	key, public := newKey(t)
	key2, public2 := newKey(t)
	acme, lincoln := account("acme", layout.Jobs), account("lincoln", layout.Portraits)
	_, err = s.Add(t.Context(), Spec{Account: acme, Keys: [][]byte{public}, Password: "pass of acme"}, nil)
	must(t, err)
	_, err = s.Add(t.Context(), Spec{Account: lincoln, Password: "pass of lincoln"}, []store.Account{acme})
	must(t, err)
	_, err = s.AddJob("acme", "job 1")
	must(t, err)
	acme = addLogin(t, s, acme, store.Login{Name: "anna"}, public, lincoln)
	acme = addLogin(t, s, acme, store.Login{Name: "bert", Until: day(t, "2090-12-31")}, public2, lincoln)
	lincoln = addLogin(t, s, lincoln, store.Login{Name: "zoe"}, public, acme)
	all := []store.Account{acme, lincoln}
	healthy(t, s, all...)
	anna, annaPass := in("anna", key)
	bert, bertPass := in("bert", key2)
	zoe, zoePass := in("zoe", key)
	studio, studioPass := in("acme", key)

	t.Run("jail", func(t *testing.T) {
		for _, l := range []login{anna, annaPass, bert, bertPass} {
			if out := l.mustEnter(t); !strings.Contains(out, "Remote working directory: /\n") || !strings.Contains(out, "job 1") {
				t.Errorf("%s lands elsewhere:\n%s", l.user, out)
			}
			l.cannot(t, escapes...)
		}
		for _, l := range []login{zoe, zoePass} {
			if out := l.mustEnter(t); !strings.Contains(out, "directory: /lincoln\n") || !strings.Contains(out, "user-pictures") {
				t.Errorf("lands elsewhere:\n%s", out)
			}
			if out, err := l.sftp(t, "put /etc/passwd user-pictures/1.jpg"); err != nil {
				t.Errorf("upload: %v\n%s", err, out)
			}
			l.cannot(t, "put /etc/passwd 1.jpg", "mkdir /evil", "get /etc/passwd /tmp/x")
		}
		for _, l := range []login{
			{user: "anna", key: key2},
			{user: "bert", key: key},
			{user: "acme", key: key2},
			{user: "anna", password: "pass of bert"},
			{user: "anna", password: "pass of acme"},
			{user: "acme", password: "pass of anna"},
		} {
			l.mustBeRefused(t)
		}
	})

	t.Run("one owner", func(t *testing.T) {
		if out, err := anna.sftp(t, `mkdir "/job 1/Class 1"`, `put /etc/passwd "/job 1/Class 1/a.jpg"`, `put /etc/passwd "/job 1/Class 1/b.jpg"`, `chmod 700 "/job 1/Class 1"`, `chmod 400 "/job 1/Class 1/b.jpg"`); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, l := range []login{bert, studio, annaPass} {
			if out, err := l.sftp(t, `put /etc/hostname "/job 1/Class 1/a.jpg"`, `rename "/job 1/Class 1/b.jpg" "/job 1/Class 1/c.jpg"`, `chmod 400 "/job 1/Class 1/c.jpg"`, `rename "/job 1/Class 1/c.jpg" "/job 1/Class 1/b.jpg"`); err != nil {
				t.Errorf("%s: %v\n%s", l.user, err, out)
			}
		}
		if out, err := bert.sftp(t, `rm "/job 1/Class 1/b.jpg"`, `rename "/job 1/Class 1" "/job 1/Class 2"`); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		fi, err := os.Stat("/srv/up/acme/job 1/Class 2/a.jpg")
		must(t, err)
		u, _ := lookupUser("acme")
		if uid, gid := owner(fi); uid != u.uid || gid != u.gid {
			t.Errorf("belongs to %d:%d", uid, gid)
		}
	})

	t.Run("allowlist", func(t *testing.T) {
		acme.AllowFrom = networks("127.0.0.2")
		_, err := s.SetAllow(t.Context(), acme, all)
		must(t, err)
		all[0] = acme
		for _, l := range []login{anna, bertPass, studio} {
			l.mustBeRefused(t)
			l.from = "127.0.0.2"
			l.mustEnter(t)
		}
		healthy(t, s, all...)
		acme.AllowFrom = nil
		_, err = s.SetAllow(t.Context(), acme, all)
		must(t, err)
		all[0] = acme
		anna.mustEnter(t)
	})

	t.Run("credentials", func(t *testing.T) {
		_, err := s.SetPassword(t.Context(), "anna", "another-one")
		must(t, err)
		annaPass.mustBeRefused(t)
		bertPass.mustEnter(t)
		_, err = s.SetPassword(t.Context(), "anna", "pass of anna")
		must(t, err)
		annaPass.mustEnter(t)
		_, err = s.SetKeys(t.Context(), "anna", nil)
		must(t, err)
		anna.mustBeRefused(t)
		studio.mustEnter(t)
		_, err = s.SetKeys(t.Context(), "anna", [][]byte{public})
		must(t, err)
	})

	t.Run("disable", func(t *testing.T) {
		var ended []<-chan struct{}
		for _, l := range []login{anna, bertPass, studio} {
			ended = append(ended, l.hold(t))
		}
		other := zoe.hold(t)
		done, err := s.Disable(t.Context(), acme)
		must(t, err)
		for _, e := range ended {
			<-e
		}
		if len(done) != 9 { // closed, keys set aside, sessions ended
			t.Errorf("%q", done)
		}
		for _, l := range []login{anna, annaPass, bert, bertPass, studio, studioPass} {
			l.mustBeRefused(t)
		}
		goesOn(t, other, "another account's log-in")
		closed := acme
		closed.Enabled = false
		healthy(t, s, closed, lincoln)
		// One that is added meanwhile waits for the account.
		closed = addLogin(t, s, closed, store.Login{Name: "carl"}, public, lincoln)
		carl, carlPass := in("carl", key)
		carl.mustBeRefused(t)
		carlPass.mustBeRefused(t)
		healthy(t, s, closed, lincoln)
		acme = acme.WithLogin(closed.Logins[2])
		all[0] = acme
		_, err = s.Enable(t.Context(), acme, all)
		must(t, err)
		for _, l := range []login{anna, annaPass, bert, bertPass, studio, studioPass, carl, carlPass} {
			l.mustEnter(t)
		}
		healthy(t, s, all...)
	})

	t.Run("remove one", func(t *testing.T) {
		mine, mine2 := anna.hold(t), annaPass.hold(t)
		others := map[string]<-chan struct{}{"bert": bert.hold(t), "the studio": studioPass.hold(t), "carl": (login{user: "carl", key: key}).hold(t), "the school": zoePass.hold(t)}
		done, err := s.RemoveLogin(t.Context(), acme, "anna", all)
		must(t, err)
		<-mine
		<-mine2
		if len(done) < 5 {
			t.Errorf("%q", done)
		}
		for who, ended := range others {
			goesOn(t, ended, who)
		}
		anna.mustBeRefused(t)
		annaPass.mustBeRefused(t)
		bert.mustEnter(t)
		acme = acme.WithoutLogin("anna")
		all[0] = acme
		healthy(t, s, all...)
		if exists(s.keyFile("anna")) || exists(s.disabledKeyFile("anna")) || !exists("/srv/up/acme/job 1/Class 2/a.jpg") {
			t.Error("keys stay, or files go")
		}
		if g, _ := lookupGroup("anna"); g != nil {
			t.Error("its group stays")
		}
		if done, err := s.RemoveLogin(t.Context(), acme, "anna", all); err != nil || len(done) > 0 {
			t.Errorf("again: %q %v", done, err)
		}
	})

	t.Run("remove all", func(t *testing.T) {
		ended := bert.hold(t)
		_, err := s.Remove(t.Context(), acme, all, false)
		must(t, err)
		<-ended
		bert.mustBeRefused(t)
		zoe.mustEnter(t)
		healthy(t, s, lincoln)
		for _, name := range []string{"acme", "anna", "bert", "carl"} {
			if u, _ := lookupUser(name); u != nil {
				t.Errorf("%s stays", name)
			}
			if g, _ := lookupGroup(name); g != nil {
				t.Errorf("the group %s stays", name)
			}
		}
	})
}

// goesOn looks at a session after everything that was to end has ended.
func goesOn(t *testing.T, ended <-chan struct{}, who string) {
	t.Helper()
	select {
	case <-ended:
		t.Errorf("the session of %s was ended", who)
	default:
	}
}

// TestTheLastDay: sshd itself refuses a log-in whose last day is over, whatever picday
// does, with PAM and without; EndLogins ends its sessions too, and no others.
func TestTheLastDay(t *testing.T) {
	for _, pam := range []string{"yes", "no"} {
		t.Run("UsePAM "+pam, func(t *testing.T) {
			s := newWorld(t)
			writeConfig(t, strings.Replace(mainConfig, "UsePAM yes", "UsePAM "+pam, 1))
			startSSHD(t, s)
			_, err := s.Init(t.Context())
			must(t, err)
			key, public := newKey(t)
			acme := account("acme", layout.Jobs)
			_, err = s.Add(t.Context(), Spec{Account: acme, Password: "pass of acme"}, nil)
			must(t, err)
			today := localtime.DayOf(time.Now())
			acme = addLogin(t, s, acme, store.Login{Name: "over", Until: localtime.DayOf(time.Now().AddDate(0, 0, -4))}, public)
			acme = addLogin(t, s, acme, store.Login{Name: "anna", Until: today}, public)
			acme = addLogin(t, s, acme, store.Login{Name: "bert"}, public)
			over, overPass := in("over", key)
			anna, annaPass := in("anna", key)
			bert, _ := in("bert", key)
			over.mustBeRefused(t)
			overPass.mustBeRefused(t)
			mine, mine2, other := anna.hold(t), annaPass.hold(t), bert.hold(t)

			if done, err := s.EndLogins(t.Context(), []store.Account{acme}, today.End().Add(-time.Second)); err != nil || strings.Contains(fmt.Sprint(done), "anna") || len(done) != 2 {
				t.Errorf("before its end: %q %v", done, err) // over: expired, and its keys
			}
			done, err := s.EndLogins(t.Context(), nil, today.End()) // by the Unix user alone
			must(t, err)
			<-mine
			<-mine2
			goesOn(t, other, "bert")
			if len(done) != 3 {
				t.Errorf("%q", done)
			}
			anna.mustBeRefused(t)
			annaPass.mustBeRefused(t)
			bert.mustEnter(t)
			// Enabling the account does not bring it back.
			_, err = s.Disable(t.Context(), acme)
			must(t, err)
			_, err = s.Enable(t.Context(), acme, []store.Account{acme})
			must(t, err)
			over.mustBeRefused(t)
			overPass.mustBeRefused(t)
			if u, _ := lookupUser("over"); !u.closed() || exists(s.keyFile("over")) {
				t.Error("enabled again")
			}
			// Another last day does, with the password and the keys.
			still := bert.hold(t)
			for _, l := range []store.Login{{Name: "over", Until: today}, {Name: "anna"}, {Name: "bert", Until: today}} {
				_, err := s.SetLoginEnd(t.Context(), acme, l, []store.Account{acme})
				must(t, err)
				acme = acme.WithLogin(l)
			}
			for _, l := range []login{over, overPass, anna, annaPass, bert} {
				l.mustEnter(t)
			}
			goesOn(t, still, "bert")
			healthy(t, s, acme)
			if done, err := s.SetLoginEnd(t.Context(), acme, store.Login{Name: "anna"}, []store.Account{acme}); err != nil || len(done) > 0 {
				t.Errorf("again: %q %v", done, err)
			}
			if _, err := s.EndLogins(t.Context(), nil, today.End()); err != nil {
				t.Error(err)
			}
			<-still
			bert.mustBeRefused(t)
			anna.mustEnter(t)
		})
	}
}

// TestTheDateOfExpiryInEveryZone: sshd's refusal comes at the end of the last day or
// within a day after it, never before, wherever the machine is.
func TestTheDateOfExpiryInEveryZone(t *testing.T) {
	old := time.Local
	defer func() { time.Local = old }()
	until := day(t, "2026-07-31")
	for hours := -12; hours <= 14; hours++ {
		time.Local = time.FixedZone("", hours*60*60)
		u := &unixUser{login: &loginMark{"acme", until}, shadow: &shadowEntry{}}
		u.shadow.expireOn = u.expireOn()
		n, err := strconv.Atoi(u.shadow.expireOn)
		must(t, err)
		refused := time.Unix(int64(n)*24*60*60, 0)
		if late := refused.Sub(until.End()); late < 0 || late >= 24*time.Hour {
			t.Errorf("UTC%+d: refused %v after the end", hours, late)
		}
		for _, elsewhere := range []int{-12, 0, 14} { // the machine's zone may be changed
			time.Local = time.FixedZone("", elsewhere*60*60)
			if !u.open() || u.closed() {
				t.Errorf("UTC%+d: not taken for open", hours)
			}
		}
		u.shadow.expireOn = "1"
		if u.open() || !u.closed() {
			t.Errorf("UTC%+d: not taken for closed", hours)
		}
	}
}

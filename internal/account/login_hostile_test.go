package account

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/store"
)

// TestNobodyProlongsALogin: its last day stands in /etc/passwd too, which only root can
// write. A row that says something else lets nobody in, and can end the log-in.
func TestNobodyProlongsALogin(t *testing.T) {
	s := initWorld(t)
	acme := account("acme", layout.Jobs)
	_, err := s.Add(t.Context(), Spec{Account: acme, Password: "pass of acme"}, nil)
	must(t, err)
	acme = addLogin(t, s, acme, store.Login{Name: "anna", Until: day(t, "2090-12-31")}, []byte(aKey))
	for _, until := range []localtime.Day{{}, day(t, "2091-01-01"), day(t, "2020-01-01")} {
		told := acme.WithLogin(store.Login{Name: "anna", Until: until})
		_, err := s.Enable(t.Context(), told, []store.Account{told})
		_, aerr := s.SetAllow(t.Context(), told, []store.Account{told})
		_, ierr := s.Init(t.Context(), told)
		for _, err := range []error{err, aerr, ierr} {
			if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "login remove acme anna") {
				t.Errorf("%v: %v", until, err)
			}
		}
		found := false
		for _, f := range s.Check(t.Context(), []store.Account{told}, true) {
			found = found || f.Status == "fail" && strings.Contains(f.Message, "login remove acme anna")
		}
		if !found {
			t.Errorf("%v: doctor does not say so", until)
		}
	}
	healthy(t, s, acme)
	told := acme.WithLogin(store.Login{Name: "anna", Until: day(t, "2020-01-01")})
	if done, err := s.EndLogins(t.Context(), []store.Account{told}, time.Now()); err != nil || len(done) == 0 {
		t.Errorf("%q %v", done, err)
	}
	if u, _ := lookupUser("anna"); !u.closed() {
		t.Error("still open")
	}
	if done, err := s.RemoveLogin(t.Context(), told, "anna", []store.Account{told}); err != nil || len(done) == 0 {
		t.Errorf("%q %v", done, err)
	}
	healthy(t, s, acme.WithoutLogin("anna"))
}

// TestALastDayOfAnEarlierInstallation: log-ins that are left on a machine with another last
// day than the backup's are closed by a restore, and get that of the backup; others are
// left alone.
func TestALastDayOfAnEarlierInstallation(t *testing.T) {
	s := initWorld(t)
	acme, lincoln := account("acme", layout.Jobs), account("lincoln", layout.Portraits)
	for i, a := range []store.Account{acme, lincoln} {
		_, err := s.Add(t.Context(), Spec{Account: a, Password: "some-password"}, []store.Account{acme}[:i])
		must(t, err)
	}
	for _, name := range []string{"anna", "bert", "carl"} {
		acme = addLogin(t, s, acme, store.Login{Name: name, Until: day(t, "2090-12-31")}, []byte(aKey), lincoln)
	}
	lincoln = addLogin(t, s, lincoln, store.Login{Name: "zoe"}, []byte(aKey), acme)
	told := acme.WithLogin(store.Login{Name: "anna", Until: day(t, "2091-01-01")}).WithLogin(store.Login{Name: "bert"}).
		WithLogin(store.Login{Name: "zoe", Until: day(t, "2091-01-01")}).WithLogin(store.Login{Name: "new"})
	done, err := s.CloseStrayLogins(t.Context(), []store.Account{told})
	must(t, err)
	if len(done) != 6 { // of two: closed, keys set aside, another day
		t.Errorf("%q", done)
	}
	for name, closed := range map[string]bool{"anna": true, "bert": true, "carl": false, "zoe": false, "acme": false} {
		if u, _ := lookupUser(name); u.closed() != closed || exists(s.keyFile(name)) == closed && name != "acme" {
			t.Errorf("%s: %+v", name, u.shadow)
		}
	}
	if done, err := s.CloseStrayLogins(t.Context(), []store.Account{told}); err != nil || len(done) > 0 {
		t.Errorf("again: %q %v", done, err)
	}
	told = told.WithoutLogin("zoe").WithoutLogin("new")
	_, err = s.Enable(t.Context(), told, []store.Account{told, lincoln})
	must(t, err)
	healthy(t, s, told, lincoln)
}

// TestNamesOfLogins: the names of accounts, log-ins and Unix users are one name space.
func TestNamesOfLogins(t *testing.T) {
	s := initWorld(t)
	acme, lincoln := account("acme", layout.Jobs), account("lincoln", layout.Portraits)
	for i, a := range []store.Account{acme, lincoln} {
		_, err := s.Add(t.Context(), Spec{Account: a, Password: "some-password"}, []store.Account{acme}[:i])
		must(t, err)
	}
	acme = addLogin(t, s, acme, store.Login{Name: "anna"}, []byte(aKey), lincoln)
	all := []store.Account{acme, lincoln}
	sys(t, "useradd", "-M", "somebody")
	sys(t, "groupadd", "agroup")
	sys(t, "useradd", "-M", "-s", nologin, "-c", loginMarkPrefix+"acme", "-p", "$y$x", "marked")
	must(t, os.Mkdir(s.Base("kept"), 0o700))
	before := snapshot(t)
	for _, name := range []string{
		"", "A", "a", "..", "../x", "x/y", "a b", "a,b", "anna\nroot", "*", "picday", "picday-sftp", strings.Repeat("a", 32),
		"root", "daemon", "sshd", "nobody", "somebody", "agroup", "marked", "kept", "acme", "lincoln", "anna",
	} {
		for _, a := range []store.Account{acme, lincoln} {
			if _, err := s.AddLogin(t.Context(), a, LoginSpec{Login: store.Login{Name: name}, Password: "some-password"}, all); !errors.Is(err, ErrRefused) && !errors.Is(err, ErrInvalid) {
				t.Errorf("a log-in %q of %s: %v", name, a.Name, err)
			}
		}
		if name != "marked" && name != "kept" && name != "acme" && name != "lincoln" && name != "anna" {
			if done, err := s.RemoveLogin(t.Context(), acme, name, all); len(done) > 0 {
				t.Errorf("%q removed: %q %v", name, done, err)
			}
		}
	}
	for _, x := range []string{"lincoln", "acme"} { // whatever the catalogue says
		if done, err := s.RemoveLogin(t.Context(), acme.WithLogin(store.Login{Name: x}), x, all); len(done) > 0 {
			t.Errorf("%s removed: %q %v", x, done, err)
		}
	}
	if done, err := s.RemoveLogin(t.Context(), lincoln, "anna", all); len(done) > 0 {
		t.Errorf("another account's log-in removed: %q %v", done, err)
	}
	if _, err := s.Add(t.Context(), Spec{Account: account("anna", layout.Jobs)}, all); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "log-in of the account acme") {
		t.Errorf("an account of a log-in's name: %v", err)
	}
	anna := account("anna", layout.Jobs)
	for what, do := range map[string]func() error{
		"allow":   func() error { _, err := s.SetAllow(t.Context(), anna, all); return err },
		"disable": func() error { _, err := s.Disable(t.Context(), anna); return err },
		"enable":  func() error { _, err := s.Enable(t.Context(), anna, all); return err },
		"remove":  func() error { _, err := s.Remove(t.Context(), anna, all, true); return err },
		"job":     func() error { _, err := s.AddJob("anna", "j"); return err },
		"of no account": func() error {
			_, err := s.AddLogin(t.Context(), account("none", layout.Jobs), LoginSpec{Login: store.Login{Name: "new"}}, all)
			return err
		},
	} {
		if err := do(); err == nil {
			t.Errorf("%s works", what)
		}
	}
	if after := snapshot(t); after != before {
		t.Error(differences(before, after))
	}
}

// TestHostileLoginRows: whatever stands in the table of log-ins, nobody enters one
// account by what is another's, nothing of it gets into what root writes, and every
// account can still be closed.
func TestHostileLoginRows(t *testing.T) {
	s := initWorld(t)
	ctx := t.Context()
	db := catalogue(t)
	acme, lincoln, closing := account("acme", layout.Jobs, "203.0.113.0/24"), account("lincoln", layout.Portraits), account("closing", layout.Jobs)
	lincoln.IDPattern = layout.DefaultIDPattern
	for i, a := range []store.Account{acme, lincoln, closing} {
		_, err := s.Add(ctx, Spec{Account: a, Password: "some-password"}, []store.Account{acme, lincoln, closing}[:i])
		must(t, err)
		db.enter(a)
	}
	known := func() []store.Account {
		all, err := db.s.All().Accounts(ctx)
		must(t, err)
		return all
	}
	for _, name := range []string{"anna", "bert"} {
		l := store.Login{Name: name, Until: day(t, "2090-12-31")}
		acme := known()[0]
		addLogin(t, s, acme, l, []byte(aKey), known()[1:]...)
		must(t, db.s.Update(ctx, func(tx *store.Tx) error { _, err := tx.AddLogin(acme, l); return err }))
	}
	sys(t, "useradd", "-M", "somebody")
	healthy(t, s, known()...)
	before := snapshot(t)
	lines, err := readFile(s.Config.SSHD.DropIn)
	must(t, err)
	_, err = db.Exec("CREATE TEMP TABLE good AS SELECT * FROM login")
	must(t, err)
	for _, change := range []string{
		`UPDATE login SET account_id = (SELECT id FROM account WHERE name = 'lincoln') WHERE name = 'anna'`,
		`UPDATE login SET until = '' WHERE name = 'anna'`,
		`UPDATE login SET until = '2099-12-31' WHERE name = 'anna'`,
		`UPDATE login SET until = 'x' || char(10) || 'Match User root' WHERE name = 'anna'`,
		`UPDATE login SET name = 'lincoln' WHERE name = 'anna'`,
		`UPDATE login SET name = 'acme' WHERE name = 'anna'`,
		`UPDATE login SET name = 'root' WHERE name = 'anna'`,
		`UPDATE login SET name = 'somebody' WHERE name = 'anna'`,
		`UPDATE login SET name = 'x' || char(10) || 'Match User root' WHERE name = 'anna'`,
		`UPDATE login SET name = '*' WHERE name = 'anna'`,
		`UPDATE account SET name = 'anna' WHERE name = 'lincoln'`,
		`INSERT INTO login SELECT printf('x%03d', value), (SELECT id FROM account WHERE name = 'acme'), '', 0
			FROM (WITH RECURSIVE n (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < 400) SELECT value FROM n)`,
	} {
		_, err := db.Exec(change)
		must(t, err)
		all := known()
		acme, other := all[0], account("other", layout.Jobs)
		for what, do := range map[string]func() error{
			"add": func() error { _, err := s.Add(ctx, Spec{Account: other}, all); return err },
			"log-in": func() error {
				_, err := s.AddLogin(ctx, acme, LoginSpec{Login: store.Login{Name: "new"}}, all)
				return err
			},
			"allow":  func() error { _, err := s.SetAllow(ctx, acme, all); return err },
			"enable": func() error { _, err := s.Enable(ctx, acme, all); return err },
			"init":   func() error { _, err := s.Init(ctx, all...); return err },
		} {
			if err := do(); !errors.Is(err, ErrRefused) || strings.ContainsAny(err.Error(), "\n\x00") || len(err.Error()) > 800 {
				t.Errorf("%s: %s: %v", change, what, err)
			}
		}
		fails := 0
		for _, f := range s.Check(ctx, all, true) {
			if f.Status == "fail" {
				fails++
			}
		}
		if fails == 0 {
			t.Errorf("%s: doctor does not say so", change)
		}
		if now := snapshot(t); now != before {
			t.Fatalf("%s: %s", change, differences(before, now))
		}
		// Closing goes on, for the account itself and for others.
		_, err = s.Disable(ctx, acme)
		must(t, err)
		for _, name := range []string{"acme", "anna", "bert"} {
			if u, _ := lookupUser(name); !u.closed() {
				t.Errorf("%s: %s is not closed", change, name)
			}
		}
		if strings.Contains(change, "printf") { // the last
			_, err = s.Remove(ctx, closing, all, true)
			must(t, err)
			now, err := readFile(s.Config.SSHD.DropIn)
			must(t, err)
			if want := strings.ReplaceAll(string(lines), ",closing", ""); string(now) != want {
				t.Error(differences(want, string(now)))
			}
		}
		_, err = db.Exec(`DELETE FROM login; INSERT INTO login SELECT * FROM good; UPDATE account SET name = 'lincoln' WHERE name = 'anna'`)
		must(t, err)
		if strings.Contains(change, "printf") {
			break
		}
		_, err = s.Enable(ctx, known()[0], known())
		must(t, err)
	}
}

// TestInterruptedLogin: useradd may be killed between any two of its files.
func TestInterruptedLogin(t *testing.T) {
	for _, lost := range [][]string{{shadowFile, groupFile, "/etc/gshadow"}, {groupFile, "/etc/gshadow"}, {"/etc/gshadow"}, nil} {
		s := initWorld(t)
		acme := account("acme", layout.Jobs)
		_, err := s.Add(t.Context(), Spec{Account: acme, Password: "some-password"}, nil)
		must(t, err)
		before := map[string][]byte{}
		for _, f := range lost {
			before[f], _ = os.ReadFile(f)
		}
		u, _ := lookupUser("acme")
		l := store.Login{Name: "anna"}
		sys(t, "useradd", append(s.useradd(markOf(acme, l)), "--non-unique", "--uid", fmt.Sprint(u.uid), "anna")...)
		for f, data := range before {
			must(t, os.WriteFile(f, data, 0o640))
		}
		for range 2 { // ended, and completed
			if _, err := s.RemoveLogin(t.Context(), acme, "anna", []store.Account{acme}); err != nil {
				t.Errorf("%v lost: %v", lost, err)
			}
			healthy(t, s, acme)
			sys(t, "useradd", append(s.useradd(markOf(acme, l)), "--non-unique", "--uid", fmt.Sprint(u.uid), "anna")...)
			for f, data := range before {
				must(t, os.WriteFile(f, data, 0o640))
			}
		}
		healthy(t, s, addLogin(t, s, acme, l, []byte(aKey)))
	}
}

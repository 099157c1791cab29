package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"picday/internal/layout"
	"picday/internal/localtime"
)

func studios(t *testing.T) (s *Store, acme, lincoln Account) {
	t.Helper()
	s = bareStore(t)
	if err := s.Update(t.Context(), func(tx *Tx) (err error) {
		if acme, err = tx.AddAccount(Account{Name: "acme", Layout: layout.Jobs}); err == nil {
			lincoln, err = tx.AddAccount(Account{Name: "lincoln", Layout: layout.Portraits, IDPattern: layout.DefaultIDPattern})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return s, acme, lincoln
}

func addLogin(s *Store, a Account, name, until string) error {
	l := Login{Name: name}
	if until != "" {
		l.Until, _ = localtime.ParseDay(until)
	}
	return s.Update(context.Background(), func(tx *Tx) error { _, err := tx.AddLogin(a, l); return err })
}

// An account is read with its log-ins, by whatever it is found.
func TestAnAccountComesWithItsLogins(t *testing.T) {
	s, acme, lincoln := studios(t)
	for _, l := range [][2]string{{"bert", ""}, {"anna", "2026-07-31"}} {
		if err := addLogin(s, acme, l[0], l[1]); err != nil {
			t.Fatal(err)
		}
	}
	show := func(a Account, err error) string {
		var all []string
		for _, l := range a.Logins {
			all = append(all, l.Name+" "+l.Until.String())
		}
		return fmt.Sprintf("%s: %s; %v", a.Name, strings.Join(all, ", "), err)
	}
	const want = "acme: anna 2026-07-31, bert ; <nil>"
	all, err := s.All().Accounts(t.Context())
	if err != nil || len(all) != 2 || show(all[0], nil) != want || len(all[1].Logins) != 0 || all[0].Flawed() != nil {
		t.Errorf("%+v %v", all, err)
	}
	for _, got := range []string{
		show(s.All().Account(t.Context(), "acme")), show(s.All().AccountOfLogin(t.Context(), "anna")),
		show(s.View(acme.ID).AccountOfLogin(t.Context(), "bert")),
	} {
		if got != want {
			t.Error(got)
		}
	}
	for _, nobody := range []string{"acme", "eva", ""} {
		if _, err := s.All().AccountOfLogin(t.Context(), nobody); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", nobody, err)
		}
	}
	if _, err := s.View(lincoln.ID).AccountOfLogin(t.Context(), "anna"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another account sees it: %v", err)
	}
	l, err := all[0].Login("anna")
	if err != nil || l.CreatedAt.IsZero() || !l.Ended(l.Until.End()) || l.Ended(l.Until.End().Add(-time.Second)) {
		t.Errorf("%+v %v", l, err)
	}
	if _, err := all[0].Login("eva"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	for _, x := range []struct {
		account Account
		until   localtime.Day
		want    error
	}{{lincoln, localtime.Day{}, ErrNotFound}, {acme, localtime.Day{}, nil}, {acme, l.Until, nil}} {
		err := s.Update(t.Context(), func(tx *Tx) error { return tx.SetLoginEnd(x.account, Login{Name: "anna", Until: x.until}) })
		if !errors.Is(err, x.want) {
			t.Error(err)
		}
		if now, err := s.All().AccountOfLogin(t.Context(), "anna"); err != nil || x.want == nil && now.Logins[0].Until != x.until {
			t.Errorf("%+v %v", now.Logins, err)
		}
	}
	for _, x := range []struct {
		account Account
		name    string
		want    error
	}{{lincoln, "anna", ErrNotFound}, {acme, "eva", ErrNotFound}, {acme, "anna", nil}, {acme, "anna", ErrNotFound}} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.RemoveLogin(x.account, x.name) }); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	if got := show(s.All().Account(t.Context(), "acme")); got != "acme: bert ; <nil>" {
		t.Error(got)
	}
}

// Accounts and log-ins share one name space; a name is free again when its account or
// log-in has gone.
func TestNamesOfAccountsAndLoginsAreOneNameSpace(t *testing.T) {
	s, acme, lincoln := studios(t)
	add := func(name string) error {
		return s.Update(t.Context(), func(tx *Tx) error { _, err := tx.AddAccount(Account{Name: name, Layout: layout.Jobs}); return err })
	}
	if err := addLogin(s, acme, "anna", ""); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{addLogin(s, acme, "anna", ""), addLogin(s, lincoln, "anna", ""), addLogin(s, acme, "acme", ""), addLogin(s, acme, "lincoln", ""), add("anna"), add("acme")} {
		if !errors.Is(err, ErrTaken) {
			t.Errorf("want %v, got %v", ErrTaken, err)
		}
	}
	for _, files := range []bool{false, true} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.RemoveAccount(acme, files) }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.All().AccountOfLogin(t.Context(), "anna"); !errors.Is(err, ErrNotFound) {
			t.Errorf("outlives its account: %v", err)
		}
		if err := addLogin(s, lincoln, "acme", ""); errors.Is(err, ErrTaken) == files { // a kept one comes back
			t.Errorf("gone %v: %v", files, err)
		}
	}
	if err := add("anna"); err != nil {
		t.Error(err)
	}
}

// What somebody else has written into the table is a flaw of its account, and of no
// other one.
func TestHostileLogins(t *testing.T) {
	many := `INSERT INTO login SELECT printf('x%03d', value), ?1, '', 0 FROM (WITH RECURSIVE n (value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM n WHERE value < 400) SELECT value FROM n)`
	one := `INSERT INTO login VALUES (?2, ?1, ?3, 0)`
	for _, c := range []struct {
		insert      string
		name, until any
		say, fix    string
	}{
		{one, "root\nMatch User root", "", "name of one", "from a backup"},
		{one, "", "", "name of one", "from a backup"},
		{one, "acme", "", "name of one", "from a backup"},
		{one, "picday", "", "name of one", "from a backup"},
		{one, strings.Repeat("a", 1<<20), "", "name of one", "from a backup"},
		{one, "a\x00b", "", "name of one", "from a backup"},
		{one, "\xff\xfe", "", "name of one", "from a backup"},
		{one, "bert", "soon\x1b[2J", "last day of bert", "login remove acme bert"},
		{one, "bert", "2026-07-31\n", "last day of bert", "login remove acme bert"},
		{one, "bert", strings.Repeat("9", 1<<20), "last day of bert", "login remove acme bert"},
		{many, nil, nil, "more than 200", "from a backup"},
	} {
		s, acme, _ := studios(t)
		if err := addLogin(s, acme, "anna", ""); err != nil {
			t.Fatal(err)
		}
		args := []any{acme.ID, c.name, c.until}
		if c.name == nil {
			args = args[:1]
		}
		if _, err := s.write.Exec(c.insert, args...); err != nil {
			t.Fatal(err)
		}
		all, err := s.All().Accounts(t.Context())
		if err != nil || len(all) != 2 || all[1].Flawed() != nil {
			t.Errorf("%.40q: %v", c.name, err)
			continue
		}
		a := all[0]
		err = a.Flawed()
		if err == nil || !strings.Contains(err.Error(), c.say) || !strings.Contains(err.Error(), c.fix) || strings.ContainsAny(err.Error(), "\n\x1b\x00") || len(err.Error()) > 600 {
			t.Errorf("%.40q: %v", c.name, err)
		}
		if !a.Readable() || a.Logins[0].Name != "anna" || len(a.Logins) > maxLogins {
			t.Errorf("%.40q: %d log-ins of a readable account", c.name, len(a.Logins))
		}
		if l, err := a.Login("bert"); err == nil && !l.Ended(time.Now()) {
			t.Errorf("a log-in with an unreadable end is open: %+v", l)
		}
	}
}

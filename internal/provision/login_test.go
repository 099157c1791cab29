package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
)

func TestARequestForALogin(t *testing.T) {
	now := time.Date(2026, 7, 31, 12, 0, 0, 0, time.Local)
	for until, want := range map[string]string{"": "", "2026-07-31": "2026-07-31", "2027-01-01": "2027-01-01"} {
		spec, err := LoginRequest{Name: "anna", Until: until}.Spec(now)
		if must(t, err); spec.Login.Name != "anna" || spec.Login.Until.String() != want {
			t.Errorf("%q: %+v", until, spec)
		}
	}
	for until, say := range map[string]string{"2026-07-30": "--until 2026-07-30 is over", "31.7.2026": "not a date", "2026-02-30": "not a date"} {
		if _, err := (LoginRequest{Name: "anna", Until: until}).Spec(now); !failure.IsUsage(err) || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v", until, err)
		}
	}
	for _, name := range []string{"", "Anna", "a", "picday", "../x", "anna\n", "root:x", strings.Repeat("a", 32)} {
		if _, err := (LoginRequest{Name: name}).Spec(now); !failure.IsUsage(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := (LoginRequest{Name: "anna", Credentials: Credentials{NoPassword: true}}).Spec(now); !failure.IsUsage(err) {
		t.Error(err)
	}
}

func newLogin(name string) account.LoginSpec {
	return account.LoginSpec{Login: store.Login{Name: name}}
}

// logins are the names that the catalogue has for acme.
func logins(t *testing.T, x *Accounts) string {
	t.Helper()
	_, all, err := x.ListLogins(t.Context(), "acme")
	must(t, err)
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	return strings.Join(names, " ")
}

func TestALoginComesAndGoes(t *testing.T) {
	x, m := newAccounts(t)
	ctx := t.Context()
	acct, l, report, err := x.AddLogin(ctx, "acme", newLogin("anna"))
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "add anna to acme of 2")
	if acct.Name != "acme" || len(acct.Logins) != 1 || l.CreatedAt.IsZero() {
		t.Errorf("%+v %+v", acct, l)
	}
	m.calls = nil
	for name, want := range map[string]string{
		"anna": "the log-in anna of the account acme exists already: see 'picday account login list acme'", "acme": "the account acme exists already: see 'picday account show acme'",
		"lincoln": "the account lincoln exists already: see 'picday account show lincoln'",
	} {
		_, _, _, err := x.AddLogin(ctx, "lincoln", newLogin(name))
		if err == nil || len(m.calls) > 0 {
			t.Errorf("%s: %v %v", name, err, m.calls)
			continue
		}
		is(t, name, err.Error(), want)
	}
	if _, _, err := x.Add(ctx, newSpec("anna", layout.Jobs)); err == nil || len(m.calls) > 0 {
		t.Errorf("an account of a log-in's name: %v", err)
	}
	for want, change := range map[string]func() ([]string, error){
		"password anna secret": func() ([]string, error) { return x.SetPassword(ctx, "anna", "secret") },
		"keys anna [key]":      func() ([]string, error) { return x.SetKeys(ctx, "anna", [][]byte{[]byte("key")}) },
	} {
		report, err := change()
		must(t, err)
		is(t, "report", strings.Join(report, "; "), want)
	}
	e, err := FindEntrance(ctx, x.Store, "anna")
	if must(t, err); e.Account.Name != "acme" || e.Login == nil || e.Login.Name != "anna" {
		t.Errorf("%+v", e)
	}
	if e, err = FindEntrance(ctx, x.Store, "acme"); err != nil || e.Account.Name != "acme" || e.Login != nil {
		t.Errorf("%+v %v", e, err)
	}
	_, err = FindEntrance(ctx, x.Store, "heron")
	_, rerr := x.RemoveLogin(ctx, "acme", "heron")
	_, lerr := x.RemoveLogin(ctx, "lincoln", "heron")
	_, _, _, aerr := x.AddLogin(ctx, "heron", newLogin("bert"))
	for _, err := range []error{err, rerr, lerr, aerr} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
	}
	m.fail = "remove anna from acme"
	if _, err := x.RemoveLogin(ctx, "acme", "anna"); !errors.Is(err, errFault) {
		t.Error(err)
	}
	is(t, "still there, to be removed again", logins(t, x), "anna")
	m.fail = ""
	report, err = x.RemoveLogin(ctx, "acme", "anna")
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "remove anna from acme")
	is(t, "logins", logins(t, x), "")
	// What a killed run has left on the machine goes too.
	report, err = x.RemoveLogin(ctx, "acme", "anna")
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "remove anna from acme")
}

func TestAddLoginThatFails(t *testing.T) {
	x, m := newAccounts(t)
	m.fail = "add anna to acme of 2"
	if _, _, report, err := x.AddLogin(t.Context(), "acme", newLogin("anna")); !errors.Is(err, errFault) || len(report) != 1 {
		t.Errorf("%v %v", report, err)
	}
	m.fail = ""
	ctx, cancel := context.WithCancel(t.Context())
	m.onCall["add anna to acme of 2"] = cancel // the machine is done, the catalogue is not
	_, _, report, err := x.AddLogin(ctx, "acme", newLogin("anna"))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	is(t, "report", strings.Join(report, "; "), "add anna to acme of 2; remove anna from acme")
	is(t, "logins", logins(t, x), "")
}

// The name of an account that may come back is not given to a log-in.
func TestALoginGetsNoKeptAccountsName(t *testing.T) {
	x, m := newAccounts(t)
	_, err := x.Remove(t.Context(), "acme", Keep, nil)
	must(t, err)
	m.calls = nil
	if _, _, _, err := x.AddLogin(t.Context(), "lincoln", newLogin("acme")); !failure.IsRefusal(err) || len(m.calls) > 0 {
		t.Errorf("%v %v", err, m.calls)
	}
	if _, _, _, err := x.AddLogin(t.Context(), "acme", newLogin("anna")); !errors.Is(err, ErrRemoved) {
		t.Errorf("a log-in of a removed account: %v", err)
	}
}

// Log-ins that are over are closed also while the catalogue cannot be read, and get no
// new secrets.
func TestEndLogins(t *testing.T) {
	x, m := newAccounts(t)
	spec, err := LoginRequest{Name: "anna", Until: "2020-01-31"}.Spec(time.Date(2020, 1, 1, 0, 0, 0, 0, time.Local))
	must(t, err)
	_, _, _, err = x.AddLogin(t.Context(), "acme", spec)
	must(t, err)
	report, err := x.EndLogins(t.Context(), time.Now())
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "end those of 2")
	if _, err := x.SetPassword(t.Context(), "anna", "secret"); !errors.Is(err, ErrOver) || !strings.Contains(err.Error(), "login until acme anna DATE") {
		t.Error(err)
	}
	must(t, x.Store.Close())
	report, err = x.EndLogins(t.Context(), time.Now())
	is(t, "report", strings.Join(report, "; "), "end those of 0")
	if err == nil {
		t.Error("nobody hears of the catalogue")
	}
	if x.Store = nil; m.held {
		t.Error("locked")
	}
	_, err = x.EndLogins(t.Context(), time.Now())
	must(t, err)
}

// A log-in gets another last day, or none, on the machine and then in the catalogue, also
// when the one that it had is over.
func TestSetLoginEnd(t *testing.T) {
	x, m := newAccounts(t)
	spec, err := LoginRequest{Name: "anna", Until: "2020-01-31"}.Spec(time.Date(2020, 1, 1, 0, 0, 0, 0, time.Local))
	must(t, err)
	_, _, _, err = x.AddLogin(t.Context(), "acme", spec)
	must(t, err)
	now := time.Date(2026, 7, 31, 12, 0, 0, 0, time.Local)
	set := func(account, login, until string) (string, error) {
		report, err := x.SetLoginEnd(t.Context(), account, login, until, now)
		return strings.Join(report, "; "), err
	}
	for _, until := range []string{"2026-07-31", "2027-01-31", "never"} {
		day := strings.TrimPrefix(until, "never")
		report, err := set("acme", "anna", until)
		must(t, err)
		is(t, "report", report, fmt.Sprintf("end anna of acme on %q, of 2", day))
		e, err := FindEntrance(t.Context(), x.Store, "anna")
		must(t, err)
		is(t, "the last day", e.Login.Until.String(), day)
	}
	m.calls = nil
	for until, say := range map[string]string{"2026-07-30": "is over", "": "or as never", "31.7.2027": "or as never", "2027-01-31\n": "or as never"} {
		if _, err := set("acme", "anna", until); !failure.IsUsage(err) || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v", until, err)
		}
	}
	for _, who := range [][2]string{{"acme", "bert"}, {"lincoln", "anna"}, {"heron", "anna"}} {
		if _, err := set(who[0], who[1], "never"); !errors.Is(err, store.ErrNotFound) || len(m.calls) > 0 {
			t.Errorf("%q: %v %v", who, err, m.calls)
		}
	}
	m.fail = `end anna of acme on "2027-01-31", of 2`
	if _, err := set("acme", "anna", "2027-01-31"); !errors.Is(err, errFault) {
		t.Error(err)
	}
	if e, err := FindEntrance(t.Context(), x.Store, "anna"); err != nil || !e.Login.Until.IsZero() {
		t.Errorf("the catalogue is before the machine: %v %v", e.Login, err)
	}
}

package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
)

// A machine stands in for account.System: folders instead of Unix accounts.
type machine struct {
	t        *testing.T
	dir      string
	held     bool
	calls    []string
	fail     string // the call that fails
	onCall   map[string]func()
	hostKeys []store.HostKey
}

func (m *machine) called(format string, args ...any) ([]string, error) {
	call := fmt.Sprintf(format, args...)
	m.calls = append(m.calls, call)
	if !m.held {
		m.t.Errorf("%s without the lock", call)
	}
	if do := m.onCall[call]; do != nil {
		do()
	}
	if call == m.fail {
		return []string{"half of " + call}, errFault
	}
	return []string{call}, nil
}

var errFault = errors.New("fault")

func (m *machine) Lock(context.Context) (func(), error) {
	m.held = true
	return func() { m.held = false }, nil
}

func (m *machine) Add(_ context.Context, spec account.Spec, all []store.Account) ([]string, error) {
	return m.called("add %s to %d", spec.Account.Name, len(all))
}

func (m *machine) SetAllow(_ context.Context, a store.Account, all []store.Account) ([]string, error) {
	return m.called("allow %s %v of %d", a.Name, a.AllowFrom, len(all))
}

func (m *machine) SetPassword(_ context.Context, name, password string) ([]string, error) {
	return m.called("password %s %s", name, password)
}

func (m *machine) SetKeys(_ context.Context, name string, keys [][]byte) ([]string, error) {
	return m.called("keys %s %s", name, keys)
}

func (m *machine) AddLogin(_ context.Context, a store.Account, spec account.LoginSpec, all []store.Account) ([]string, error) {
	return m.called("add %s to %s of %d", spec.Login.Name, a.Name, len(all))
}

// RemoveLogin knows nobody called like a bird.
func (m *machine) RemoveLogin(_ context.Context, a store.Account, name string, _ []store.Account) ([]string, error) {
	if name == "heron" {
		return nil, nil
	}
	return m.called("remove %s from %s", name, a.Name)
}

func (m *machine) SetLoginEnd(_ context.Context, a store.Account, l store.Login, all []store.Account) ([]string, error) {
	return m.called("end %s of %s on %q, of %d", l.Name, a.Name, l.Until, len(all))
}

func (m *machine) EndLogins(_ context.Context, all []store.Account, _ time.Time) ([]string, error) {
	return m.called("end those of %d", len(all))
}

func (m *machine) Enable(_ context.Context, a store.Account, all []store.Account) ([]string, error) {
	return m.called("enable %s of %d", a.Name, len(all))
}

func (m *machine) Disable(_ context.Context, a store.Account) ([]string, error) {
	return m.called("disable %s", a.Name)
}

func (m *machine) Remove(_ context.Context, a store.Account, _ []store.Account, files bool) ([]string, error) {
	report, err := m.called("remove %s %v", a.Name, files)
	if files && err == nil {
		err = os.RemoveAll(m.Base(a.Name))
	}
	return report, err
}

func (m *machine) AddJob(account, job string) ([]string, error) {
	report, err := m.called("job %s/%s", account, job)
	if err == nil {
		err = os.MkdirAll(filepath.Join(m.Base(account), job), 0o755)
	}
	return report, err
}

func (m *machine) RemoveJob(account, job string) ([]string, error) {
	report, err := m.called("no job %s/%s", account, job)
	if err == nil {
		err = os.Remove(filepath.Join(m.Base(account), job))
	}
	return report, err
}

func (m *machine) HostKeys(context.Context) ([]store.HostKey, error) {
	if m.hostKeys == nil {
		return nil, errFault
	}
	return m.hostKeys, nil
}

func (m *machine) Base(account string) string { return filepath.Join(m.dir, account) }

func (m *machine) HiddenJobDir(account, job string) string {
	return filepath.Join(m.dir, ".active", account, job)
}

func (m *machine) upload(path string) {
	m.t.Helper()
	must(m.t, os.MkdirAll(filepath.Join(m.dir, filepath.Dir(path)), 0o755))
	must(m.t, os.WriteFile(filepath.Join(m.dir, path), nil, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newAccounts are acme with two photos and an operator and a token of its own,
// and lincoln with nothing.
func newAccounts(t *testing.T) (*Accounts, *machine) {
	t.Helper()
	s, _, err := store.Create(t.Context(), t.TempDir())
	must(t, err)
	t.Cleanup(func() { s.Close() })
	must(t, catalogues.Fill(t.Context(), s, catalogues.Plan{Pictures: catalogues.Pictures(1), Accounts: []catalogues.Account{
		{Name: "acme", Layout: layout.Jobs, Jobs: []catalogues.Job{{Name: "job1", Albums: []catalogues.Album{{Name: "A", Individuals: 2}}}}},
		{Name: "lincoln", Layout: layout.Portraits},
	}}))
	acme, err := s.All().Account(t.Context(), "acme")
	must(t, err)
	must(t, s.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.AddToken(store.Token{Name: "till", Account: "acme", AccountID: acme.ID})
		return errors.Join(err, tx.AddOperator(store.Operator{Name: "eva", Account: "acme", AccountID: acme.ID}, "hash"))
	}))
	m := &machine{t: t, dir: t.TempDir(), onCall: map[string]func(){}}
	return &Accounts{Machine: m, Store: s}, m
}

// state is what the catalogue says of an account.
func state(t *testing.T, x *Accounts, name string) string {
	t.Helper()
	acct, err := x.Store.All().Account(t.Context(), name)
	if errors.Is(err, store.ErrNotFound) {
		return "unknown"
	}
	must(t, err)
	c, err := x.Store.View(acct.ID).Counts(t.Context())
	must(t, err)
	text := map[bool]string{true: "enabled", false: "disabled"}[acct.Enabled]
	if acct.Kept {
		text = "kept"
	}
	return fmt.Sprintf("%s, %d photos", text, c.Photos)
}

func is(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func newSpec(name string, l layout.Kind) account.Spec {
	return account.Spec{Account: store.Account{Name: name, Layout: l}}
}

func TestAdd(t *testing.T) {
	x, m := newAccounts(t)
	acct, report, err := x.Add(t.Context(), newSpec("new", layout.Jobs))
	must(t, err)
	if acct.ID == 0 || !acct.Enabled {
		t.Errorf("%+v", acct)
	}
	is(t, "report", strings.Join(report, "; "), "add new to 2")
	is(t, "new", state(t, x, "new"), "enabled, 0 photos")

	_, _, err = x.Add(t.Context(), newSpec("acme", layout.Jobs))
	if !errors.Is(err, ErrExists) || len(m.calls) != 1 {
		t.Errorf("twice: %v, %v", err, m.calls)
	}
	is(t, "twice", err.Error(), "the account acme exists already: see 'picday account show acme'")
}

// Without what the machine says the catalogue learns nothing, and what the
// catalogue refuses is taken away from the machine.
func TestAddThatFails(t *testing.T) {
	x, m := newAccounts(t)
	m.fail = "add new to 2"
	_, report, err := x.Add(t.Context(), newSpec("new", layout.Jobs))
	if !errors.Is(err, errFault) || len(report) != 1 {
		t.Errorf("%v, %v", report, err)
	}
	is(t, "new", state(t, x, "new"), "unknown")

	m.fail = ""
	ctx, cancel := context.WithCancel(t.Context())
	m.onCall["add new to 2"] = cancel // the machine is done, the catalogue is not
	_, report, err = x.Add(ctx, newSpec("new", layout.Jobs))
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	is(t, "report", strings.Join(report, "; "), "add new to 2; remove new false")
	is(t, "new", state(t, x, "new"), "unknown")
}

// What an earlier account of the name has left is not given to a new one, unless
// its photos were kept for it.
func TestAddWithLeftovers(t *testing.T) {
	x, m := newAccounts(t)
	m.upload("new/job1/1.jpg")
	m.upload(".active/new/job2/2.jpg")
	_, _, err := x.Add(t.Context(), newSpec("new", layout.Jobs))
	if !failure.IsRefusal(err) || len(m.calls) > 0 {
		t.Errorf("%v, %v", err, m.calls)
	}
	is(t, "files", err.Error(), m.Base("new")+" holds 2 files of an earlier account: move them away first, or they would be taken for the new one's")

	_, err = x.Remove(t.Context(), "acme", Keep, nil)
	must(t, err)
	_, _, err = x.Add(t.Context(), newSpec("acme", layout.Portraits))
	if !failure.IsRefusal(err) {
		t.Error(err)
	}
	is(t, "layout", err.Error(), "photos of a removed account acme with the layout jobs are still kept: choose another name, or end them with 'picday account remove acme --files'")
	m.upload("acme/job1/1.jpg")
	_, report, err := x.Add(t.Context(), newSpec("acme", layout.Jobs))
	must(t, err)
	is(t, "report", strings.Join(report[1:], "; "), "acme is the account of this name that was removed with --keep: its photos and links are its again; "+
		"the operator eva sees it again; the token till reads it again")
	is(t, "acme", state(t, x, "acme"), "enabled, 2 photos")
}

// What a change is called, on the machine and in the catalogue.
func TestChanges(t *testing.T) {
	x, m := newAccounts(t)
	ctx := t.Context()
	for want, change := range map[string]func() ([]string, error){
		"allow acme [192.0.2.1/32] of 2": func() ([]string, error) { return x.SetAllow(ctx, "acme", []string{"192.0.2.1"}) },
		"password acme secret":           func() ([]string, error) { return x.SetPassword(ctx, "acme", "secret") },
		"keys acme [key]":                func() ([]string, error) { return x.SetKeys(ctx, "acme", [][]byte{[]byte("key")}) },
		"disable acme":                   func() ([]string, error) { return x.SetEnabled(ctx, "acme", false) },
	} {
		m.fail = want
		if report, err := change(); !errors.Is(err, errFault) || len(report) != 1 {
			t.Errorf("%s, failing: %v %v", want, report, err)
		}
		if acct, _ := x.Store.All().Account(ctx, "acme"); !acct.Enabled || len(acct.AllowFrom) > 0 && want[0] == 'a' {
			t.Errorf("%s, failing: the catalogue says %+v", want, acct)
		}
		m.fail = ""
		report, err := change()
		must(t, err)
		is(t, "report", strings.Join(report, "; "), want)
		if want == "disable acme" {
			is(t, "acme", state(t, x, "acme"), "disabled, 2 photos")
			_, err := x.SetEnabled(ctx, "acme", true)
			must(t, err)
			is(t, "acme", state(t, x, "acme"), "enabled, 2 photos")
		}
	}
	acct, err := x.Store.All().Account(ctx, "acme")
	must(t, err)
	is(t, "allowlist", fmt.Sprint(acct.AllowFrom), "[192.0.2.1/32]")
	m.calls = nil
	if _, err := x.SetAllow(ctx, "acme", []string{"nonsense"}); !errors.Is(err, account.ErrInvalid) || len(m.calls) > 0 {
		t.Errorf("%v, %v", err, m.calls)
	}
	must(t, x.SetZone(ctx, acct, "Europe/Lisbon"))
	must(t, x.SetLanguage(ctx, acct, "de"))
	if acct, _ = x.Store.All().Account(ctx, "acme"); acct.TimeZone != "Europe/Lisbon" || acct.Language != "de" {
		t.Errorf("%+v", acct)
	}
	for _, err := range []error{x.SetZone(ctx, acct, "Lisbon"), x.SetLanguage(ctx, acct, "fr")} {
		if !failure.IsUsage(err) {
			t.Error(err)
		}
	}
}

func TestNoSuchAccount(t *testing.T) {
	x, _ := newAccounts(t)
	_, err := x.SetPassword(t.Context(), "nobody", "")
	_, rerr := x.Remove(t.Context(), "nobody", Delete, nil)
	for _, err := range []error{err, rerr} {
		if !errors.Is(err, store.ErrNotFound) || !strings.HasSuffix(err.Error(), ": see 'picday account list'") {
			t.Error(err)
		}
	}
	_, err = x.Remove(t.Context(), "acme", Keep, nil)
	must(t, err)
	if _, err = x.SetPassword(t.Context(), "acme", ""); !errors.Is(err, ErrRemoved) || !errors.Is(err, store.ErrNotFound) {
		t.Error(err)
	}
	is(t, "kept", err.Error(), "account \"acme\" was removed, only its photos and files are still kept: not found")
}

// The keys that sshd says are kept, and those that it said last stand in.
func TestHostKeys(t *testing.T) {
	x, m := newAccounts(t)
	m.hostKeys = []store.HostKey{{Type: "ssh-ed25519", SHA256: "SHA256:x"}}
	for range 2 {
		keys, unasked, err := x.HostKeys(t.Context())
		if !slices.Equal(keys, []store.HostKey{{Type: "ssh-ed25519", SHA256: "SHA256:x"}}) || err != nil || (unasked != nil) != (m.hostKeys == nil) {
			t.Errorf("%v, %v, %v", keys, unasked, err)
		}
		m.hostKeys = nil
	}
	x.Machine = nil
	if keys, unasked, err := x.HostKeys(t.Context()); len(keys) != 1 || unasked != nil || err != nil {
		t.Errorf("without a machine: %v, %v, %v", keys, unasked, err)
	}
}

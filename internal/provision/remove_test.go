package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
)

// Without being told what becomes of them, an account with photos or files stays.
func TestRemoveThatIsNotEmpty(t *testing.T) {
	x, m := newAccounts(t)
	m.upload("acme/job1/1.jpg")
	m.upload(".active/acme/job2/2.jpg")
	_, err := x.Remove(t.Context(), "acme", Required, nil)
	if !failure.IsRefusal(err) || len(m.calls) > 0 {
		t.Errorf("%v, %v", err, m.calls)
	}
	is(t, "acme", err.Error(), "acme has 4 files or photos, counting those in the trash.\n"+
		"To remove the login and keep them: picday account remove acme --keep\nTo delete the uploads, and the photos with them: picday account remove acme --files")
	is(t, "acme", state(t, x, "acme"), "enabled, 2 photos")
	m.upload("lincoln/lincoln/user-pictures/1.jpg")
	if _, err = x.Remove(t.Context(), "lincoln", Required, nil); !failure.IsRefusal(err) {
		t.Error(err)
	}
}

// An account with jobs alone is somebody's who is about to upload.
func TestRemoveOfAnAccountWithJobsAsks(t *testing.T) {
	x, m := newAccounts(t)
	acct, _, err := x.Add(t.Context(), newSpec("planned", layout.Jobs))
	must(t, err)
	must(t, x.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.AddJob(acct, "job1") }))
	m.calls = nil
	if _, err = x.Remove(t.Context(), "planned", Required, nil); !failure.IsRefusal(err) || !strings.HasPrefix(err.Error(), "planned has 1 jobs, without files or photos.\n") || len(m.calls) > 0 {
		t.Errorf("%v, %v", err, m.calls)
	}
	_, err = x.Remove(t.Context(), "planned", Delete, nil)
	must(t, err)
	is(t, "planned", state(t, x, "planned"), "unknown")
}

func TestRemoveEmpty(t *testing.T) {
	x, m := newAccounts(t)
	report, err := x.Remove(t.Context(), "lincoln", Required, nil)
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "disable lincoln; remove lincoln true")
	is(t, "lincoln", state(t, x, "lincoln"), "unknown")

	// What comes in until the login is closed is kept.
	_, _, err = x.Add(t.Context(), newSpec("late", layout.Jobs))
	must(t, err)
	m.onCall["disable late"] = func() { m.upload("late/job1/1.jpg") }
	report, err = x.Remove(t.Context(), "late", Required, nil)
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "disable late; remove late false")
	is(t, "late", state(t, x, "late"), "kept, 0 photos")
}

func TestRemoveKeepsOrDeletes(t *testing.T) {
	x, _ := newAccounts(t)
	ctx := t.Context()
	acme, err := x.Store.All().Account(ctx, "acme")
	must(t, err)
	must(t, x.Store.Update(ctx, func(tx *store.Tx) error { _, err := tx.AddLogin(acme, store.Login{Name: "freda"}); return err }))
	report, err := x.Remove(ctx, "acme", Keep, nil)
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "remove acme false; ended the log-in freda: it does not come back with the account")
	is(t, "acme", state(t, x, "acme"), "kept, 2 photos")
	for _, again := range []Contents{Keep, Required} {
		if report, err := x.Remove(ctx, "acme", again, nil); len(report) > 0 || err != nil {
			t.Errorf("again: %v, %v", report, err)
		}
	}

	told := ""
	report, err = x.Remove(ctx, "acme", Delete, func(done, of int) { told += fmt.Sprintf("%d of %d;", done, of) })
	must(t, err)
	is(t, "progress", told, "2 of 2;")
	is(t, "report", strings.Join(report, "; "), "remove acme true; removed the operator eva of the administration pages; revoked the token till")
	is(t, "acme", state(t, x, "acme"), "unknown")
	operators, err := x.Store.Operators(ctx)
	if len(operators) > 0 || err != nil {
		t.Errorf("operators: %v, %v", operators, err)
	}
	_, _, err = x.Add(ctx, newSpec("acme", layout.Jobs)) // somebody else
	must(t, err)
	is(t, "acme", state(t, x, "acme"), "enabled, 0 photos")
}

// The catalogue is changed last: whatever fails before, the same removal can be
// run again. A Unix user that is gone is no obstacle.
func TestRemoveThatFails(t *testing.T) {
	x, m := newAccounts(t)
	ctx := t.Context()
	m.fail = "remove acme true"
	report, err := x.Remove(ctx, "acme", Delete, nil)
	if !errors.Is(err, errFault) || len(report) != 1 {
		t.Errorf("%v, %v", report, err)
	}
	is(t, "acme", state(t, x, "acme"), "enabled, 2 photos")

	// Interrupted after some photos were withdrawn.
	m.fail = ""
	acme, err := x.Store.All().Account(ctx, "acme")
	must(t, err)
	must(t, x.Store.EmptyAccount(ctx, acme, nil))
	is(t, "acme", state(t, x, "acme"), "enabled, 0 photos")
	if _, _, err := x.Add(ctx, newSpec("acme", layout.Jobs)); !errors.Is(err, ErrExists) {
		t.Errorf("added over an interrupted removal: %v", err)
	}
	_, err = x.Remove(ctx, "acme", Delete, nil)
	must(t, err)
	is(t, "acme", state(t, x, "acme"), "unknown")

	x.Machine = noUser{m}
	report, err = x.Remove(ctx, "lincoln", Required, nil)
	must(t, err)
	is(t, "report", strings.Join(report, "; "), "remove lincoln true")
}

// noUser is a machine whose Unix user is gone.
type noUser struct{ *machine }

func (noUser) Disable(_ context.Context, a store.Account) ([]string, error) {
	return nil, fmt.Errorf("user %s: %w", a.Name, account.ErrNoAccount)
}

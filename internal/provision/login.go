package provision

import (
	"context"
	"errors"
	"fmt"
	"time"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/helper"
	"picday/internal/localtime"
	"picday/store"
)

// ErrOver is in the error for a log-in that has, or would get, a last day that is over.
var ErrOver = errors.New("is over")

// A LoginRequest is for a new log-in of an account, as it was typed.
type LoginRequest struct {
	Name  string
	Until string // its last day: 2026-07-31; empty for none
	Credentials
}

// Spec checks the request and reads its files. The password is left to the caller.
// Errors are failure.Usage, or say that a file cannot be read.
func (r LoginRequest) Spec(now time.Time) (spec account.LoginSpec, err error) {
	l := store.Login{Name: r.Name}
	if err := account.ValidName(r.Name); err != nil {
		return spec, failure.Usage(err)
	}
	if r.Until != "" {
		if l.Until, err = lastDay(r.Until, now); err != nil {
			return spec, failure.Usagef("--until %w", err)
		}
	}
	keys, err := r.Keys()
	return account.LoginSpec{Login: l, Keys: keys}, err
}

// lastDay reads the last day of a log-in, which must not be over.
func lastDay(text string, now time.Time) (localtime.Day, error) {
	day, err := localtime.ParseDay(text)
	if err == nil && (store.Login{Until: day}).Ended(now) {
		err = fmt.Errorf("%s %w: give the last day on which the log-in is to work", day, ErrOver)
	}
	return day, err
}

// SetLoginEnd gives a log-in another last day, or with helper.Never none. One whose day was over
// is opened again.
func (x *Accounts) SetLoginEnd(ctx context.Context, name, login, until string, now time.Time) ([]string, error) {
	var day localtime.Day
	if until != helper.Never {
		var err error
		if day, err = lastDay(until, now); err != nil && !errors.Is(err, ErrOver) {
			return nil, failure.Usagef("%w, or as %s", err, helper.Never)
		} else if err != nil {
			return nil, failure.Usage(err)
		}
	}
	return x.Change(ctx, name, func(a store.Account, all []store.Account) (report []string, err error) {
		l, err := a.Login(login)
		if err != nil {
			return nil, fmt.Errorf("%w: see 'picday account login list %s'", err, a.Name)
		}
		if err := a.Flawed(); err != nil {
			return nil, err
		}
		l.Until = day
		if report, err = x.Machine.SetLoginEnd(ctx, a, l, all); err != nil {
			return report, err
		}
		return report, x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetLoginEnd(a, l) })
	})
}

// nameFree fails with ErrExists for a name that an account or a log-in has.
func nameFree(name string, all []store.Account) error {
	for _, a := range all {
		if a.Name == name {
			return fmt.Errorf("the account %s %w: see 'picday account show %[1]s'", name, ErrExists)
		}
		if _, err := a.Login(name); err == nil {
			return fmt.Errorf("the log-in %s of the account %s %w: see 'picday account login list %[2]s'", name, a.Name, ErrExists)
		}
	}
	return nil
}

// AddLogin makes a log-in of an account on the machine, then in the catalogue, and
// returns the account and the log-in as the catalogue has them.
func (x *Accounts) AddLogin(ctx context.Context, name string, spec account.LoginSpec) (acct store.Account, l store.Login, report []string, err error) {
	l = spec.Login
	report, err = x.Change(ctx, name, func(a store.Account, all []store.Account) (report []string, err error) {
		if err := nameFree(l.Name, all); err != nil {
			return nil, err
		}
		// A name that waits for its account to come back is no other's.
		if _, err := x.Store.All().Account(ctx, l.Name); err == nil {
			return nil, failure.Refusalf("photos of a removed account %s are still kept, and come back with this name: choose another one", l.Name)
		} else if !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if report, err = x.Machine.AddLogin(ctx, a, spec, all); err != nil {
			return report, err
		}
		err = x.Store.Update(ctx, func(tx *store.Tx) (err error) {
			l, err = tx.AddLogin(a, l)
			return err
		})
		if err != nil {
			undone, uerr := x.Machine.RemoveLogin(context.WithoutCancel(ctx), a, l.Name, all)
			return append(report, undone...), errors.Join(err, uerr)
		}
		acct = a.WithLogin(l)
		return report, nil
	})
	return acct, l, report, err
}

// RemoveLogin ends a log-in and its live sessions. What was uploaded by it stays, and
// is the account's.
func (x *Accounts) RemoveLogin(ctx context.Context, name, login string) ([]string, error) {
	return x.Change(ctx, name, func(a store.Account, all []store.Account) (report []string, err error) {
		_, unknown := a.Login(login)
		report, err = x.Machine.RemoveLogin(ctx, a, login, all) // also what the catalogue has not: a killed run's
		switch {
		case err != nil:
			return report, err
		case unknown == nil:
			return report, x.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemoveLogin(a, login) })
		case len(report) == 0:
			return nil, fmt.Errorf("%w: see 'picday account login list %s'", unknown, a.Name)
		}
		return report, nil
	})
}

// ListLogins lists the log-ins of an account by name.
func (x *Accounts) ListLogins(ctx context.Context, name string) (store.Account, []store.Login, error) {
	acct, err := Find(ctx, x.Store, name)
	return acct, acct.Logins, err
}

// EndLogins closes the log-ins of all accounts whose last day is over, and ends their
// live sessions. If the catalogue cannot be read, it goes by the machine alone.
func (x *Accounts) EndLogins(ctx context.Context, now time.Time) (report []string, err error) {
	release, err := x.Machine.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var all []store.Account
	if x.Store != nil {
		all, err = x.Store.All().Accounts(ctx)
	}
	report, merr := x.Machine.EndLogins(ctx, all, now)
	return report, errors.Join(merr, err)
}

// An Entrance is an account and the name that it is entered by: its own or a log-in's.
type Entrance struct {
	Account store.Account
	Login   *store.Login // nil = the account's own name
}

// FindEntrance finds an account that has not been removed by its own name or that of
// one of its log-ins.
func FindEntrance(ctx context.Context, s *store.Store, name string) (Entrance, error) {
	acct, err := s.All().AccountOfLogin(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		acct, err = Find(ctx, s, name)
		return Entrance{Account: acct}, err
	}
	if err != nil {
		return Entrance{}, fmt.Errorf("%w: see 'picday account list'", err)
	}
	l, err := acct.Login(name)
	return Entrance{acct, &l}, err
}

// SetPassword replaces the password of an account or a log-in.
func (x *Accounts) SetPassword(ctx context.Context, name, password string) ([]string, error) {
	return x.setSecret(ctx, name, func() ([]string, error) { return x.Machine.SetPassword(ctx, name, password) })
}

// SetKeys replaces the keys of an account or a log-in by those in the contents of
// public key files.
func (x *Accounts) SetKeys(ctx context.Context, name string, keys [][]byte) ([]string, error) {
	return x.setSecret(ctx, name, func() ([]string, error) { return x.Machine.SetKeys(ctx, name, keys) })
}

func (x *Accounts) setSecret(ctx context.Context, name string, set func() ([]string, error)) ([]string, error) {
	release, err := x.Machine.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	e, err := FindEntrance(ctx, x.Store, name)
	if err != nil {
		return nil, err
	}
	if e.Login != nil && e.Login.Ended(time.Now()) {
		return nil, fmt.Errorf("the last day of the log-in %s, %s, %w: to go on, give it another one with 'picday account login until %s %[1]s DATE'", name, e.Login.Until, ErrOver, e.Account.Name)
	}
	return set()
}

// ExpireLogins is EndLogins as of now, and nothing where there are no log-ins. open opens the
// catalogue; where that fails, what root alone has written is enough to close them.
func ExpireLogins(ctx context.Context, sys *account.System, open func(context.Context) (*store.Store, error)) ([]string, error) {
	if none, err := account.NoLogins(); none || err != nil {
		return nil, err
	}
	s, err := open(ctx)
	x := Accounts{Machine: sys, Store: s}
	if err != nil {
		x.Store = nil
	}
	done, eerr := x.EndLogins(ctx, time.Now())
	return done, errors.Join(err, eerr)
}

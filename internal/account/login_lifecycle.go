package account

import (
	"context"
	"errors"
	"slices"
	"time"

	"picday/store"
)

// A LoginSpec is a new log-in of an account.
type LoginSpec struct {
	Login    store.Login
	Keys     [][]byte // the contents of public key files
	Password string   // "" = no password login
}

// AddLogin creates a log-in of an account, and opens it if the account is enabled. all
// are the accounts that exist. An AddLogin that was killed is completed by the same one.
func (s *System) AddLogin(ctx context.Context, a store.Account, spec LoginSpec, all []store.Account) (report []string, err error) {
	l := spec.Login
	e := entrance{l.Name, a}
	if err := ValidName(l.Name); err != nil {
		return nil, err
	}
	if spec.Password != "" {
		if err := validPassword(spec.Password); err != nil {
			return nil, err
		}
	}
	keys, err := keyText(spec.Keys)
	if err != nil {
		return nil, err
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.ready(); err != nil {
		return nil, err
	}
	if _, err := ownUser(a.Name); err != nil {
		return nil, err
	}
	if err := s.checkLoginFree(e, all); err != nil {
		return nil, err
	}
	if u, err := lookupUser(l.Name); err != nil {
		return nil, err
	} else if u != nil && u.comment != markOf(a, l) {
		return nil, refused("the log-in %s was begun with another last day, and not finished: end it first with \"picday account login remove %s %[1]s\"", l.Name, a.Name)
	}
	a = a.WithLogin(l)
	e.acct = a
	steps := []step{
		s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowed(ctx, e) }),
		s.loginUserStep(a, l, true),
		assert(func(ctx context.Context) error { return s.provenIn(ctx, e, newAskedClasses()) }),
		s.passwordStep(l.Name, spec.Password),
		s.keyStep(l.Name, keys, a.Enabled),
	}
	if !a.Enabled {
		return s.apply(ctx, steps)
	}
	return s.apply(ctx, append(steps, s.noKeysStep(l.Name), s.openStep(l.Name, true)))
}

// checkLoginFree refuses a name that is an account's or another log-in's, or that of a
// folder of an account: sshd would jail it there, if it lost the lines about log-ins.
func (s *System) checkLoginFree(e entrance, all []store.Account) error {
	for _, x := range all {
		for _, other := range entrances(x) {
			switch {
			case other.name != e.name:
			case other.login():
				return refused("the account %s has a log-in %s already", x.Name, e.name)
			default:
				return refused("%s is an account of its own; choose another name", e.name)
			}
		}
	}
	if exists(s.Base(e.name)) {
		return refused("%s is there, the folder of an earlier account %s; choose another name", s.Base(e.name), e.name)
	}
	return checkFree(e)
}

// RemoveLogin ends the live sessions of a log-in, and those alone, and deletes its Unix
// user, its keys and its lines in the drop-in, in this order. What it has uploaded
// stays. A user that is not this log-in's is left alone.
func (s *System) RemoveLogin(ctx context.Context, a store.Account, name string, all []store.Account) (report []string, err error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	u, err := lookupUser(name)
	if err != nil {
		return nil, err
	}
	if u != nil && !u.isLoginOf(a.Name) {
		return nil, nil // the catalogue alone says that it is one
	}
	for _, x := range all {
		if x.Name == name || x.Name != a.Name && slices.ContainsFunc(x.Logins, func(l store.Login) bool { return l.Name == name }) {
			return nil, nil
		}
	}
	others, err := sound(with(all, a.WithoutLogin(name)))
	if err != nil {
		return nil, err
	}
	return s.apply(ctx, append(s.closeSteps(name),
		s.noKeysStep(name),
		s.loginGoneStep(name),
		s.dropInStep(others, name, nil)))
}

// SetLoginEnd gives a log-in of an account the last day that l has, or none. One that was
// closed because its day was over is opened again, if the account is enabled. A run that
// was killed is completed by the same one, whatever day it has left behind.
func (s *System) SetLoginEnd(ctx context.Context, a store.Account, l store.Login, all []store.Account) (report []string, err error) {
	if err := ValidName(l.Name); err != nil {
		return nil, err
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.ready(); err != nil {
		return nil, err
	}
	if _, err := ownUser(a.Name); err != nil {
		return nil, err
	}
	u, err := anyUser(l.Name)
	if err != nil {
		return nil, err
	}
	if !u.isLoginOf(a.Name) {
		return nil, notOurs(u)
	}
	a = a.WithLogin(l)
	e := entrance{l.Name, a}
	steps := []step{s.lastDayStep(a, l, a.Enabled && u.open())}
	if a.Enabled {
		steps = append(steps,
			s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowed(ctx, e) }),
			assert(func(ctx context.Context) error { return s.provenIn(ctx, e, newAskedClasses()) }),
			moveStep("put the keys of "+l.Name+" back", s.disabledKeyFile(l.Name), s.keyFile(l.Name)),
			s.openStep(l.Name, true))
	}
	return s.apply(ctx, steps)
}

// CloseStrayLogins closes the log-ins that an earlier installation has left on this
// machine with another last day than these accounts', and gives them theirs: they are
// opened with their accounts. It is for a restore, which goes by the backup.
func (s *System) CloseStrayLogins(ctx context.Context, all []store.Account) (report []string, err error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var steps []step
	for _, a := range all {
		for _, l := range a.Logins {
			u, err := lookupUser(l.Name)
			if err != nil {
				return nil, err
			}
			if u != nil && u.isLoginOf(a.Name) && u.comment != markOf(a, l) {
				steps = append(append(steps, s.closeSteps(l.Name)...), s.lastDayStep(a, l, false))
			}
		}
	}
	return s.apply(ctx, steps)
}

// EndLogins closes the log-ins whose last day is over, by what the catalogue says or
// their Unix users, and ends their live sessions. So whoever writes into the catalogue
// can end one, but not prolong it.
func (s *System) EndLogins(ctx context.Context, all []store.Account, now time.Time) (report []string, err error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	users, err := loginUsers("")
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		ended := u.login.ended(now) || slices.ContainsFunc(all, func(a store.Account) bool {
			l, err := a.Login(u.name)
			return err == nil && a.Name == u.login.account && l.Ended(now)
		})
		if !ended {
			continue
		}
		done, cerr := s.apply(ctx, s.closeSteps(u.name))
		report, err = append(report, done...), errors.Join(err, cerr) // and go on with the others
	}
	return report, err
}

// stillOpen returns the log-ins of an account that are let in with it.
func (s *System) stillOpen(a store.Account) (logins []store.Login, err error) {
	for _, l := range a.Logins {
		u, err := lookupUser(l.Name)
		if err != nil {
			return nil, err
		}
		if u != nil && !l.Ended(time.Now()) {
			logins = append(logins, l)
		}
	}
	return logins, nil
}

func names(logins []store.Login) (all []string) {
	for _, l := range logins {
		all = append(all, l.Name)
	}
	return all
}

// noKeysStep deletes the keys that were set aside.
func (s *System) noKeysStep(name string) step {
	return fileStep("deleted the keys of "+name, s.disabledKeyFile(name), nil, 0o644)
}

// ReinstateLogin is Reinstate for a log-in of the account.
func (s *System) ReinstateLogin(ctx context.Context, a store.Account, l store.Login, sec Secrets) (report []string, err error) {
	keys, err := sec.check(l.Name)
	if err != nil {
		return nil, err
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	steps := []step{
		s.openStep(l.Name, false),
		sessionsStep(l.Name),
		s.loginUserStep(a, l, true),
		assert(func(ctx context.Context) error { return s.provenIn(ctx, entrance{l.Name, a}, newAskedClasses()) }),
	}
	return s.apply(ctx, append(steps, s.secretSteps(l.Name, sec, keys)...))
}

// Package provision adds, changes and removes accounts and their log-ins: on the machine, which
// package account does, and in the catalogue.
//
// It promises: whatever is interrupted can simply be run again. The catalogue
// is changed after the machine, and by a removal last of all, because as long as
// it knows the account the removal can be repeated. Nobody gets what another
// account of the same name has left, unless the catalogue says that it is the
// same account.
//
// It prints nothing. Its functions return sentences that say what they did, also
// beside an error, and none for what was so already.
package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/contract"
	"picday/internal/failure"
	"picday/internal/language"
	"picday/internal/zone"
	"picday/store"
)

// A Machine is what of the system is needed; *account.System is one. Its
// methods return sentences that say what they did.
type Machine interface {
	Lock(ctx context.Context) (release func(), err error)
	Add(ctx context.Context, spec account.Spec, all []store.Account) (report []string, err error)
	SetAllow(ctx context.Context, a store.Account, all []store.Account) (report []string, err error)
	SetPassword(ctx context.Context, name, password string) (report []string, err error)
	SetKeys(ctx context.Context, name string, keys [][]byte) (report []string, err error)
	Enable(ctx context.Context, a store.Account, all []store.Account) (report []string, err error)
	Disable(ctx context.Context, a store.Account) (report []string, err error)
	Remove(ctx context.Context, a store.Account, all []store.Account, files bool) (report []string, err error)
	AddLogin(ctx context.Context, a store.Account, spec account.LoginSpec, all []store.Account) (report []string, err error)
	RemoveLogin(ctx context.Context, a store.Account, name string, all []store.Account) (report []string, err error)
	SetLoginEnd(ctx context.Context, a store.Account, l store.Login, all []store.Account) (report []string, err error)
	EndLogins(ctx context.Context, all []store.Account, now time.Time) (report []string, err error)
	AddJob(account, job string) (report []string, err error)
	RemoveJob(account, job string) (report []string, err error)
	HostKeys(ctx context.Context) ([]store.HostKey, error)
	Base(account string) string
	HiddenJobDir(account, job string) string
}

// Reasons why an account is not added or changed; test with errors.Is.
var (
	ErrExists  = errors.New("exists already")
	ErrRemoved = fmt.Errorf("only its photos and files are still kept: %w", store.ErrNotFound)
)

// Accounts are those of one machine and its catalogue.
type Accounts struct {
	Machine Machine
	Store   *store.Store
}

// Find finds an account that has not been removed.
func Find(ctx context.Context, s *store.Store, name string) (store.Account, error) {
	acct, err := s.All().Account(ctx, name)
	if err != nil {
		return acct, fmt.Errorf("%w: see 'picday account list'", err)
	}
	if acct.Kept {
		err = fmt.Errorf("account %q was removed, %w", name, ErrRemoved)
	}
	return acct, err
}

// Add makes the account on the machine, then in the catalogue, and returns it as
// the catalogue has it.
func (x *Accounts) Add(ctx context.Context, spec account.Spec) (acct store.Account, report []string, err error) {
	acct = spec.Account
	release, err := x.Machine.Lock(ctx)
	if err != nil {
		return acct, nil, err
	}
	defer release()
	all, err := x.Store.All().Accounts(ctx)
	if err != nil {
		return acct, nil, err
	}
	if err := nameFree(acct.Name, all); err != nil {
		return acct, nil, err
	}
	kept, err := x.checkLeftovers(ctx, acct)
	if err != nil {
		return acct, nil, err
	}
	if report, err = x.Machine.Add(ctx, spec, all); err != nil {
		return acct, report, err
	}
	err = x.Store.Update(ctx, func(tx *store.Tx) (err error) {
		acct, err = tx.AddAccount(acct)
		return err
	})
	if err != nil {
		undone, uerr := x.Machine.Remove(context.WithoutCancel(ctx), acct, all, false)
		return acct, append(report, undone...), errors.Join(err, uerr)
	}
	if !kept {
		return acct, report, nil
	}
	// Whoever gives a new customer an old one's name has to know what it brings.
	report = append(report, fmt.Sprintf("%s is the account of this name that was removed with --keep: its photos and links are its again", acct.Name))
	operators, tokens, err := x.logins(ctx, acct)
	for _, name := range operators {
		report = append(report, "the operator "+name+" sees it again")
	}
	for _, name := range tokens {
		report = append(report, "the token "+name+" reads it again")
	}
	return acct, report, err
}

// checkLeftovers refuses to give a new account what another one of its name has
// left. kept tells that the catalogue knows it as the same account.
func (x *Accounts) checkLeftovers(ctx context.Context, acct store.Account) (kept bool, err error) {
	old, err := x.Store.All().Account(ctx, acct.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		n, err := x.countFiles(acct.Name)
		if err == nil && n > 0 {
			err = failure.Refusalf("%s holds %d files of an earlier account: move them away first, or they would be taken for the new one's", x.Machine.Base(acct.Name), n)
		}
		return false, err
	case err != nil:
		return false, err
	case old.Layout != acct.Layout:
		return true, failure.Refusalf("photos of a removed account %s with the layout %s are still kept: choose another name, or end them with 'picday account remove %[1]s --files'", acct.Name, old.Layout)
	}
	return true, nil
}

// Change changes an account that has not been removed. It keeps other runs of
// picday out from reading the accounts to the end of change, which gets the
// account and all that there are.
func (x *Accounts) Change(ctx context.Context, name string, change func(acct store.Account, all []store.Account) ([]string, error)) ([]string, error) {
	release, err := x.Machine.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	acct, err := Find(ctx, x.Store, name)
	if err != nil {
		return nil, err
	}
	all, err := x.Store.All().Accounts(ctx)
	if err != nil {
		return nil, err
	}
	return change(acct, all)
}

// SetAllow replaces the addresses and networks that the account may come from;
// none = anywhere.
func (x *Accounts) SetAllow(ctx context.Context, name string, allow []string) ([]string, error) {
	return x.Change(ctx, name, func(acct store.Account, all []store.Account) (report []string, err error) {
		if acct.AllowFrom, err = account.ParseAllow(allow); err != nil {
			return nil, err
		}
		if report, err = x.Machine.SetAllow(ctx, acct, all); err != nil {
			return report, err
		}
		return report, x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetAllow(acct, acct.AllowFrom) })
	})
}

// SetEnabled lets the account in, or keeps it out and ends its live sessions.
func (x *Accounts) SetEnabled(ctx context.Context, name string, enabled bool) ([]string, error) {
	return x.Change(ctx, name, func(acct store.Account, all []store.Account) (report []string, err error) {
		if enabled {
			report, err = x.Machine.Enable(ctx, acct, all)
		} else {
			report, err = x.Machine.Disable(ctx, acct)
		}
		if err != nil {
			return report, err
		}
		return report, x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetEnabled(acct, enabled) })
	})
}

// logins are the operators and tokens that are for one account alone.
func (x *Accounts) logins(ctx context.Context, acct store.Account) (operators, tokens []string, err error) {
	all, err := x.Store.Operators(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range all {
		if o.AccountID == acct.ID {
			operators = append(operators, o.Name)
		}
	}
	others, err := x.Store.Tokens(ctx)
	for _, t := range others {
		if t.AccountID == acct.ID {
			tokens = append(tokens, t.Name)
		}
	}
	return operators, tokens, err
}

// countFiles counts what is in an account's tree, visible or hidden.
func (x *Accounts) countFiles(name string) (n int, err error) {
	for _, tree := range []string{x.Machine.Base(name), filepath.Dir(x.Machine.HiddenJobDir(name, "x"))} {
		err = filepath.WalkDir(tree, func(_ string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// HostKeys are sshd's, and kept in the catalogue for whoever may not ask sshd:
// the pages, and members of the group picday. Without a Machine they are what sshd
// said last, and also if it says none; then unasked is the reason.
func (x *Accounts) HostKeys(ctx context.Context) (keys []store.HostKey, unasked, err error) {
	known, err := x.Store.All().HostKeys(ctx)
	if err != nil || x.Machine == nil {
		return known, nil, err
	}
	keys, unasked = x.Machine.HostKeys(ctx)
	if unasked != nil {
		return known, unasked, nil
	}
	if !slices.Equal(known, keys) {
		err = x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetHostKeys(keys) })
	}
	return keys, nil, err
}

// Cards makes the accounts' connection cards, with sshd's host keys as HostKeys has
// them.
func (x *Accounts) Cards(ctx context.Context, sshd config.SSHD, accounts ...store.Account) (cards []contract.Account, unasked, err error) {
	keys, unasked, err := x.HostKeys(ctx)
	host := contract.Host(sshd.Host)
	for _, acct := range accounts {
		card := contract.NewCard(acct, host, sshd.Port, keys)
		v := contract.Account{Card: card, Logins: []string{}, Individuals: acct.Areas.Individuals, Group: acct.Areas.Group, Damaged: acct.Flawed() != nil}
		for _, l := range acct.Logins {
			v.Logins = append(v.Logins, l.Name)
		}
		cards = append(cards, v)
	}
	return cards, unasked, err
}

// SetLanguage says in which language the account's uploaders read. It needs no Machine.
func (x *Accounts) SetLanguage(ctx context.Context, acct store.Account, name string) error {
	if !language.Known(name) {
		return failure.Usagef("language %q: use en or de", name)
	}
	return x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetLanguage(acct, language.Language(name)) })
}

// SetZone says what time zone the cameras are set to that do not write it, and
// dates the photos anew. It needs no Machine, and takes an account of which only
// the photos are kept, too.
func (x *Accounts) SetZone(ctx context.Context, acct store.Account, name string) error {
	if _, err := zone.Load(name); err != nil {
		return failure.Usage(err)
	}
	if err := x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetTimeZone(acct, name) }); err != nil {
		return err
	}
	// Also if it was so already: an earlier run may have been interrupted here.
	return x.Store.Retime(ctx, acct)
}

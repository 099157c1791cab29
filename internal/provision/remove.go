package provision

import (
	"context"
	"errors"
	"fmt"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/store"
)

// Contents says what becomes of an account's uploads and photos when it is removed.
type Contents int

const (
	Required Contents = iota // there must be none
	Keep                     // they stay, for an account of this name to be added again
	Delete                   // uploads are deleted, and photos withdrawn
)

// ContentsOf is what two flags say: delete the files, or keep them.
func ContentsOf(files, keep bool) (Contents, error) {
	switch {
	case files && keep:
		return Required, failure.Usagef("--files and --keep contradict each other")
	case files:
		return Delete, nil
	case keep:
		return Keep, nil
	}
	return Required, nil
}

// Remove removes an account, which with Delete may be one whose photos were kept.
// progress is told how many of the photos have been withdrawn; it may be nil.
func (x *Accounts) Remove(ctx context.Context, name string, contents Contents, progress func(done, of int)) (report []string, err error) {
	release, err := x.Machine.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	acct, err := x.Store.All().Account(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("%w: see 'picday account list'", err)
	}
	all, err := x.Store.All().Accounts(ctx)
	if err != nil {
		return nil, err
	}
	if acct.Kept && contents != Delete {
		return nil, nil
	}
	end := contents == Delete
	if contents == Required {
		if err := x.checkEmpty(ctx, acct); err != nil {
			return nil, err
		}
		// With nothing to come back for, the next account of this name is
		// somebody else's, who must not get its links and log-ins. Unless
		// something has come in until the login was closed.
		if report, err = x.Machine.Disable(ctx, acct); err != nil && !errors.Is(err, account.ErrNoAccount) {
			return report, err
		}
		n, err := x.countContents(ctx, acct)
		if err != nil {
			return report, err
		}
		end = n == 0
	}
	removed, err := x.Machine.Remove(ctx, acct, all, end)
	report = append(report, removed...)
	if err != nil {
		return report, err
	}
	operators, tokens, err := x.logins(ctx, acct)
	if err != nil {
		return report, err
	}
	if end {
		if err := x.Store.EmptyAccount(ctx, acct, progress); err != nil {
			return report, err
		}
	}
	if err := x.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemoveAccount(acct, end) }); err != nil {
		return report, err
	}
	if !end {
		for _, l := range acct.Logins { // whom else to let in, is decided anew
			report = append(report, "ended the log-in "+l.Name+": it does not come back with the account")
		}
		return report, nil
	}
	for _, name := range operators {
		report = append(report, "removed the operator "+name+" of the administration pages")
	}
	for _, name := range tokens {
		report = append(report, "revoked the token "+name)
	}
	return report, nil
}

// countContents counts what would be lost with an account, the trash included.
func (x *Accounts) countContents(ctx context.Context, acct store.Account) (int, error) {
	photos, err := x.Store.View(acct.ID).CountPhotos(ctx, store.PhotoQuery{Show: store.ShowBoth})
	if err != nil {
		return 0, err
	}
	files, err := x.countFiles(acct.Name)
	return photos + files, err
}

// checkEmpty refuses an account that has files, photos or jobs.
func (x *Accounts) checkEmpty(ctx context.Context, acct store.Account) error {
	n, err := x.countContents(ctx, acct)
	if err != nil {
		return err
	}
	has := fmt.Sprintf("%d files or photos, counting those in the trash", n)
	if n == 0 {
		jobs, err := x.Store.View(acct.ID).Jobs(ctx, store.JobQuery{Account: acct.Name})
		if err != nil || len(jobs) == 0 {
			return err
		}
		has = fmt.Sprintf("%d jobs, without files or photos", len(jobs))
	}
	return failure.Refusalf("%s has %s.\nTo remove the login and keep them: picday account remove %[1]s --keep\n"+
		"To delete the uploads, and the photos with them: picday account remove %[1]s --files", acct.Name, has)
}

package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/store"
)

func (a *app) accountRemove() *cobra.Command {
	var files, keep bool
	cmd := a.command("remove NAME", "Remove an account; files and photos stay with --keep, end with --files", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		if files && keep {
			return usagef("--files and --keep contradict each other")
		}
		return a.alterFound(ctx, args[0], a.account, func(sys *account.System, s *store.Store, acct store.Account, all []store.Account) ([]string, error) {
			if acct.Kept && !files {
				return nil, nil
			}
			var done []string
			end := files
			if !files && !keep {
				n, err := a.weight(ctx, sys, s, acct)
				if err != nil {
					return nil, err
				}
				if n > 0 {
					return nil, refusef("%s has %d files or photos, counting those in the trash.\nTo remove the login and keep them: picday account remove %s --keep\nTo delete the uploads, and the photos with them: picday account remove %s --files",
						acct.Name, n, acct.Name, acct.Name)
				}
				// With nothing to come back for, the next account of this name is
				// somebody else's, who must not get its links and log-ins. Unless
				// something has come in until the login was closed.
				if done, err = sys.Disable(ctx, acct); err != nil && !errors.Is(err, account.ErrNoAccount) {
					return done, err
				}
				if n, err = a.weight(ctx, sys, s, acct); err != nil {
					return done, err
				}
				end = n == 0
			}
			// The catalogue last: as long as it knows the account, a removal
			// that was refused or interrupted can be run again.
			removed, err := sys.Remove(ctx, acct, all, end)
			done = append(done, removed...)
			if err != nil {
				return done, err
			}
			operators, tokens, err := logins(ctx, s, acct)
			if err != nil {
				return done, err
			}
			if err := s.Update(ctx, func(tx *store.Tx) error { return tx.RemoveAccount(acct, end) }); err != nil || !end {
				return done, err
			}
			for _, name := range operators {
				done = append(done, "removed the operator "+name+" of the administration pages")
			}
			for _, name := range tokens {
				done = append(done, "revoked the token "+name)
			}
			return done, nil
		})
	})
	cmd.Flags().BoolVar(&files, "files", false, "delete the uploads, and end the photos with them")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep uploads and photos; adding the account again takes them over")
	return cmd
}

// logins are the operators and tokens that are for one account alone.
func logins(ctx context.Context, s *store.Store, acct store.Account) (operators, tokens []string, err error) {
	all, err := s.Operators(ctx)
	for _, o := range all {
		if o.AccountID == acct.ID {
			operators = append(operators, o.Name)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	others, err := s.Tokens(ctx)
	for _, t := range others {
		if t.AccountID == acct.ID {
			tokens = append(tokens, t.Name)
		}
	}
	return operators, tokens, err
}

// weight counts what would be lost with an account, the trash included.
func (a *app) weight(ctx context.Context, sys *account.System, s *store.Store, acct store.Account) (n int, err error) {
	for _, withdrawn := range []bool{false, true} {
		err = s.Photos(ctx, store.PhotoFilter{Account: acct.Name, Withdrawn: withdrawn}, func(store.Photo) error {
			n++
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	more, err := files(sys, acct.Name)
	return n + more, err
}

// files counts what is in an account's tree, visible or hidden.
func files(sys *account.System, name string) (n int, err error) {
	for _, tree := range []string{sys.Base(name), filepath.Dir(sys.HiddenJobDir(name, "x"))} {
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

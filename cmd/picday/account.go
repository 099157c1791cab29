package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/contract"
	"picday/internal/config"
	"picday/store"
)

func (a *app) accountCommand() *cobra.Command {
	return a.group("account", "Make, show and change SFTP accounts",
		a.accountAdd(), a.accountList(), a.accountShow(), a.accountCard(), a.accountAllow(), a.accountPasswd(),
		a.accountKey(), a.accountZone(), a.accountDisable(), a.accountEnable(), a.accountRemove())
}

func (a *app) accountList() *cobra.Command {
	return a.list("list", "List the accounts", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		accounts, err := s.Accounts(ctx)
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		keys, err := a.hostKeys(ctx, cfg)
		if err != nil {
			return err
		}
		cards := []accountView{}
		for _, acct := range accounts {
			cards = append(cards, accountView{Card: contract.NewCard(acct, contract.Host(cfg.SSHD.Host), cfg.SSHD.Port, keys)})
		}
		return a.print(cards, func(w io.Writer) {
			rows := [][]string{}
			for i, c := range cards {
				state := "enabled"
				if !c.Enabled {
					state = "disabled"
				}
				from := "anywhere"
				if len(c.AllowFrom) > 0 {
					from = c.Networks()
				}
				if accounts[i].Flawed() != nil {
					state, from = "damaged", "see picday doctor"
				}
				rows = append(rows, []string{c.Account, string(c.Layout), state, from, c.TimeZone, when(c.CreatedAt)})
			}
			a.table(w, "No accounts yet. Make one: picday account add NAME --layout jobs|portraits", "ACCOUNT\tLAYOUT\tSTATE\tALLOWED FROM\tZONE\tCREATED", rows)
		})
	})
}

// card makes a connection card, and keeps the host keys on it for whoever may
// not ask sshd: the pages, and members of the group picday.
func (a *app) card(ctx context.Context, acct store.Account) (c contract.Card, err error) {
	if err := acct.Flawed(); err != nil {
		return c, refusal{err}
	}
	cfg, err := a.config()
	if err != nil {
		return c, err
	}
	keys, err := a.hostKeys(ctx, cfg)
	return contract.NewCard(acct, contract.Host(cfg.SSHD.Host), cfg.SSHD.Port, keys), err
}

// hostKeys asks sshd, which takes root, or the catalogue for what sshd said
// last: who looks at the accounts of a machine whose sshd is broken shall see them.
func (a *app) hostKeys(ctx context.Context, cfg config.Config) ([]store.HostKey, error) {
	s, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	known, err := s.HostKeys(ctx)
	if err != nil || os.Geteuid() != 0 {
		return known, err
	}
	keys, err := account.New(cfg).HostKeys(ctx)
	if err != nil {
		a.say("host keys are those that sshd had before: " + err.Error())
		return known, nil
	}
	if !slices.Equal(known, keys) {
		err = s.Update(ctx, func(tx *store.Tx) error { return tx.SetHostKeys(keys) })
	}
	return keys, err
}

func (a *app) accountShow() *cobra.Command {
	return a.list("show NAME", "Show one account", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		_, acct, err := a.login(ctx, args[0])
		if err != nil {
			return err
		}
		card, err := a.card(ctx, acct)
		if err != nil {
			return err
		}
		return a.print(accountView{Card: card}, func(w io.Writer) {
			fmt.Fprint(w, card.Text())
			fmt.Fprintf(w, "\nTime zone of cameras that do not say: %s\n", card.TimeZone)
			if !card.Enabled {
				fmt.Fprintf(w, "To let it in again: sudo picday account enable %s\n", card.Account)
			}
		})
	})
}

func (a *app) accountCard() *cobra.Command {
	var format string
	cmd := a.command("card NAME", "Print the connection card for the uploader", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		_, acct, err := a.login(ctx, args[0])
		if err != nil {
			return err
		}
		if format != "text" && format != "filezilla" && format != "winscp" {
			return usagef("--format %s: use text, filezilla or winscp", format)
		}
		card, err := a.card(ctx, acct)
		if err != nil {
			return err
		}
		switch format {
		case "filezilla":
			_, err = a.stdout.Write(card.FileZilla())
		case "winscp":
			_, err = fmt.Fprintln(a.stdout, card.WinSCP())
		default:
			_, err = fmt.Fprint(a.stdout, card.Text())
		}
		return err
	})
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text, filezilla (Site Manager import file) or winscp (session URL)")
	choose(cmd, "format", "text", "filezilla", "winscp")
	return cmd
}

// An alteration changes one account and says what it did; all are the accounts
// there are.
type alteration func(sys *account.System, s *store.Store, acct store.Account, all []store.Account) ([]string, error)

// alter changes an account that can log in, or could be enabled.
func (a *app) alter(ctx context.Context, name string, change alteration) error {
	return a.alterFound(ctx, name, a.login, change)
}

// alterFound changes the account that find finds, under the lock that keeps
// other runs of picday out from reading the accounts to writing them.
func (a *app) alterFound(ctx context.Context, name string,
	find func(context.Context, string) (*store.Store, store.Account, error), change alteration,
) error {
	sys, err := a.system()
	if err != nil {
		return err
	}
	release, err := sys.Lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	s, acct, err := find(ctx, name)
	if err != nil {
		return err
	}
	all, err := s.Accounts(ctx)
	if err != nil {
		return err
	}
	done, err := change(sys, s, acct, all)
	a.say(done...)
	if err == nil && len(done) == 0 {
		a.say("nothing to do, it is so already")
	}
	return err
}

func (a *app) accountAllow() *cobra.Command {
	return a.command("allow NAME [CIDR]...", "Replace the addresses uploads may come from; none = from anywhere", cobra.MinimumNArgs(1),
		func(ctx context.Context, args []string) error {
			return a.alter(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account, all []store.Account) (done []string, err error) {
				if acct.AllowFrom, err = account.ParseAllow(args[1:]); err != nil {
					return nil, err
				}
				if done, err = sys.SetAllow(ctx, acct, all); err != nil {
					return done, err
				}
				return done, s.Update(ctx, func(tx *store.Tx) error { return tx.SetAllow(acct, acct.AllowFrom) })
			})
		})
}

func (a *app) accountPasswd() *cobra.Command {
	var fromStdin bool
	cmd := a.command("passwd NAME", "Set a new password; without --password-stdin one is generated and shown once", cobra.ExactArgs(1),
		func(ctx context.Context, args []string) error {
			password, err := a.password(fromStdin)
			if err != nil {
				return err
			}
			return a.alter(ctx, args[0], func(sys *account.System, _ *store.Store, acct store.Account, _ []store.Account) ([]string, error) {
				done, err := sys.SetPassword(ctx, acct, password)
				if err == nil && !fromStdin {
					_, err = fmt.Fprintln(a.stdout, password)
				}
				return done, err
			})
		})
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func (a *app) accountKey() *cobra.Command {
	return a.command("key NAME FILE...", "Replace the account's public keys", cobra.MinimumNArgs(2), func(ctx context.Context, args []string) error {
		keys, err := readKeys(args[1:])
		if err != nil {
			return err
		}
		return a.alter(ctx, args[0], func(sys *account.System, _ *store.Store, acct store.Account, _ []store.Account) ([]string, error) {
			return sys.SetKeys(ctx, acct, keys)
		})
	})
}

func (a *app) accountDisable() *cobra.Command {
	return a.command("disable NAME", "Keep the account out, and end its live sessions", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return a.alter(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account, _ []store.Account) ([]string, error) {
			done, err := sys.Disable(ctx, acct)
			if err != nil {
				return done, err
			}
			return done, s.Update(ctx, func(tx *store.Tx) error { return tx.SetEnabled(acct, false) })
		})
	})
}

func (a *app) accountEnable() *cobra.Command {
	return a.command("enable NAME", "Let a disabled account in again", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return a.alter(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account, all []store.Account) ([]string, error) {
			done, err := sys.Enable(ctx, acct, all)
			if err != nil {
				return done, err
			}
			return done, s.Update(ctx, func(tx *store.Tx) error { return tx.SetEnabled(acct, true) })
		})
	})
}

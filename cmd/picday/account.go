package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/account"
	"picday/internal/areas"
	"picday/internal/completion"
	"picday/internal/contract"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/internal/provision"
	"picday/internal/tables"
	"picday/store"
)

func (a *app) accountCommand() *cobra.Command {
	return a.group("account", "Make, show and change SFTP accounts",
		a.accountAdd(),
		listCommand(a, "list", "List the accounts", "No accounts yet. Make one: picday account add NAME --layout jobs|portraits", tables.Accounts, a.accountList),
		a.accountShow(), a.accountCard(), a.accountAllow(), a.accountPasswd(), a.accountKey(),
		a.accountSetting("zone NAME ZONE", "Say what time zone the account's cameras are set to that do not write it: Europe/Berlin", "cameras of %s that do not say are taken to be set to %s", (*provision.Accounts).SetZone),
		a.accountSetting("language NAME en|de", "Say in which language the account's connection card is", "the connection card of %s is in %s", (*provision.Accounts).SetLanguage), a.accountAreas(),
		a.accountEnabled("disable NAME", "Keep the account out, and end its live sessions", false),
		a.accountEnabled("enable NAME", "Let a disabled account in again", true),
		a.accountRemove(), a.accountLoginCommand())
}

// accounts are the accounts of this machine, for root.
func (a *app) accounts(ctx context.Context) (*provision.Accounts, error) {
	sys, err := a.system()
	if err != nil {
		return nil, err
	}
	s, err := a.open(ctx)
	return &provision.Accounts{Machine: sys, Store: s}, err
}

// change changes accounts and prints what was done.
func (a *app) change(ctx context.Context, do func(*provision.Accounts) ([]string, error)) error {
	x, err := a.accounts(ctx)
	if err != nil {
		return err
	}
	return a.report(do(x))
}

func (a *app) accountAdd() *cobra.Command {
	var r provision.Request
	password := provision.Password{In: a.stdin}
	cmd := a.list("add NAME --layout jobs|portraits", "Make an account and print its connection card", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		r.Name = args[0]
		cfg, err := a.config()
		if err != nil {
			return err
		}
		spec, err := r.Spec(cfg)
		if err != nil {
			return err
		}
		if spec.Password, err = password.ReadFor(r.Credentials); err != nil {
			return err
		}
		x, err := a.accounts(ctx)
		if err != nil {
			return err
		}
		acct, done, err := x.Add(ctx, spec)
		a.say(done...)
		if err != nil {
			return err
		}
		return a.printNew(ctx, x, provision.Entrance{Account: acct}, password.Made)
	})
	cmd.Flags().StringVar(&r.Layout, "layout", "", "`LAYOUT`: jobs (photo studios) or portraits (schools)")
	completion.Choose(cmd, "layout", string(layout.Jobs), string(layout.Portraits))
	cmd.Flags().StringArrayVar(&r.Allow, "allow-from", nil, "address or network `CIDR` uploads may come from; repeatable (default: anywhere)")
	cmd.Flags().StringVar(&r.IDPattern, "id-pattern", "", "portraits: `REGEXP` of a person's ID (default "+layout.DefaultIDPattern+")")
	a.choice(cmd, &r.Language, "language", "", "`LANGUAGE` of the connection card: en or de (default: the configuration's)", "en", "de")
	credentials(cmd, &r.Credentials)
	return cmd
}

// printNew prints the card of a new account or log-in, with a password that was made.
func (a *app) printNew(ctx context.Context, x *provision.Accounts, e provision.Entrance, password string) error {
	card, err := a.entranceCard(ctx, x.Store, e)
	if err != nil {
		return err
	}
	card.Password = password
	return a.print(card, func(w io.Writer) {
		card.ShowNew(w)
		if e.Login == nil && card.Layout == layout.Jobs {
			a.say(fmt.Sprintf("Next, a job to upload into: picday job add %s JOB", card.Account))
		}
	})
}

// entranceCard makes the connection card of an account, or of a log-in of it.
func (a *app) entranceCard(ctx context.Context, s *store.Store, e provision.Entrance) (card contract.Account, err error) {
	cards, err := a.cards(ctx, s, e.Account)
	if err != nil {
		return card, err
	}
	if card = cards[0]; e.Login != nil {
		card.Card, card.Logins = card.ForLogin(*e.Login, time.Now()), []string{}
	}
	return card, nil
}

func (a *app) accountList(ctx context.Context, s *store.Store, _ string) ([]contract.Account, error) {
	all, err := s.All().Accounts(ctx)
	if err != nil {
		return nil, err
	}
	return a.cards(ctx, s, all...)
}

// cards makes connection cards. For the host keys it asks sshd, which takes root, or
// the catalogue for what sshd said last.
func (a *app) cards(ctx context.Context, s *store.Store, accounts ...store.Account) ([]contract.Account, error) {
	x := &provision.Accounts{Store: s}
	if os.Geteuid() == 0 {
		var err error
		if x, err = a.accounts(ctx); err != nil {
			return nil, err
		}
	}
	cards, unasked, err := x.Cards(ctx, a.cfg.SSHD, accounts...)
	if unasked != nil {
		a.say("host keys are those that sshd had before: " + unasked.Error())
	}
	return cards, err
}

// withCard makes the connection card of an account or a log-in, for a command that
// prints it.
func (a *app) withCard(do func(contract.Account) error) func(context.Context, []string) error {
	return a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		e, err := provision.FindEntrance(ctx, s, args[0])
		if err != nil {
			return err
		}
		if err := e.Account.Flawed(); err != nil {
			return failure.Refusal(err)
		}
		card, err := a.entranceCard(ctx, s, e)
		if err != nil {
			return err
		}
		return do(card)
	})
}

func (a *app) accountShow() *cobra.Command {
	return a.list("show NAME", "Show one account or log-in", cobra.ExactArgs(1), a.withCard(func(card contract.Account) error {
		return a.print(card, card.Show)
	}))
}

func (a *app) accountCard() *cobra.Command {
	var format string
	cmd := a.command("card NAME", "Print the connection card for the uploader", cobra.ExactArgs(1), a.withCard(func(card contract.Account) error {
		_, err := io.WriteString(a.stdout, card.As(format))
		return err
	}))
	a.choice(cmd, &format, "format", "text", "`FORMAT`: text, filezilla (Site Manager import file) or winscp (session URL)", "text", "filezilla", "winscp")
	return cmd
}

func (a *app) accountAllow() *cobra.Command {
	return a.command("allow NAME [CIDR]...", "Replace the addresses uploads may come from; none = from anywhere", cobra.MinimumNArgs(1), func(ctx context.Context, args []string) error {
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) { return x.SetAllow(ctx, args[0], args[1:]) })
	})
}

func (a *app) accountPasswd() *cobra.Command {
	password := provision.Password{In: a.stdin}
	cmd := a.command("passwd NAME", "Set a new password of an account or a log-in; without --password-stdin one is generated and shown once", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		secret, err := password.Read()
		if err != nil {
			return err
		}
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) {
			done, err := x.SetPassword(ctx, args[0], secret)
			if err == nil {
				err = password.Show(a.stdout)
			}
			return done, err
		})
	})
	cmd.Flags().BoolVar(&password.FromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

func (a *app) accountKey() *cobra.Command {
	return a.command("key NAME FILE...", "Replace the public keys of an account or a log-in", cobra.MinimumNArgs(2), func(ctx context.Context, args []string) error {
		keys, err := account.ReadKeyFiles(args[1:])
		if err != nil {
			return err
		}
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) { return x.SetKeys(ctx, args[0], keys) })
	})
}

// accountSetting makes a command that sets one value of an account in the catalogue.
func (a *app) accountSetting(use, short, done string, set func(*provision.Accounts, context.Context, store.Account, string) error) *cobra.Command {
	return a.command(use, short, cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		s, acct, err := a.account(ctx, args[0])
		if err != nil {
			return err
		}
		return a.did(set(&provision.Accounts{Store: s}, ctx, acct, args[1]), fmt.Sprintf(done, acct.Name, args[1]))
	})
}

func (a *app) accountAreas() *cobra.Command {
	var n areas.Names
	cmd := a.command("areas NAME", "Replace the account's further names of the folders individuals and group; none = those of the configuration", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		s, acct, err := a.account(ctx, args[0])
		if err != nil {
			return err
		}
		return a.report(provision.SetAreas(ctx, s, acct, n))
	})
	cmd.Flags().StringArrayVar(&n.Individuals, "individuals", nil, "a `FOLDER` in albums that means individuals; repeatable")
	cmd.Flags().StringArrayVar(&n.Group, "group", nil, "a `FOLDER` in albums that means group; repeatable")
	return cmd
}

func (a *app) accountEnabled(use, short string, enabled bool) *cobra.Command {
	return a.command(use, short, cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) { return x.SetEnabled(ctx, args[0], enabled) })
	})
}

func (a *app) accountRemove() *cobra.Command {
	var files, keep bool
	cmd := a.command("remove NAME", "Remove an account; files and photos stay with --keep, end with --files", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		contents, err := provision.ContentsOf(files, keep)
		if err != nil {
			return err
		}
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) {
			meter := a.meter("photos withdrawn")
			defer meter.End()
			return x.Remove(ctx, args[0], contents, meter.Show)
		})
	})
	cmd.Flags().BoolVar(&files, "files", false, "delete the uploads, and end the photos with them")
	cmd.Flags().BoolVar(&keep, "keep", false, "keep uploads and photos; adding the account again takes them over")
	return cmd
}

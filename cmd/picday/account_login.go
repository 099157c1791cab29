package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/provision"
	"picday/internal/tables"
	"picday/store"
)

func (a *app) accountLoginCommand() *cobra.Command {
	return a.group("login", "Make and end further log-ins of an account, each for one person",
		a.accountLoginAdd(), a.accountLoginList(),
		a.command("remove ACCOUNT NAME", "End a log-in with its live sessions; what it uploaded stays", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
			return a.change(ctx, func(x *provision.Accounts) ([]string, error) { return x.RemoveLogin(ctx, args[0], args[1]) })
		}),
		a.command("until ACCOUNT NAME DATE|never", "Give a log-in another last day, or none", cobra.ExactArgs(3), func(ctx context.Context, args []string) error {
			return a.change(ctx, func(x *provision.Accounts) ([]string, error) {
				return x.SetLoginEnd(ctx, args[0], args[1], args[2], time.Now())
			})
		}),
		a.command("expire", "Close the log-ins whose last day is over, as a timer does", cobra.NoArgs, a.accountLoginExpire))
}

func (a *app) accountLoginAdd() *cobra.Command {
	var r provision.LoginRequest
	password := provision.Password{In: a.stdin}
	cmd := a.list("add ACCOUNT NAME", "Make a log-in and print its connection card", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		r.Name = args[1]
		spec, err := r.Spec(time.Now())
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
		acct, l, done, err := x.AddLogin(ctx, args[0], spec)
		a.say(done...)
		if err != nil {
			return err
		}
		return a.printNew(ctx, x, provision.Entrance{Account: acct, Login: &l}, password.Made)
	})
	cmd.Flags().StringVar(&r.Until, "until", "", "last day on which it works, a `DATE` such as 2026-07-31 (default: no end)")
	credentials(cmd, &r.Credentials)
	return cmd
}

func (a *app) accountLoginList() *cobra.Command {
	return a.list("list ACCOUNT", "List the log-ins of an account besides its own", cobra.ExactArgs(1), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		x := provision.Accounts{Store: s}
		acct, logins, err := x.ListLogins(ctx, args[0])
		if err != nil {
			return err
		}
		list := each(logins, func(l store.Login) contract.AccountLogin { return contract.NewAccountLogin(acct, l, time.Now()) })
		return printList(a, list, "No log-ins but "+acct.Name+" itself. Make one: picday account login add "+acct.Name+" NAME", tables.AccountLogins)
	}))
}

func (a *app) accountLoginExpire(ctx context.Context, _ []string) error {
	sys, err := a.system()
	if err != nil {
		return err
	}
	done, err := provision.ExpireLogins(ctx, sys, a.open)
	a.say(done...)
	return err
}

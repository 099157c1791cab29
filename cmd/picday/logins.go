package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/provision"
	"picday/internal/tables"
	"picday/store"
)

func (a *app) operatorCommand() *cobra.Command {
	return a.group("operator", "Make and end log-ins for the administration pages",
		a.operatorAdd(),
		listCommand(a, "list", "List the log-ins of the administration pages", "No operators. The first one: picday operator add NAME", tables.Operators, provision.Operators),
		a.operatorPasswd(), a.operatorRole(), a.operatorEmail(),
		a.loginRemove("operator", "End a log-in, and every session of it at once", provision.RemoveOperator))
}

func (a *app) tokenCommand() *cobra.Command {
	list := func(ctx context.Context, s *store.Store, _ string) ([]contract.Login, error) {
		all, err := s.Tokens(ctx)
		return each(all, contract.NewLogin), err
	}
	return a.group("token", "Make and end tokens, with which programs use the API",
		a.tokenAdd(),
		listCommand(a, "list", "List the tokens, without their secrets", "No tokens. The first one: picday token add NAME", tables.Tokens, list),
		a.loginRemove("token", "Revoke a token, at once", provision.RemoveToken))
}

// loginAdd is the command that adds an operator or a token, which add does.
func (a *app) loginAdd(short string, add func(ctx context.Context, s *store.Store, t store.Token) error) *cobra.Command {
	var account string
	cmd := a.list("add NAME", short, cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		if err := provision.CheckLogin(args[0]); err != nil {
			return err
		}
		var only []string
		if account != "" {
			only = []string{account}
		}
		s, acct, err := a.known(ctx, only)
		if err != nil {
			return err
		}
		return add(ctx, s, store.Token{Name: args[0], Account: acct.Name, AccountID: acct.ID})
	})
	cmd.Flags().StringVar(&account, "account", "", "let it see only this `ACCOUNT`")
	return cmd
}

// loginRemove is the command that removes an operator or a token; what is one of them.
func (a *app) loginRemove(what, short string, remove func(ctx context.Context, s *store.Store, name string) error) *cobra.Command {
	return a.command("remove NAME", short, cobra.ExactArgs(1), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		return a.did(remove(ctx, s, args[0]), what+" "+args[0]+" is removed")
	}))
}

func (a *app) tokenAdd() *cobra.Command {
	return a.loginAdd("Make a token and show it, this once", func(ctx context.Context, s *store.Store, t store.Token) error {
		secret, err := provision.AddToken(ctx, s, t)
		if err != nil {
			return err
		}
		return a.print(contract.NewToken{Name: t.Name, Account: t.Account, Token: secret}, func(w io.Writer) {
			fmt.Fprintln(w, secret)
			a.say("shown only now; it reads " + contract.NewLogin(t).Sees() + ", with the header 'Authorization: Bearer TOKEN'")
		})
	})
}

func (a *app) operatorAdd() *cobra.Command {
	password := provision.Password{In: a.stdin}
	var role, email string
	cmd := a.loginAdd("Make a log-in; without --password-stdin a password is generated and shown once", func(ctx context.Context, s *store.Store, t store.Token) error {
		secret, err := password.Read()
		if err != nil {
			return err
		}
		o := store.Operator{Name: t.Name, Account: t.Account, AccountID: t.AccountID, Role: store.Role(role)}
		if err := provision.AddOperator(ctx, s, o, secret, email); err != nil {
			return err
		}
		return a.print(contract.NewOperator{Name: o.Name, Account: o.Account, Role: role, Password: password.Made}, func(w io.Writer) {
			if password.Made != "" {
				fmt.Fprintf(w, "Password (shown only now): %s\n", password.Made)
			}
			a.say(o.Name + " can log in to the administration pages and sees " + contract.NewLogin(t).Sees())
		})
	})
	cmd.Flags().BoolVar(&password.FromStdin, "password-stdin", false, "read the password from standard input")
	cmd.Flags().StringVar(&email, "email", "", "send it mail about events to this `ADDRESS`")
	a.choice(cmd, &role, "role", string(store.Work), "`ROLE`: look, work (withdraw, restore, put on sale) or admin (log-ins of the pages too)", each(store.Roles, store.Role.String)...)
	return cmd
}

func (a *app) operatorRole() *cobra.Command {
	return a.command("role NAME ROLE", "Give an operator another role: look, work or admin", cobra.ExactArgs(2), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		err := provision.SetOperatorRole(ctx, s, args[0], store.Role(args[1]))
		return a.did(err, "the operator "+args[0]+" has the role "+args[1])
	}))
}

func (a *app) operatorPasswd() *cobra.Command {
	password := provision.Password{In: a.stdin}
	cmd := a.command("passwd NAME", "Set a new password and end every session; without --password-stdin one is generated and shown once", cobra.ExactArgs(1), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		secret, err := password.Read()
		if err != nil {
			return err
		}
		if err := provision.SetOperatorPassword(ctx, s, args[0], secret); err != nil {
			return err
		}
		return a.did(password.Show(a.stdout), "set a new password for the operator "+args[0])
	}))
	cmd.Flags().BoolVar(&password.FromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

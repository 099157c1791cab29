package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"picday/store"
)

func (a *app) operatorCommand() *cobra.Command {
	return a.group("operator", "Make and end log-ins for the administration pages", a.operatorAdd(), a.operatorList(), a.operatorPasswd(), a.operatorRemove())
}

func checkName(name string) error {
	if !store.ValidLogin(name) {
		return usagef("%q cannot be a name: use 1 to 64 letters, digits and . _ @ + -, beginning with a letter or digit", name)
	}
	return nil
}

func (a *app) operatorAdd() *cobra.Command {
	var account string
	var fromStdin bool
	cmd := a.list("add NAME", "Make a log-in; without --password-stdin a password is generated and shown once", cobra.ExactArgs(1),
		func(ctx context.Context, args []string) error {
			s, o, err := a.newLogin(ctx, args[0], account)
			if err != nil {
				return err
			}
			password, hash, err := a.operatorPassword(fromStdin)
			if err != nil {
				return err
			}
			if err := s.Update(ctx, func(tx *store.Tx) error { return tx.AddOperator(store.Operator(o), hash) }); err != nil {
				return taken(err, "operator", o.Name)
			}
			v := operatorView{Name: o.Name, Account: o.Account}
			if !fromStdin {
				v.Password = password
			}
			return a.print(v, func(w io.Writer) {
				if v.Password != "" {
					fmt.Fprintf(w, "Password (shown only now): %s\n", v.Password)
				}
				a.say(fmt.Sprintf("%s can log in to the administration pages and sees %s", o.Name, allOr(o.Account)))
			})
		})
	cmd.Flags().StringVar(&account, "account", "", "let it see only this `ACCOUNT`")
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

// operatorPassword reads or makes a password.
func (a *app) operatorPassword(fromStdin bool) (password, hash string, err error) {
	if password, err = a.password(fromStdin); err != nil {
		return "", "", err
	}
	if hash, err = store.HashPassword(password); err != nil {
		return "", "", usageError{err}
	}
	return password, hash, nil
}

func (a *app) operatorPasswd() *cobra.Command {
	var fromStdin bool
	cmd := a.command("passwd NAME", "Set a new password and end every session; without --password-stdin one is generated and shown once", cobra.ExactArgs(1),
		func(ctx context.Context, args []string) error {
			s, err := a.open(ctx)
			if err != nil {
				return err
			}
			password, hash, err := a.operatorPassword(fromStdin)
			if err != nil {
				return err
			}
			err = s.Update(ctx, func(tx *store.Tx) error { return tx.SetOperatorPassword(args[0], hash) })
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("there is no operator %q: %w: see 'picday operator list'", args[0], err)
			}
			if err == nil && !fromStdin {
				_, err = fmt.Fprintln(a.stdout, password)
			}
			if err == nil {
				a.say("set a new password for the operator " + args[0])
			}
			return err
		})
	cmd.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from standard input")
	return cmd
}

// newLogin checks what the command line says of an operator or a token.
func (a *app) newLogin(ctx context.Context, name, account string) (s *store.Store, t store.Token, err error) {
	t = store.Token{Name: name, Account: account}
	if err := checkName(name); err != nil {
		return nil, t, err
	}
	if account == "" {
		s, err = a.open(ctx)
		return s, t, err
	}
	s, acct, err := a.account(ctx, account)
	t.AccountID = acct.ID
	return s, t, err
}

func taken(err error, what, name string) error {
	if errors.Is(err, store.ErrTaken) {
		return fmt.Errorf("the %s %s exists already: choose another name, or first 'picday %s remove %s'", what, name, what, name)
	}
	return err
}

func allOr(account string) string {
	if account == "" {
		return "all accounts"
	}
	return "only the account " + account
}

func (a *app) operatorList() *cobra.Command {
	return a.list("list", "List the log-ins of the administration pages", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		all, err := s.Operators(ctx)
		if err != nil {
			return err
		}
		var logins []store.Token
		for _, o := range all {
			logins = append(logins, store.Token(o))
		}
		return a.printLogins(logins, "No operators. The first one: picday operator add NAME")
	})
}

// printLogins lists operators or tokens.
func (a *app) printLogins(all []store.Token, none string) error {
	views := []loginView{}
	for _, t := range all {
		views = append(views, loginView{t.Name, t.Account, t.CreatedAt})
	}
	return a.print(views, func(w io.Writer) {
		rows := [][]string{}
		for _, v := range views {
			rows = append(rows, []string{v.Name, allOr(v.Account), when(v.CreatedAt)})
		}
		a.table(w, none, "NAME\tSEES\tMADE", rows)
	})
}

func (a *app) operatorRemove() *cobra.Command {
	return a.command("remove NAME", "End a log-in, and every session of it at once", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return a.removeLogin(ctx, "operator", args[0], (*store.Tx).RemoveOperator)
	})
}

func (a *app) removeLogin(ctx context.Context, what, name string, remove func(*store.Tx, string) error) error {
	s, err := a.open(ctx)
	if err != nil {
		return err
	}
	err = s.Update(ctx, func(tx *store.Tx) error { return remove(tx, name) })
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no %s %q: %w: see 'picday %s list'", what, name, err, what)
	}
	if err == nil {
		a.say(what + " " + name + " is removed")
	}
	return err
}

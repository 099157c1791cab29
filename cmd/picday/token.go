package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"picday/store"
)

func (a *app) tokenCommand() *cobra.Command {
	return a.group("token", "Make and end tokens, with which programs use the API", a.tokenAdd(), a.tokenList(), a.tokenRemove())
}

func (a *app) tokenAdd() *cobra.Command {
	var account string
	cmd := a.list("add NAME", "Make a token and show it, this once", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		s, t, err := a.newLogin(ctx, args[0], account)
		if err != nil {
			return err
		}
		v := tokenView{Name: t.Name, Account: t.Account}
		if err := s.Update(ctx, func(tx *store.Tx) (err error) {
			v.Token, err = tx.AddToken(t)
			return err
		}); err != nil {
			return taken(err, "token", t.Name)
		}
		return a.print(v, func(w io.Writer) {
			fmt.Fprintln(w, v.Token)
			a.say(fmt.Sprintf("shown only now; it reads %s, with the header 'Authorization: Bearer TOKEN'", allOr(t.Account)))
		})
	})
	cmd.Flags().StringVar(&account, "account", "", "let it see only this `ACCOUNT`")
	return cmd
}

func (a *app) tokenList() *cobra.Command {
	return a.list("list", "List the tokens, without their secrets", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		all, err := s.Tokens(ctx)
		if err != nil {
			return err
		}
		return a.printLogins(all, "No tokens. The first one: picday token add NAME")
	})
}

func (a *app) tokenRemove() *cobra.Command {
	return a.command("remove NAME", "Revoke a token, at once", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		return a.removeLogin(ctx, "token", args[0], (*store.Tx).RemoveToken)
	})
}

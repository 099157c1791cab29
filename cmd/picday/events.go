package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/notify"
	"picday/internal/provision"
	"picday/internal/tables"
	"picday/store"
)

func (a *app) eventsCommand() *cobra.Command {
	var undelivered bool
	list := listCommand(a, "list [ACCOUNT]", "List what people and programs are told, the latest first", "No events.", tables.Events,
		func(ctx context.Context, s *store.Store, account string) ([]contract.Notice, error) {
			return notify.List(ctx, s, account, undelivered)
		})
	list.Flags().BoolVar(&undelivered, "undelivered", false, "only those that a receiver does not have")
	return a.group("events", "List what people and programs are told by mail and webhook, and deliver it again",
		list, a.eventsRetry(), a.eventsTest(), a.eventsSandbox())
}

func (a *app) eventsRetry() *cobra.Command {
	return a.command("retry [EVENT]...", "Deliver what waits or was given up now: these events, or all", cobra.ArbitraryArgs, a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		n, err := notify.Retry(ctx, s, args)
		return a.did(err, fmt.Sprintf("%d deliveries wait, and are tried at once if picdayd runs", n))
	}))
}

func (a *app) eventsTest() *cobra.Command {
	return a.list("test [ACCOUNT]", "Send a test event to everybody who is told of the machine, or of an account", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		s, acct, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		e, err := notify.SendTest(ctx, *a.cfg, s, acct)
		if err != nil {
			return err
		}
		if err := a.print(e, func(w io.Writer) { tables.Deliveries.Write(w, e.Deliveries, 0) }); err != nil {
			return err
		}
		return notify.Judge(e)
	})
}

func (a *app) eventsSandbox() *cobra.Command {
	return a.command("sandbox", "Print a drop-in that lets picdayd's unit reach the mail server and the webhooks", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		cfg, err := a.config()
		if err != nil {
			return err
		}
		text, err := notify.Sandbox(ctx, cfg)
		if err == nil && text == "" {
			a.say("picday.toml names no receiver outside of this machine: nothing has to be let through")
		}
		fmt.Fprint(a.stdout, text)
		return err
	})
}

func (a *app) operatorEmail() *cobra.Command {
	var about []string
	cmd := a.command("email NAME [ADDRESS]", "Send an operator mail about events; without ADDRESS no longer", cobra.RangeArgs(1, 2), a.withStore(func(ctx context.Context, s *store.Store, args []string) error {
		args = append(args, "")
		return a.did(provision.SetMailbox(ctx, s, args[0], args[1], about), contract.Login{Name: args[0], Email: args[1], EmailAbout: about}.Mail())
	}))
	cmd.Flags().StringArrayVar(&about, "about", nil, "only about this `ACCOUNT`; repeatable (default: all that the operator sees, and the machine)")
	return cmd
}

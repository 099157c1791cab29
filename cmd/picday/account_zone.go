package main

import (
	"context"

	"github.com/spf13/cobra"

	"picday/internal/zone"
	"picday/store"
)

func (a *app) accountZone() *cobra.Command {
	return a.command("zone NAME ZONE", "Say what time zone the account's cameras are set to that do not write it: Europe/Berlin", cobra.ExactArgs(2),
		func(ctx context.Context, args []string) error {
			if _, err := zone.Load(args[1]); err != nil {
				return usageError{err}
			}
			s, acct, err := a.account(ctx, args[0])
			if err != nil {
				return err
			}
			if err := s.Update(ctx, func(tx *store.Tx) error { return tx.SetTimeZone(acct, args[1]) }); err != nil {
				return err
			}
			// Also if it was so already: a run before may have been cut off here.
			if err := s.Retime(ctx, acct); err != nil {
				return err
			}
			a.say("cameras of " + acct.Name + " that do not say are taken to be set to " + args[1])
			return nil
		})
}

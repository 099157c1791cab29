package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/restore"
)

func (a *app) restoreCommand() *cobra.Command {
	var o restore.Options
	var with, without bool
	cmd := a.list("restore DIR", "Put a backup onto a fresh machine", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		o.Dir, o.ConfigFile = args[0], a.configFile
		switch {
		case with && without:
			return usagef("--with-config and --without-config contradict each other")
		case with:
			o.Choice = restore.TakeConfig
		case without:
			o.Choice = restore.KeepConfig
		}
		if os.Geteuid() != 0 {
			return errNotRoot
		}
		r := restore.Restorer{
			On:         func(cfg config.Config) restore.Machine { return account.New(cfg) },
			CheckNames: account.CheckReinstatable, Say: a.say,
			Progress: func(what string) (func(done, of int), func()) { m := a.meter(what); return m.Show, m.End },
		}
		report, err := r.Restore(ctx, o)
		if err != nil {
			return err
		}
		return a.printRestored(report)
	})
	cmd.Flags().BoolVar(&with, "with-config", false, "take the configuration of the backup, also over this machine's own")
	cmd.Flags().BoolVar(&without, "without-config", false, "keep this machine's configuration, also if it is the default")
	cmd.Flags().StringVar(&o.Catalogue, "catalogue", "", "instead of the catalogue in DIR a later one, an SQLite `FILE`\nas 'litestream restore' makes it; pictures, key and accounts come from DIR")
	return cmd
}

func (a *app) printRestored(r restore.Report) error {
	err := a.print(r, r.Text)
	if n := len(r.Problems); err == nil && n > 0 {
		err = fmt.Errorf("restored, but %d things are not as they were", n)
	}
	return err
}

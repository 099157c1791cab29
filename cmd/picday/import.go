package main

import (
	"context"

	"github.com/spf13/cobra"

	"picday/internal/importer"
	"picday/internal/provision"
	"picday/internal/trees"
)

func (a *app) importCommand() *cobra.Command {
	var x importer.Import
	cmd := a.command("import ACCOUNT [JOB] DIR", "Copy photos that exist already into an account's folders", cobra.RangeArgs(2, 3), func(ctx context.Context, args []string) error {
		accounts, err := a.accounts(ctx)
		if err != nil {
			return err
		}
		meter := a.meter("photos looked at")
		x.Store, x.Trees, x.Areas, x.DataDir, x.Progress = a.store, trees.Dir(a.cfg.UploadDir), a.cfg.Upload.AreaNames(), a.cfg.DataDir, meter.Show
		if x.Source = args[len(args)-1]; len(args) == 3 {
			x.Job = args[1]
		}
		if x.Account, err = provision.Find(ctx, accounts.Store, args[0]); err != nil {
			return err
		}
		if x.UID, x.GID, err = a.sys.Owner(x.Account.Name); err != nil {
			return err
		}
		done, err := x.Run(ctx)
		meter.End()
		return a.report(done, err)
	})
	cmd.Flags().BoolVar(&x.DryRun, "dry-run", false, "copy nothing, say what would be")
	return cmd
}

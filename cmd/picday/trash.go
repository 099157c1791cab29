package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/localtime"
	"picday/internal/provision"
	"picday/internal/tables"
	"picday/internal/trash"
	"picday/store"
)

func (a *app) trashCommand() *cobra.Command {
	return a.group("trash", "List withdrawn photos, bring them back, end them",
		listCommand(a, "list [ACCOUNT]", "List withdrawn photos and when they end", "The trash is empty.", tables.Trash, a.trashed),
		a.trashRestore(), a.trashEmpty())
}

func (a *app) trashed(ctx context.Context, s *store.Store, account string) ([]contract.TrashedPhoto, error) {
	return trash.List(ctx, s, account, a.cfg.Upload.TrashKeep.Std())
}

func (a *app) trashRestore() *cobra.Command {
	var r trash.Request
	var since string
	cmd := a.command("restore ACCOUNT PATH", "Put a deleted file, or all of a folder, back where it was, and publish it again", cobra.ExactArgs(2), func(ctx context.Context, args []string) (err error) {
		if r.Since, err = localtime.ParseSince(since, time.Now()); since != "" && err != nil {
			return usagef("--since %w", err)
		}
		meter := a.meter("photos")
		r.Path, r.Progress = args[1], meter.Show
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) {
			t := trash.Trash{Store: x.Store, Machine: a.sys, UploadDir: a.cfg.UploadDir, Volumes: a.uploadVolumes()}
			defer meter.End()
			return x.Change(ctx, args[0], func(acct store.Account, _ []store.Account) ([]string, error) { return t.Run(ctx, acct, r) })
		})
	})
	cmd.Flags().StringVar(&r.SHA, "sha256", "", "where several pictures had this path: the one whose SHA-256 begins with `HEX`\n(default: the one withdrawn last)")
	cmd.Flags().StringVar(&since, "since", "", "only what was withdrawn since `TIME`: 2026-07-31, '2026-07-31 14:00', 90m")
	cmd.Flags().BoolVar(&r.DryRun, "dry-run", false, "restore nothing, say what would be")
	return cmd
}

func (a *app) trashEmpty() *cobra.Command {
	var all bool
	cmd := a.command("empty [ACCOUNT]", "End the photos in an account's trash now, or (--all) in everybody's", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		s, acct, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		n, err := trash.Empty(ctx, s, acct.ID, all)
		return a.did(err, fmt.Sprintf("%d photos ended; picdayd deletes their files", n))
	})
	cmd.Flags().BoolVar(&all, "all", false, "the trash of every account")
	return cmd
}

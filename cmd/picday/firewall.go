package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"picday/internal/provision"
)

func (a *app) firewallCommand() *cobra.Command {
	var also []string
	var noAdmin, ignoreOpen bool
	cmd := a.command("firewall", "Print nftables rules that let only the accounts' networks reach SSH", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		f, err := provision.Firewall(ctx, *a.cfg, s, also)
		if err != nil {
			return err
		}
		if err := f.Check(ignoreOpen, noAdmin, os.Getenv("SSH_CONNECTION")); err != nil {
			return err
		}
		_, err = a.stdout.Write(f.Nft())
		return err
	})
	cmd.Flags().StringArrayVar(&also, "also", nil, "address or network `CIDR` that may connect too, such as your own; repeatable")
	cmd.Flags().BoolVar(&noAdmin, "no-admin", false, "do without --also: nobody administers this machine by SSH on that port")
	cmd.Flags().BoolVar(&ignoreOpen, "ignore-open", false, "shut out accounts that may upload from anywhere")
	return cmd
}

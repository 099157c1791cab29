package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/failure"
	"picday/internal/helper"
	"picday/internal/roothelper"
)

// helperCommand is what systemd starts for a connection to one of the helper's sockets,
// which is its standard input.
func (a *app) helperCommand() *cobra.Command {
	cmd := a.command("helper PART", "Answer one request of picdayd's on standard input", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		part := helper.Part(args[0])
		if part != helper.Files && part != helper.Accounts {
			return usagef("there are the parts %s and %s", helper.Files, helper.Accounts)
		}
		if os.Geteuid() != 0 {
			return errNotRoot
		}
		conn, err := roothelper.Connection(os.Stdin)
		if err != nil {
			return failure.Usage(err)
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		roothelper.Options{
			Part: part,
			Config: func() (config.Config, error) {
				cfg, err := config.LoadRootOwned(a.configFile)
				a.cfg = &cfg
				return cfg, err
			},
			Open:    a.open,
			Machine: func(cfg config.Config) roothelper.Machine { return account.New(cfg) },
			State:   filepath.Join(cfg.HelperDir, "recent"),
			Within:  helper.SendWithin,
			Daemon:  account.DaemonUID, Peer: roothelper.PeerUID, Now: time.Now,
			Log: zerolog.New(a.stderr),
		}.Serve(ctx, conn)
		return nil
	})
	cmd.Hidden = true
	return cmd
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/contract"
	"picday/internal/control"
	"picday/store"
)

func (a *app) statusCommand() *cobra.Command {
	return a.list("status", "Show whether picdayd is alive and what it is doing", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		cfg, err := a.config()
		if err != nil {
			return err
		}
		ask, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		st, notRunning := control.Ask(ask, cfg.RunDir)
		if notRunning != nil {
			// What the catalogue knows is worth showing all the same.
			if st, err = a.askCatalogue(ctx); err != nil {
				return err
			}
		}
		if err := a.print(st, func(w io.Writer) { contract.StatusText(w, st) }); err != nil {
			return err
		}
		if errors.Is(notRunning, control.ErrNotRunning) {
			return fmt.Errorf("%w: start it with 'systemctl start picdayd'", notRunning)
		}
		return notRunning
	})
}

// catalogueStatus is the hidden command that askCatalogue runs.
const catalogueStatus = "catalogue-status"

// askCatalogue reads from the catalogue, in a child, what can be said of the
// status without picdayd.
func (a *app) askCatalogue(ctx context.Context) (control.Status, error) {
	args := []string{catalogueStatus}
	if a.configFile != "" {
		args = append(args, "--config", a.configFile)
	}
	return control.AskCatalogue(ctx, a.cfg.DataDir, "/proc/self/exe", args...)
}

// catalogueStatusCommand is that child.
func (a *app) catalogueStatusCommand() *cobra.Command {
	cmd := a.command(catalogueStatus, "Print what the catalogue says of the status, as JSON", cobra.NoArgs, a.withStore(func(ctx context.Context, s *store.Store, _ []string) error {
		st, err := contract.CatalogueStatus(ctx, s, a.cfg.UploadDir)
		if a.json = true; err != nil {
			return err
		}
		return a.print(st, nil)
	}))
	cmd.Hidden = true
	return cmd
}

func (a *app) rescanCommand() *cobra.Command {
	var wait bool
	cmd := a.command("rescan [ACCOUNT]", "Have picdayd look at all uploads again", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		_, acct, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		err = control.Rescan(ctx, cfg.RunDir, acct.Name, wait)
		if errors.Is(err, control.ErrNotRunning) {
			return fmt.Errorf("%w: it looks at everything when it starts ('systemctl start picdayd')", err)
		}
		return err
	})
	cmd.Flags().BoolVar(&wait, "wait", false, "return once everything that is there is taken or known to wait")
	return cmd
}

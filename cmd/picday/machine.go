package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"picday/internal/account"
	"picday/internal/control"
	"picday/internal/doctor"
	"picday/internal/setup"
	"picday/store"
)

func (a *app) initCommand() *cobra.Command {
	var newVolume bool
	cmd := a.command("init", "Set this machine up; make what is missing", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		old, err := a.open(ctx)
		if err != nil && !errors.Is(err, store.ErrNoCatalogue) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		x := setup.Setup{Config: *a.cfg, Machine: sys, OwnUsers: account.OwnUsers, Say: a.say, NewVolume: newVolume}
		changed, err := x.Run(ctx, old)
		if err == nil && !changed {
			a.say("nothing to do, everything is there")
		}
		return err
	})
	cmd.Flags().BoolVar(&newVolume, "new-volume", false, "accept the upload directory as the new home of all uploads,\nalthough it carries no mark of this catalogue; files there are\nrecognised by their pictures alone")
	return cmd
}

func (a *app) doctorCommand() *cobra.Command {
	return a.list("doctor", "Check everything picday depends on, and say what to do", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		d := doctor.Doctor{Config: *a.cfg, Machine: sys, Open: a.open, AskLease: doctor.AskLeaseAsDaemon, Ask: control.Ask}
		findings := d.Examine(ctx)
		err = a.print(findings, func(w io.Writer) { doctor.Text(w, findings) })
		if n := doctor.Failed(findings); err == nil && n > 0 {
			err = fmt.Errorf("%d of %d checks failed", n, len(findings))
		}
		return err
	})
}

func (a *app) closeCommand() *cobra.Command {
	return a.command("close", "Lock every account out and leave sshd alone, before picday is removed", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		return a.report(sys.Close(ctx))
	})
}

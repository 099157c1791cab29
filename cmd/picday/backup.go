package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/rebuild"
	"picday/internal/restore"
	"picday/internal/version"
	"picday/store"
	"picday/store/backup"
)

func (a *app) backupCommand() *cobra.Command {
	var b backup.Backup
	var prune bool
	cmd := a.list("backup DIR", "Copy the catalogue, keys, accounts and pictures, while picdayd runs", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		if b.Dir, err = backup.Place(args[0], a.cfg.UploadDir, a.cfg.DataDir); err != nil {
			return err
		}
		if b.Store, err = a.open(ctx); err != nil {
			return err
		}
		if _, err := os.Lstat(b.Dir); errors.Is(err, fs.ErrNotExist) {
			a.say("there was no backup in " + b.Dir + " yet, this makes the first; if there should be one, is its disk mounted?")
		}
		meter := a.meter("pictures")
		b.Progress, b.Lock = meter.Show, sys.Lock
		b.Machine = func(folder string, snapshot *store.Store) error {
			missing, err := restore.Capture(ctx, folder, snapshot, sys.Secrets, config.File(a.configFile))
			for _, name := range missing {
				a.say(fmt.Sprintf("account %s has no Unix user, so its password and keys are not in the backup: picday doctor", name))
			}
			return err
		}
		report, err := b.Run(ctx, version.String(), prune)
		meter.End()
		if err != nil {
			return err
		}
		if st, err := control.Ask(ctx, a.cfg.RunDir); err == nil {
			report.Waiting = st.Waiting + st.Queued + len(st.InProgress)
		}
		return errors.Join(a.print(report, func(w io.Writer) { report.Text(w, b.Dir) }), report.Incomplete(a.cfg.DataDir))
	})
	cmd.Flags().BoolVar(&prune, "prune", false, "afterwards delete pictures from DIR that its catalogue does not know any more")
	cmd.Flags().BoolVar(&b.Check, "check", false, "read also what is in DIR already, and copy anew what is damaged there")
	return cmd
}

func (a *app) rebuildCommand() *cobra.Command {
	return a.list("rebuild", "Make a lost or damaged catalogue anew from its manifest, the uploads and the originals", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		if _, err := a.system(); err != nil {
			return err
		}
		report, err := rebuild.Run(ctx, *a.cfg)
		if err != nil {
			return err
		}
		return a.print(report, report.Text)
	})
}

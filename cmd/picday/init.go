package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/internal/config"
	"picday/store"
)

func (a *app) initCommand() *cobra.Command {
	var newVolume bool
	cmd := a.command("init", "Set this machine up; make what is missing", cobra.NoArgs, func(ctx context.Context, _ []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		cfg, err := a.config()
		if err != nil {
			return err
		}
		var accounts []store.Account
		if s, err := a.open(ctx); err == nil {
			if accounts, err = s.Accounts(ctx); err != nil {
				return err
			}
		} else if !errors.Is(err, store.ErrNoCatalogue) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if len(accounts) == 0 && !newVolume {
			if err := a.lostCatalogue(ctx, cfg); err != nil {
				return err
			}
		}
		done, err := sys.Init(ctx, accounts...)
		a.say(done...)
		if err != nil {
			return err
		}
		s, made, err := store.Create(ctx, cfg.DataDir)
		a.say(made...)
		if err != nil {
			return err
		}
		if cerr := a.close(); cerr != nil {
			return cerr
		}
		a.store = s
		adopted, err := s.AdoptVolume(ctx, cfg.UploadDir, newVolume)
		if err != nil {
			return refusal{err}
		}
		if adopted {
			a.say("marked " + cfg.UploadDir + " as the upload volume of this catalogue")
		}
		// Not before the volume is known to be the right one: their trees are there.
		opened, err := sys.Reopen(ctx, accounts)
		a.say(opened...)
		if err != nil {
			return err
		}
		if len(done)+len(made)+len(opened) == 0 && !adopted {
			a.say("nothing to do, everything is there")
		}
		return nil
	})
	cmd.Flags().BoolVar(&newVolume, "new-volume", false, "accept the upload directory as the new home of all uploads,\nalthough it carries no mark of this catalogue; files there are\nrecognised by their pictures alone")
	return cmd
}

// lostCatalogue refuses to begin anew on a machine that has uploads and users of
// another catalogue: its disk is not mounted, and a new one in its place would
// take the uploads for its own.
func (a *app) lostCatalogue(ctx context.Context, cfg config.Config) error {
	if _, err := os.Lstat(filepath.Join(cfg.UploadDir, store.MarkerFile)); err != nil {
		return nil
	}
	if a.store != nil && a.store.CheckVolume(ctx, cfg.UploadDir) == nil {
		return nil
	}
	users, err := account.OwnUsers()
	if err != nil || len(users) == 0 {
		return err
	}
	return refusef("the uploads in %s belong to another catalogue than the one in %s, which knows no account, and this machine has Unix users of its accounts: %s\n"+
		"Is the disk of %[2]s not mounted? Mount it. Is it lost? picday restore DIR\nTo begin anew all the same: picday init --new-volume",
		cfg.UploadDir, cfg.DataDir, strings.Join(users, ", "))
}

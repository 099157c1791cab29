package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/durable"
	"picday/internal/version"
	"picday/store"
)

type backupView struct {
	store.Manifest
	PrunedFiles int   `json:"pruned_files"`
	PrunedBytes int64 `json:"pruned_bytes"`
	// What is on the upload volume and not in the backup.
	Waiting  int `json:"waiting"`
	Problems int `json:"problems"`
}

func (a *app) backupCommand() *cobra.Command {
	var prune, check bool
	cmd := a.list("backup DIR", "Copy the catalogue, keys, accounts and pictures, while picdayd runs", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		sys, err := a.system()
		if err != nil {
			return err
		}
		dir, err := a.backupDir(args[0])
		if err != nil {
			return err
		}
		s, err := a.open(ctx)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			a.say("there was no backup in " + dir + " yet, this makes the first; if there should be one, is its disk mounted?")
		}
		meter := a.meter("pictures")
		b := &store.Backup{
			Store: s, Dir: dir, Lock: sys.Lock, Again: check, Progress: meter.show,
			Machine: func(folder string, snapshot *store.Store) error { return a.captureMachine(ctx, sys, folder, snapshot) },
		}
		if err := b.Begin(); err != nil {
			return backupError(err, dir)
		}
		defer b.End()
		m, err := b.Take(ctx, version.String())
		meter.end()
		if err != nil {
			return backupError(err, dir)
		}
		view := backupView{Manifest: m}
		if prune {
			if view.PrunedFiles, view.PrunedBytes, err = b.Prune(ctx, m); err != nil {
				return fmt.Errorf("the backup is complete, but what it no longer needs could not be deleted: %w", err)
			}
		}
		return a.reportBackup(ctx, s, view, dir)
	})
	cmd.Flags().BoolVar(&prune, "prune", false, "afterwards delete pictures from DIR that its catalogue does not know any more")
	cmd.Flags().BoolVar(&check, "check", false, "read also what is in DIR already, and copy anew what is damaged there")
	cmd.Long = `Copy the catalogue, the link key, the configuration, the accounts with their
password hashes and keys, and all originals and renditions to DIR. picdayd goes
on working. Pictures that are in DIR already are not copied again, so it is
quick to run often. The backup before stays good until the new one is whole.

DIR is for root alone. Not in it: SSH host keys (copy /etc/ssh/ssh_host_* if
uploaders' programs shall not ask about a new machine), uploads that are not
photos yet, and files that cannot become photos.`
	cmd.Example = `  picday backup /mnt/backup/picday            # every night: only what is new is copied
  picday backup /mnt/backup/picday --check    # now and then: is the backup still sound?`
	return cmd
}

// backupDir refuses places that would be swallowed by what is backed up, or
// shown to uploaders.
func (a *app) backupDir(name string) (string, error) {
	dir, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	// The last element may be missing; with its parent it is a mistyped name,
	// or a disk that is not mounted.
	real, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		var parent string
		if parent, err = filepath.EvalSymlinks(filepath.Dir(dir)); err == nil {
			real = filepath.Join(parent, filepath.Base(dir))
		}
	}
	if err != nil {
		return "", usageError{fmt.Errorf("backup directory: %w: is its disk mounted?", err)}
	}
	if fi, err := os.Stat(real); err == nil && !fi.IsDir() {
		return "", usagef("%s is not a directory", name)
	}
	cfg, err := a.config()
	if err != nil {
		return "", err
	}
	for what, own := range map[string]string{"upload_dir": cfg.UploadDir, "data_dir": cfg.DataDir} {
		if r, err := filepath.EvalSymlinks(own); err == nil {
			own = r
		}
		if real == own || strings.HasPrefix(real, own+"/") || strings.HasPrefix(own, real+"/") {
			return "", refusef("%s and %s %s lie in one another: give a directory elsewhere, best on another disk", name, what, own)
		}
	}
	return real, nil
}

func backupError(err error, dir string) error {
	switch {
	case errors.Is(err, store.ErrNotBackup):
		return refusal{err}
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted. The backup before, if there is one, is untouched, and what was copied is kept: run it again")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w\n%s is full. The backup before, if there is one, is untouched, and what was copied is kept: make room (--prune may help) and run it again", err, dir)
	}
	return err
}

// captureMachine adds what the catalogue does not know: what lets accounts in, and
// the configuration.
func (a *app) captureMachine(ctx context.Context, sys *account.System, folder string, snapshot *store.Store) error {
	accounts, err := snapshot.Accounts(ctx)
	if err != nil {
		return err
	}
	secrets := map[string]account.Secrets{}
	for _, acct := range accounts {
		sec, err := sys.Secrets(acct.Name)
		if errors.Is(err, account.ErrNoAccount) {
			a.say(fmt.Sprintf("account %s has no Unix user, so its password and keys are not in the backup: picday doctor", acct.Name))
			continue
		}
		if err != nil {
			return err
		}
		secrets[acct.Name] = sec
	}
	text, err := json.MarshalIndent(secrets, "", "  ")
	if err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(folder, store.AccountsFile), append(text, '\n'), 0o600); err != nil {
		return err
	}
	text, err = os.ReadFile(config.File(a.configFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(folder, store.ConfigFile), text, 0o600)
}

func (a *app) reportBackup(ctx context.Context, s *store.Store, view backupView, dir string) error {
	counts, err := s.Counts(ctx)
	if err != nil {
		return err
	}
	view.Problems = counts.Problems
	if st, err := control.Ask(ctx, a.cfg.RunDir); err == nil {
		view.Waiting = st.Waiting + st.Queued + len(st.InProgress)
	}
	if err := a.print(view, func(w io.Writer) {
		fmt.Fprintf(w, "%d photos as of %s, %d originals (%s) are in %s\n", view.Photos, when(view.MadeAt), view.Originals, size(view.Bytes), dir)
		fmt.Fprintf(w, "copied now: %d files, %s\n", view.CopiedFiles, size(view.CopiedBytes))
		if view.PrunedFiles > 0 {
			fmt.Fprintf(w, "no longer needed and deleted: %d files, %s\n", view.PrunedFiles, size(view.PrunedBytes))
		}
		if view.Waiting+view.Problems > 0 {
			fmt.Fprintf(w, "not in it, only on the upload volume: %d uploads under way, %d files that are no photos (picday problems)\n", view.Waiting, view.Problems)
		}
	}); err != nil {
		return err
	}
	if n := len(view.Lost); n > 0 {
		return fmt.Errorf("the backup is complete but for %d files that are missing or damaged in %s, and not in the backup from before: see 'picday verify'", n, a.cfg.DataDir)
	}
	return nil
}

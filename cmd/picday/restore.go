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
	"slices"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/store"
)

// A restoreView is restore --json.
type restoreView struct {
	Backup    store.Manifest `json:"backup"`
	Accounts  int            `json:"accounts"`
	Jobs      int            `json:"jobs"`
	Photos    int            `json:"photos"`
	PutBack   int            `json:"files_put_back"`
	WereThere int            `json:"files_there_already"`
	Trashed   int            `json:"trashed"`
	Problems  []string       `json:"problems"`
}

func (a *app) restoreCommand() *cobra.Command {
	var catalogue string
	var with, without bool
	cmd := a.list("restore DIR", "Put a backup onto a fresh machine", cobra.ExactArgs(1), func(ctx context.Context, args []string) error {
		if with && without {
			return usagef("--with-config and --without-config contradict each other")
		}
		r, err := a.prepareRestore(ctx, args[0], catalogue)
		if err != nil {
			return err
		}
		defer r.from.Close()
		r.with, r.without = with, without
		return r.restore(ctx)
	})
	cmd.Flags().BoolVar(&with, "with-config", false, "take the configuration of the backup, also over this machine's own")
	cmd.Flags().BoolVar(&without, "without-config", false, "keep this machine's configuration, also if it is the default")
	cmd.Flags().StringVar(&catalogue, "catalogue", "", "instead of the catalogue in DIR a later one, an SQLite `FILE`\nas 'litestream restore' makes it; pictures, key and accounts come from DIR")
	cmd.Long = `Put a backup onto a machine whose catalogue is empty: the configuration (unless
this machine has its own), the link key, the catalogue, all pictures, and the
accounts with their passwords, keys, folders and files. Uploaders see their files
as before; links stay the same; nothing is decoded and nothing is withdrawn.

A backup is as good as root: whoever can change it gets log-ins, keys and commands
onto this machine. So DIR and all above it must be root's, and a configuration
that says what is run, where files are or who can connect is taken only with
--with-config. Without it the difference is shown.

picdayd must be stopped. If it is interrupted, run it again.`
	cmd.Example = `  systemctl stop picdayd && picday restore /mnt/backup/picday && systemctl start picdayd`
	return cmd
}

// A restoring is one run of restore.
type restoring struct {
	*app
	sys       *account.System
	dir       string
	folder    string // of the backup, with what changes
	catalogue string
	view      restoreView

	with, without bool // the configuration

	from, live, staged *store.Store
	secrets            map[string]account.Secrets
	accounts, kept     []store.Account
}

func (r *restoring) restore(ctx context.Context) error {
	a := r.app
	text, err := r.planConfig()
	if err != nil {
		return err
	}
	if r.sys, err = a.system(); err != nil {
		return err
	}
	release, err := r.sys.Lock(ctx)
	if err != nil {
		return err
	}
	defer release()
	for _, acct := range append(r.accounts, r.kept...) {
		if err := account.Foreign(acct.Name); err != nil {
			return fmt.Errorf("account %s cannot be restored here, nothing was changed: %w", acct.Name, err)
		}
	}
	unlock, err := a.claimDataDir(ctx)
	if err != nil {
		return err
	}
	defer func() { unlock() }()

	// From here on things change.
	if err := r.putConfig(text); err != nil {
		return err
	}
	// The folders, the daemon's user and a blank catalogue. Without names: an
	// allowlist is written with its account.
	done, err := r.sys.Init(ctx)
	a.say(done...)
	if err != nil {
		return err
	}
	unlock()
	if unlock, err = a.claimDataDir(ctx); err != nil { // there was none before
		return err
	}
	s, made, err := store.Create(ctx, a.cfg.DataDir)
	a.say(made...)
	if err != nil {
		return err
	}
	a.store, r.live = s, s
	if err := r.run(ctx); err != nil {
		return fmt.Errorf("%w\nThe restore is not complete. Mend this and run the same command again: it goes on from there", err)
	}
	return r.report()
}

// prepareRestore reads the backup and changes nothing.
func (a *app) prepareRestore(ctx context.Context, dir, catalogue string) (*restoring, error) {
	if os.Geteuid() != 0 {
		return nil, errNotRoot
	}
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("backup directory: %w: is its disk mounted?", err)}
	}
	m, err := store.ReadBackup(ctx, dir)
	switch {
	case errors.Is(err, store.ErrNotRoots):
		return nil, refusal{err}
	case errors.Is(err, store.ErrNotBackup):
		return nil, usageError{err}
	case err != nil:
		return nil, err
	}
	r := &restoring{app: a, dir: dir, folder: filepath.Join(dir, m.Folder), catalogue: catalogue, view: restoreView{Backup: m, Problems: []string{}}}
	if catalogue == "" {
		r.catalogue = filepath.Join(r.folder, store.CatalogueFile)
	} else if r.catalogue, err = filepath.Abs(catalogue); err == nil {
		r.catalogue, err = filepath.EvalSymlinks(r.catalogue)
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("--catalogue: %w", err)}
	}
	if err := store.RootsAlone(r.catalogue); err != nil {
		return nil, refusal{err}
	}
	if wal, err := os.Stat(r.catalogue + "-wal"); err == nil && wal.Size() > 0 {
		// Taken straight from a machine that died: only the file itself would be read.
		return nil, refusef("the last changes of %s are still in %[1]s-wal, and would be lost.\nTo bring them together: sqlite3 %[1]s 'PRAGMA wal_checkpoint(TRUNCATE)'", catalogue)
	}
	text, err := store.ReadRoots(filepath.Join(r.folder, store.AccountsFile), store.MaxAccounts)
	if err == nil {
		err = json.Unmarshal(text, &r.secrets)
	}
	if err != nil {
		return nil, err
	}
	if r.from, err = store.OpenSnapshot(ctx, r.catalogue, dir); errors.Is(err, store.ErrForeignSchema) {
		return nil, refusal{err}
	} else if err != nil {
		return nil, err
	}
	if r.accounts, err = r.from.Accounts(ctx); err == nil {
		r.kept, err = r.from.Kept(ctx)
	}
	for _, acct := range slices.Concat(r.accounts, r.kept) {
		if err == nil && acct.Flawed() != nil {
			err = refusal{acct.Flawed()}
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.from.Close())
	}
	return r, nil
}

// claimDataDir keeps picdayd out of the data directory, if there is one yet, and
// refuses one that something would be lost from.
func (a *app) claimDataDir(ctx context.Context) (unlock func(), err error) {
	dir := a.cfg.DataDir
	nothing := func() {}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nothing, nil
	}
	unlock, err = store.LockDataDir(dir)
	if errors.Is(err, store.ErrInUse) {
		return nothing, refusef("picdayd is running: stop it first with 'systemctl stop picdayd', and start it when this is done")
	}
	if err != nil {
		return nothing, err
	}
	s, err := store.Open(ctx, dir)
	if errors.Is(err, store.ErrNoCatalogue) {
		return unlock, nil
	}
	blank := false
	if err == nil {
		blank, err = s.Blank(ctx)
		err = errors.Join(err, s.Close())
	}
	if err == nil && !blank {
		err = refusef("there is a catalogue with accounts or photos in %s, and restoring would replace it", dir)
	}
	if err != nil {
		unlock()
		return nothing, fmt.Errorf("%w\nIf what is there is not worth keeping, move it away and restore again: mv %s %s.old", err, dir, dir)
	}
	return unlock, nil
}

// run does the work. The catalogue takes its place last of all, so that
// whatever ends it before leaves a machine on which it can be run again.
func (r *restoring) run(ctx context.Context) error {
	meter := r.meter("pictures copied")
	lost, err := r.live.Fetch(ctx, r.from, meter.show)
	meter.end()
	if err != nil {
		return err
	}
	for _, f := range lost {
		if f.Original() {
			r.problem("original %s is missing or damaged in the backup: its photos are published from their renditions only; ask for them again (picday verify names them)", f.Picture)
		}
	}
	if r.staged, err = r.live.Stage(ctx, r.catalogue, r.folder, lost); err != nil {
		return err
	}
	defer r.staged.Close()
	var photos map[int64][]int64
	err = r.staged.Update(ctx, func(tx *store.Tx) (err error) {
		photos, r.view.Trashed, err = tx.Uproot()
		return err
	})
	if err != nil {
		return err
	}
	// What the files are is known by the volume's mark.
	if _, err := r.staged.AdoptVolume(ctx, r.cfg.UploadDir, true); err != nil {
		return err
	}
	for _, acct := range append(r.accounts, r.kept...) {
		if err := r.account(ctx, acct, photos[acct.ID]); err != nil {
			return fmt.Errorf("account %s: %w", acct.Name, err)
		}
	}
	// The doors last.
	for _, acct := range r.accounts {
		if acct.Enabled {
			done, err := r.sys.Enable(ctx, acct, r.accounts)
			r.say(done...)
			if err != nil {
				return fmt.Errorf("account %s: %w", acct.Name, err)
			}
		}
	}
	counts, err := r.staged.Counts(ctx)
	if err != nil {
		return err
	}
	r.view.Photos, r.view.Accounts = counts.Photos, len(r.accounts)
	r.app.store = nil
	return r.live.ReplaceBy(r.staged)
}

func (r *restoring) problem(format string, args ...any) {
	r.view.Problems = append(r.view.Problems, fmt.Sprintf(format, args...))
}

func (r *restoring) report() error {
	v := r.view
	if err := r.print(v, func(w io.Writer) {
		asOf := when(v.Backup.MadeAt)
		if r.catalogue != filepath.Join(r.folder, store.CatalogueFile) {
			asOf = r.catalogue
		}
		fmt.Fprintf(w, "as of\t%s\naccounts\t%d\njobs\t%d\nphotos\t%d\n", asOf, v.Accounts, v.Jobs, v.Photos)
		fmt.Fprintf(w, "files put back into uploaders' folders\t%d\nfiles that were there already\t%d\n", v.PutBack, v.WereThere)
		if v.Trashed > 0 {
			fmt.Fprintf(w, "in the trash: their files were gone and their names taken\t%d\n", v.Trashed)
		}
		for _, p := range v.Problems {
			fmt.Fprintln(w, plain(p))
		}
		fmt.Fprintln(w, "What was done since is undone: rotate links again, withdraw again, and look at 'picday operator list' and 'picday token list' for who should be gone")
		fmt.Fprintln(w, "Next: systemctl start picdayd, then picday doctor and picday verify")
	}); err != nil {
		return err
	}
	if n := len(v.Problems); n > 0 {
		return fmt.Errorf("restored, but %d things are not as they were", n)
	}
	return nil
}

package restore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"picday/internal/failure"
	"picday/internal/shell"
	"picday/store"
	"picday/store/backup"
)

// Options say what to restore, as it was asked for on the command line.
type Options struct {
	Dir        string // of the backup
	Catalogue  string // a later one than in Dir, or empty
	ConfigFile string // this machine's, as config.Load takes it
	Choice     ConfigChoice
}

// Restore reads a backup and restores it onto this machine. Its errors say what to do.
func (r *Restorer) Restore(ctx context.Context, o Options) (Report, error) {
	src, err := Open(ctx, o.Dir, o.Catalogue)
	if err != nil {
		return Report{}, advise(err)
	}
	defer src.Close()
	plan, err := src.PlanConfig(o.ConfigFile, o.Choice)
	if plan.Ignored != "" {
		r.Say(fmt.Sprintf("%s is kept: it is this machine's own. That of the backup is %s; --with-config takes it", plan.File, plan.Ignored))
	}
	var unconfirmed *UnconfirmedConfigError
	if errors.As(err, &unconfirmed) {
		return Report{}, adviseConfig(unconfirmed, src, o.ConfigFile)
	}
	if err != nil {
		return Report{}, advise(err)
	}
	report, err := r.run(ctx, src, plan)
	return report, advise(err)
}

// advise says what to do about an error, and of what kind it is.
func advise(err error) error {
	var (
		incomplete *IncompleteError
		dataDir    *DataDirError
		invalid    *InvalidConfigError
		place      *backup.PlaceError
		catalogue  *CatalogueError
		unmerged   *UnmergedLogError
	)
	switch {
	case errors.As(err, &incomplete):
		return fmt.Errorf("%w\nThe restore is not complete. Mend this and run the same command again: it goes on from there", err)
	case errors.Is(err, store.ErrInUse):
		return failure.Refusal(errRunning{err})
	case errors.As(err, &dataDir):
		err = fmt.Errorf("%w\nIf what is there is not worth keeping, move it away and restore again: mv %s %[2]s.old", err, dataDir.Dir)
		if errors.Is(err, ErrNotBlank) {
			err = failure.Refusal(err)
		}
		return err
	case errors.As(err, &invalid) && invalid.BackupFile != "":
		return failure.Usagef("%w. Write %s by hand and run it again", err, invalid.File)
	case errors.As(err, &catalogue):
		return failure.Usagef("--catalogue: %w", err)
	case errors.As(err, &unmerged):
		return failure.Refusalf("%w.\nTo bring them together: sqlite3 %s 'PRAGMA wal_checkpoint(TRUNCATE)'", err, unmerged.File)
	case errors.Is(err, backup.ErrNotRootOwned), errors.Is(err, store.ErrForeignSchema):
		return failure.Refusal(err)
	case errors.As(err, &invalid), errors.As(err, &place), errors.Is(err, backup.ErrNotBackup):
		return failure.Usage(err)
	}
	return err
}

// errRunning says the same of store.ErrInUse in other words.
type errRunning struct{ error }

func (e errRunning) Unwrap() error { return e.error }

func (e errRunning) Error() string {
	return "picdayd is running: stop it first with 'systemctl stop picdayd', and start it when this is done"
}

// adviseConfig shows how the backup's configuration differs, and how to decide.
func adviseConfig(err *UnconfirmedConfigError, src *Source, configFile string) error {
	var lines []string
	for _, d := range err.Differences {
		lines = append(lines, fmt.Sprintf("  %s: %s here, %s in the backup", d.Key, d.Here, d.There))
	}
	again := []string{"picday", "restore", src.Dir}
	if configFile != "" {
		again = append(again, "--config", configFile)
	}
	if src.LaterCatalogue() {
		again = append(again, "--catalogue", src.Catalogue)
	}
	return failure.Refusalf("%w, and nothing was changed yet. It differs from this machine's:\n%s\nTo take it: %s\nTo keep this machine's: %s",
		err, strings.Join(lines, "\n"), shell.Line(append(again, "--with-config")...), shell.Line(append(again, "--without-config")...))
}

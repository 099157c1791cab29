package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/layout"
	"picday/store"
)

// Gone follows up the hint that a file or folder is missing.
func (in *Ingester) Gone(ctx context.Context, name, path string) error {
	a, ok := in.account(name)
	if !ok {
		return nil
	}
	var missing []string
	return in.Writer.Submit(ctx, store.Change{
		Apply: func(tx *store.Tx) error {
			return in.withDisk(func(d store.Disk) (err error) {
				missing, err = tx.Missing(a.Account, path, d)
				return err
			})
		},
		Done: func(err error) {
			if err != nil && !errors.Is(err, store.ErrVolume) {
				in.Log.Error().Err(err).Str("account", name).Str("path", layout.Shown(path)).Msg("cannot note what is missing, the next rescan will")
				return
			}
			if err == nil && len(missing) > 0 {
				in.Log.Info().Str("account", name).Str("path", layout.Shown(path)).Int("files", len(missing)).Msg("missing")
				// A file that came back before this was committed was seen
				// just as the catalogue knew it.
				for _, p := range missing {
					in.Look(name, p)
				}
			}
			if a.Layout == store.Portraits {
				go in.secondChance(ctx, a, path)
			}
		},
	})
}

// secondChance looks again at the files that lost against a picture of the
// same person which is now missing.
func (in *Ingester) secondChance(ctx context.Context, a account, path string) {
	person := a.rules.Of(path).Person
	losers, err := in.Store.Duplicates(ctx, a.Account)
	for _, u := range losers {
		if person != "" && a.rules.Of(u.Path).Person != person {
			continue
		}
		if err = in.Writer.Do(ctx, func(tx *store.Tx) error { return tx.Forget(u) }); err != nil {
			break
		}
		in.Look(a.Name, u.Path)
	}
	if err != nil && ctx.Err() == nil {
		in.Log.Error().Err(err).Str("account", a.Name).Msg("duplicates not looked at again")
	}
}

// How often the ends are looked after. The questions are index look-ups.
const (
	sweepEvery   = time.Second
	unprovenWait = 30 * time.Second // after a round in which nothing could be proven
	trashEvery   = 10 * time.Minute
	sweepLimit   = 500 // withdrawals in one transaction
)

// Sweep withdraws what has been missing for longer than the grace, deletes
// strays, and empties the trash, until ctx ends. A word on nudge (another
// process changed the catalogue) makes it look at the trash at once.
func (in *Ingester) Sweep(ctx context.Context, nudge <-chan struct{}) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var notBefore time.Time
	nextTrash := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-nudge:
			nextTrash = time.Now()
		case <-tick.C:
		}
		now := time.Now()
		if now.After(notBefore) {
			proven, err := in.withdraw(ctx)
			in.report(ctx, err, "withdraw")
			serr := in.deleteStrays(ctx, now)
			in.report(ctx, serr, "delete strays")
			if !proven || err != nil || serr != nil {
				notBefore = now.Add(min(unprovenWait, 5*in.Config.Upload.DeleteGrace.Std()))
			}
		}
		if now.After(nextTrash) {
			nextTrash = now.Add(trashEvery)
			in.report(ctx, in.emptyTrash(ctx), "empty trash")
		}
	}
}

func (in *Ingester) report(ctx context.Context, err error, what string) {
	if err != nil && ctx.Err() == nil {
		in.Log.Error().Err(err).Str("task", what).Msg("failed, will try again")
	}
}

// withdraw tells false when there was something to withdraw and none of it
// could be proven.
func (in *Ingester) withdraw(ctx context.Context) (proven bool, err error) {
	grace := in.Config.Upload.DeleteGrace.Std()
	n, err := in.Store.Overdue(ctx, grace)
	if err != nil || n == 0 {
		return true, err
	}
	var done []store.Withdrawal
	err = in.Writer.Do(ctx, func(tx *store.Tx) error {
		return in.withDisk(func(d store.Disk) (err error) {
			done, err = tx.Withdraw(grace, sweepLimit, d)
			return err
		})
	})
	if errors.Is(err, store.ErrVolume) {
		return false, nil
	}
	for _, w := range done {
		in.Log.Info().Str("account", w.Account).Str("path", w.Path).Msg("withdrawn")
	}
	return len(done) > 0, err
}

// deleteStrays removes badly named files whose days are over, if they are
// still badly named, still the same, and nobody has them open.
func (in *Ingester) deleteStrays(ctx context.Context, now time.Time) error {
	strays, err := in.Store.Strays(ctx, now)
	for _, s := range strays {
		if ctx.Err() != nil {
			return nil
		}
		a, ok := in.account(s.Account)
		if !ok || layout.BadName != a.rules.Of(s.Path).Reason {
			continue
		}
		deleted, derr := in.deleteStray(s)
		if derr != nil {
			err = errors.Join(err, derr)
			continue
		}
		if deleted {
			in.Log.Info().Str("account", s.Account).Str("path", layout.Shown(s.Path)).Msg("stray deleted")
			err = errors.Join(err, in.Writer.Do(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.Forget(s.Upload), tx.Deleted(a.Account, layout.Shown(s.Path)))
			}))
		}
	}
	return err
}

func (in *Ingester) deleteStray(s store.Stray) (bool, error) {
	root, err := os.OpenRoot(filepath.Join(in.Config.UploadDir, s.Account))
	if err != nil {
		return false, missing(err)
	}
	defer root.Close()
	fi, err := root.Lstat(s.Path)
	if err != nil {
		return false, missing(err) // gone: the watcher knows
	}
	if fi.Mode().IsRegular() { // what is not is never opened, nor written
		file, err := root.OpenFile(s.Path, os.O_RDONLY|openNoFollow, 0)
		if err != nil {
			return false, missing(err)
		}
		held, err := in.Held(file)
		file.Close()
		if held && err == nil {
			return false, nil
		}
	}
	// Asked last, so that it is the file nobody was writing. If it changed it
	// will be looked at and get a new date.
	fi, err = root.Lstat(s.Path)
	if err != nil || fi.IsDir() || identityOf(fi) != s.Identity {
		return false, missing(err)
	}
	return true, root.Remove(s.Path)
}

// missing makes nothing of an error that says that there is nothing.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// emptyTrash ends what was withdrawn or replaced long enough ago, and deletes
// the files that nothing points to any more.
func (in *Ingester) emptyTrash(ctx context.Context) error {
	keep := in.Config.Upload.TrashKeep.Std()
	for {
		expired, err := in.Store.Expired(ctx, keep)
		if err != nil || !expired {
			return err
		}
		var photos int64
		var files int
		err = in.Writer.Do(ctx, func(tx *store.Tx) (err error) {
			if photos, err = tx.Expire(keep); err == nil {
				files, err = tx.Collect(sweepLimit)
			}
			return err
		})
		if err != nil || photos == 0 && files == 0 {
			return err
		}
		in.Log.Info().Int64("photos", photos).Int("originals", files).Msg("trash emptied")
	}
}

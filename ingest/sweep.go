package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// Each look of Sweep costs a few index look-ups if there is nothing to do.
const (
	sweepEvery   = time.Second
	sweepRetry   = 30 * time.Second // until a failed withdrawal or deletion is tried again
	trashEvery   = 10 * time.Minute
	sweepLimit   = 500 // rows read in one transaction
	collectLimit = 100 // pictures whose files are deleted in one transaction
)

// A sweep is the progress of a round. The positions also pass rows that could not be
// processed, so that these do not block the rest; the next round tries them again.
type sweep struct {
	missing, strays store.SweepPosition
	restartAt       time.Time
}

// Sweep withdraws photos whose files have been missing for longer than the grace,
// deletes strays, and empties the trash, until ctx ends. A value on nudge (another
// process changed the catalogue) makes it check the trash at once. It logs its errors
// and always returns nil.
func (in *Ingester) Sweep(ctx context.Context, nudge <-chan struct{}) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var round sweep
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
		if now.After(round.restartAt) {
			round = sweep{restartAt: now.Add(min(sweepRetry, 5*in.Config.Upload.DeleteGrace.Std()))}
		}
		in.retryHints(ctx, now)
		in.report(ctx, in.rescanWaiting(ctx, now), "look at files over the limit")
		in.diskCache.expire()
		if err := in.withdraw(ctx, &round); err != nil {
			in.report(ctx, err, "withdraw")
			in.hints.setWithdrawFailure(err)
		}
		in.report(ctx, in.deleteStrays(ctx, now, &round), "delete strays")
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

// withdraw processes all overdue files after the last position, sweepLimit in one transaction.
// It returns an ErrUnsure if the disk could not be asked about one of them.
func (in *Ingester) withdraw(ctx context.Context, round *sweep) (failure error) {
	grace := in.Config.Upload.DeleteGrace.Std()
	for ctx.Err() == nil {
		overdue, err := in.Store.Overdue(ctx, grace, round.missing)
		if err != nil {
			return err
		}
		if !overdue {
			return failure
		}
		var done []store.Withdrawal
		var to store.SweepPosition
		var diskErr error
		err = in.Writer.Do(ctx, func(tx *store.Tx) (err error) {
			diskErr, err = in.askDisk(tx.Budget(), func(d store.Disk) (err error) {
				done, to, err = tx.Withdraw(grace, round.missing, sweepLimit, d)
				return err
			})
			return err
		})
		if err != nil {
			return err
		}
		var over *overBudget
		if errors.As(diskErr, &over) {
			// The next round usually finds the answers in the cache.
			if in.diskCache.allAnswered(over.questions) {
				failure = diskErr
			}
			in.background.start(func() { in.report(ctx, in.answerOutside(over.questions), "withdraw") })
		} else if diskErr != nil {
			failure = diskErr
		}
		for _, w := range done {
			in.Log.Info().Str("account", w.Account).Str("path", w.Path).Msg("withdrawn")
		}
		round.missing = to
	}
	return failure
}

// deleteStrays removes badly named files after upload.stray_keep, if they are still
// badly named, unchanged and not open for writing.
func (in *Ingester) deleteStrays(ctx context.Context, now time.Time, round *sweep) error {
	var failed error
	for ctx.Err() == nil {
		strays, to, err := in.Store.Strays(ctx, now, round.strays, sweepLimit)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, s := range strays {
			failed = errors.Join(failed, in.removeStray(ctx, s))
		}
		if round.strays = to; !to.More {
			break
		}
	}
	return failed
}

func (in *Ingester) removeStray(ctx context.Context, s store.Stray) error {
	a, ok := in.account(s.Account)
	if !ok || ctx.Err() != nil || layout.BadName != a.rules.Of(s.Path).Reason {
		return nil
	}
	deleted, err := in.deleteStrayFile(s)
	if err != nil || !deleted {
		return err
	}
	in.Log.Info().Str("account", s.Account).Str("path", layout.Shown(s.Path)).Msg("stray deleted")
	return in.Writer.Do(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Forget(s.Upload), tx.Deleted(a.Account, layout.Shown(s.Path)))
	})
}

func (in *Ingester) deleteStrayFile(s store.Stray) (bool, error) {
	root, err := os.OpenRoot(filepath.Join(in.Config.UploadDir, s.Account))
	if err != nil {
		return false, ignoreNotExist(err)
	}
	defer root.Close()
	fi, err := root.Lstat(s.Path)
	if err != nil {
		return false, ignoreNotExist(err) // the watcher reports it as missing
	}
	if fi.Mode().IsRegular() { // other files are never opened and have no writer
		file, err := upload.Open(root, s.Path)
		if err != nil {
			return false, ignoreNotExist(err)
		}
		held, err := in.held(file)
		file.Close()
		if held && err == nil {
			return false, nil
		}
	}
	// Compare after asking for writers, so that a change before that is noticed. The
	// watcher sends a changed file again, and it gets a new date.
	fi, err = root.Lstat(s.Path)
	if err != nil || fi.IsDir() || in.identityOf(fi, s.Account, s.Path) != s.Identity {
		return false, ignoreNotExist(err)
	}
	return true, root.Remove(s.Path)
}

// ignoreNotExist returns nil for fs.ErrNotExist, else err.
func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// emptyTrash ends photos that were withdrawn or replaced before upload.trash_keep, and
// deletes the files that no row points to, a bounded number in one transaction.
func (in *Ingester) emptyTrash(ctx context.Context) error {
	keep := in.Config.Upload.TrashKeep.Std()
	most := in.Config.Upload.MaxActivity
	expired, err := in.Store.Expired(ctx, keep, most)
	if err != nil || !expired {
		return err
	}
	for from := (store.SweepPosition{}); ; {
		var photos int64
		var files int
		var more bool
		err := in.Writer.Do(ctx, func(tx *store.Tx) (err error) {
			if photos, from, err = tx.Expire(keep, from, sweepLimit); err == nil {
				more, err = tx.TrimActivity(most, sweepLimit)
			}
			if err == nil {
				files, err = tx.Collect(collectLimit)
			}
			return err
		})
		if err != nil {
			return err
		}
		if photos > 0 || files > 0 {
			in.Log.Info().Int64("photos", photos).Int("originals", files).Msg("trash emptied")
		}
		if !from.More && !more && files < collectLimit {
			return nil
		}
	}
}

package ingest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"picday/layout"
	"picday/store"
)

// secondChance looks again at the files that lost against a picture of the
// same person which is now missing.
func (in *Ingester) secondChance(ctx context.Context, a account, path string) error {
	person, like := a.rules.Of(path).Person, ""
	if isASCII(person) && person != "" {
		like = path // anything else may be written in several ways
	}
	losers, err := in.Store.Duplicates(ctx, a.Account, like)
	if err != nil {
		return err
	}
	for _, u := range losers {
		if person != "" && a.rules.Of(u.Path).Person != person {
			continue
		}
		if err := in.Writer.Do(ctx, func(tx *store.Tx) error { return tx.Forget(u) }); err != nil {
			return err
		}
		in.Look(a.Name, u.Path)
	}
	return nil
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// How often the ends are looked after. The questions are index look-ups.
const (
	sweepEvery   = time.Second
	unprovenWait = 30 * time.Second // before what could not be proven, or deleted, is tried again
	trashEvery   = 10 * time.Minute
	sweepLimit   = 500 // rows looked at in one transaction
	collectLimit = 100 // pictures whose files are deleted in one transaction
)

// A sweep is how far a round has come. What could not be ended is behind the
// cursors, so that it never keeps from its turn what comes after it; it is
// tried again when the next round begins.
type sweep struct {
	missing, strays store.Cursor
	anew            time.Time
}

// Sweep withdraws what has been missing for longer than the grace, deletes
// strays, and empties the trash, until ctx ends. A word on nudge (another
// process changed the catalogue) makes it look at the trash at once.
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
		if now.After(round.anew) {
			round = sweep{anew: now.Add(min(unprovenWait, 5*in.Config.Upload.DeleteGrace.Std()))}
		}
		in.retryHints(ctx, now)
		in.report(ctx, in.makeRoom(ctx, now), "make room")
		in.dear.tidy()
		if err := in.withdraw(ctx, &round); err != nil {
			in.report(ctx, err, "withdraw")
			in.hints.unproven(err)
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

// withdraw looks at all that is overdue and behind the cursor, so many in one
// transaction.
func (in *Ingester) withdraw(ctx context.Context, round *sweep) (unsure error) {
	grace := in.Config.Upload.DeleteGrace.Std()
	for ctx.Err() == nil {
		overdue, err := in.Store.Overdue(ctx, grace, round.missing)
		if err != nil {
			return err
		}
		if !overdue {
			return unsure
		}
		var done []store.Withdrawal
		var to store.Cursor
		var doubt error
		err = in.Writer.Do(ctx, func(tx *store.Tx) (err error) {
			doubt, err = in.askDisk(tx.Budget(), func(d store.Disk) (err error) {
				done, to, err = tx.Withdraw(grace, round.missing, sweepLimit, d)
				return err
			})
			return err
		})
		if err != nil {
			return err
		}
		var dear *tooDear
		if errors.As(doubt, &dear) {
			// Then the next round can tell, as a rule.
			if in.dear.inVain(dear.wants) {
				unsure = doubt
			}
			go func() { in.report(ctx, in.askOutside(dear.wants), "withdraw") }()
		} else if doubt != nil {
			unsure = doubt
		}
		for _, w := range done {
			in.Log.Info().Str("account", w.Account).Str("path", w.Path).Msg("withdrawn")
		}
		round.missing = to
	}
	return unsure
}

// deleteStrays removes badly named files whose days are over, if they are
// still badly named, still the same, and nobody has them open.
func (in *Ingester) deleteStrays(ctx context.Context, now time.Time, round *sweep) error {
	var failed error
	for ctx.Err() == nil {
		strays, to, err := in.Store.Strays(ctx, now, round.strays, sweepLimit)
		if err != nil {
			return errors.Join(failed, err)
		}
		for _, s := range strays {
			failed = errors.Join(failed, in.endStray(ctx, s))
		}
		if round.strays = to; !to.More {
			break
		}
	}
	return failed
}

func (in *Ingester) endStray(ctx context.Context, s store.Stray) error {
	a, ok := in.account(s.Account)
	if !ok || ctx.Err() != nil || layout.BadName != a.rules.Of(s.Path).Reason {
		return nil
	}
	deleted, err := in.deleteStray(s)
	if err != nil || !deleted {
		return err
	}
	in.Log.Info().Str("account", s.Account).Str("path", layout.Shown(s.Path)).Msg("stray deleted")
	return in.Writer.Do(ctx, func(tx *store.Tx) error {
		return errors.Join(tx.Forget(s.Upload), tx.Deleted(a.Account, layout.Shown(s.Path)))
	})
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
	if err != nil || fi.IsDir() || in.identityOf(fi, s.Account, s.Path) != s.Identity {
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
// the files that nothing points to any more, so many in one transaction.
func (in *Ingester) emptyTrash(ctx context.Context) error {
	keep := in.Config.Upload.TrashKeep.Std()
	most := in.Config.Upload.MaxActivity
	expired, err := in.Store.Expired(ctx, keep, most)
	if err != nil || !expired {
		return err
	}
	for from := (store.Cursor{}); ; {
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

package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// limits holds for each account the state of its limit of files (upload.max_files).
type limits struct {
	mu        sync.Mutex
	byAccount map[string]*limitState
}

type limitState struct {
	left       int       // number of new files that a scan may still report
	countedAt  time.Time // when left was set from the catalogue
	listedAt   time.Time // when a scan last had to report a file, so that one is listed
	hasWaiting bool      // files wait for the limit
	nextScan   time.Time // earliest time of the next scan because of hasWaiting
}

// limitInterval is the shortest time between two scans of an account with waiting files.
const limitInterval = time.Minute

// extraPerSecond is how many further files a scan may report per second after it has
// reported as many as the limit allowed.
const extraPerSecond = 10_000

// update runs fn with the state of an account.
func (l *limits) update(account string, fn func(*limitState)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byAccount == nil {
		l.byAccount = map[string]*limitState{}
	}
	if l.byAccount[account] == nil {
		l.byAccount[account] = &limitState{}
	}
	fn(l.byAccount[account])
}

// overLimit returns the verdict on a new file of an account that has reached its limit,
// and false for all other files. One waiting file of an account is recorded as a
// problem and the others are not, so that endless uploads cannot fill the catalogue.
// Files being processed are not counted, so the limit is exceeded by their number at
// most.
func (in *Ingester) overLimit(ctx context.Context, f settled, listed bool) (verdict, bool) {
	room, err := in.Store.FilesLeft(ctx, f.owner.ID, in.Config.Upload.MaxFiles)
	if err == nil && room > 0 {
		return verdict{}, false
	}
	known := false
	if err == nil {
		known, err = in.Store.KnownFile(ctx, f.owner.ID, f.Path, f.Identity)
	}
	if err != nil {
		return in.retryLater(f, err), true
	}
	if known {
		return verdict{}, false
	}
	if waits, err := in.Store.HasWaiting(ctx, f.owner.ID, layout.TooManyFiles); err != nil {
		return in.retryLater(f, err), true
	} else if waits && !listed {
		in.limits.update(f.Account, func(l *limitState) { l.hasWaiting = true })
		return verdict{}, true
	}
	return in.waitForLimit(f, layout.TooManyFiles), true
}

// waitForLimit returns the verdict on a file or folder that waits for a limit.
func (in *Ingester) waitForLimit(f settled, reason layout.Reason) verdict {
	in.Log.Warn().Str("account", f.Account).Str("path", f.place.Shown).Str("reason", string(reason)).Msg("not taken")
	return verdict{apply: func(tx *store.Tx) error {
		return in.withDisk(tx.Budget(), func(d store.Disk) error { return tx.AddWaiting(f.owner.Account, f.place, f.Identity, reason, d) })
	}}
}

// Skip tells whether a file that a scan found, and that the catalogue does not know,
// waits for the limit of its account. The scan does not report such files, because its
// memory must not grow with their number.
func (in *Ingester) Skip(ctx context.Context, account, path string, id upload.Identity) (skip bool) {
	a, ok := in.account(account)
	if !ok {
		return false
	}
	most := in.Config.Upload.MaxFiles
	in.limits.update(account, func(l *limitState) {
		now := time.Now()
		if since := now.Sub(l.countedAt); since > limitInterval || l.left == 0 && since > time.Second {
			room, err := in.Store.FilesLeft(ctx, a.ID, most)
			if err != nil {
				return
			}
			if since <= limitInterval {
				room = min(room, extraPerSecond) // the files reported before may not be committed yet
			}
			l.left, l.countedAt = max(0, room), now
		}
		if l.left > 0 {
			l.left--
			return
		}
		known, err := in.Store.KnownFile(ctx, a.ID, path, id)
		if err != nil || known {
			return
		}
		if now.Sub(l.listedAt) > limitInterval {
			room, rerr := in.Store.FilesLeft(ctx, a.ID, most)
			waits, err := in.Store.HasWaiting(ctx, a.ID, layout.TooManyFiles)
			if err != nil || rerr != nil {
				return
			}
			if l.listedAt = now; room <= 0 && !waits {
				return
			}
		}
		l.hasWaiting, skip = true, true
	})
	return skip
}

// rescanWaiting starts a scan of the accounts whose waiting files can be taken now, or of
// whose waiting files none is listed.
func (in *Ingester) rescanWaiting(ctx context.Context, now time.Time) error {
	names, err := in.Store.AccountsWaiting(ctx, layout.TooManyFiles)
	for _, name := range names {
		in.limits.update(name, func(l *limitState) { l.hasWaiting = true })
	}
	names = names[:0]
	in.limits.mu.Lock()
	for name, l := range in.limits.byAccount {
		if l.hasWaiting && !now.Before(l.nextScan) {
			names = append(names, name)
		}
	}
	in.limits.mu.Unlock()
	for _, name := range names {
		a, ok := in.account(name)
		if !ok {
			in.limits.update(name, func(l *limitState) { l.hasWaiting = false })
			continue
		}
		err = errors.Join(err, in.rescanWaitingIn(ctx, a, now))
	}
	return err
}

func (in *Ingester) rescanWaitingIn(ctx context.Context, a account, now time.Time) error {
	room, err := in.Store.FilesLeft(ctx, a.ID, in.Config.Upload.MaxFiles)
	if err != nil {
		return err
	}
	waits, err := in.Store.HasWaiting(ctx, a.ID, layout.TooManyFiles)
	if err != nil || room <= 0 && waits {
		return err
	}
	if waits {
		if err := in.Writer.Do(ctx, func(tx *store.Tx) error { return tx.RemoveWaiting(a.Account) }); err != nil {
			return err
		}
	}
	in.limits.update(a.Name, func(l *limitState) { *l = limitState{nextScan: now.Add(limitInterval)} })
	in.Watcher.Look(a.Name, "")
	return nil
}

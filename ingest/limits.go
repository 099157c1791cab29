package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"picday/store"
)

// limits remembers of each account what the limit of its files keeps waiting.
type limits struct {
	mu sync.Mutex
	of map[string]*limited
}

type limited struct {
	left   int       // files that a scan may still tell of
	asked  time.Time // when that was the room there is
	listed time.Time // when a scan was told to tell of one, so that it is listed
	over   bool      // files wait
	again  time.Time // no scan because of them before then
}

// limitEvery is how often an account with files that wait is scanned at most.
const limitEvery = time.Minute

// someMore is how many files a scan tells of in a second when those that there was
// room for have been told of.
const someMore = 10_000

// on runs fn with what is remembered of an account.
func (l *limits) on(account string, fn func(*limited)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[string]*limited{}
	}
	if l.of[account] == nil {
		l.of[account] = &limited{}
	}
	fn(l.of[account])
}

// beyond is the verdict on a new file of an account that has as many as it may,
// and false for all others. Of those that wait one is entered as a problem, the
// others not at all: else whoever makes files without end would fill the catalogue.
// Files in hand are not counted, so the limit is exceeded by those at most.
func (in *Ingester) beyond(ctx context.Context, a account, f File, place store.Place, listed bool) (verdict, bool) {
	room, err := in.Store.Room(ctx, a.ID, in.Config.Upload.MaxFiles)
	if err == nil && room > 0 {
		return verdict{}, false
	}
	known := false
	if err == nil {
		known, err = in.Store.KnownFile(ctx, a.ID, f.Path, f.Identity)
	}
	if err != nil {
		return in.failed(f, err), true
	}
	if known {
		return verdict{}, false
	}
	if waits, err := in.Store.Waits(ctx, a.ID, store.TooManyFiles); err != nil {
		return in.failed(f, err), true
	} else if waits && !listed {
		in.limits.on(a.Name, func(l *limited) { l.over = true })
		return verdict{}, true
	}
	return in.wait(a, f, place, store.TooManyFiles), true
}

// wait is the verdict on what waits for a limit.
func (in *Ingester) wait(a account, f File, place store.Place, reason store.Reason) verdict {
	in.Log.Warn().Str("account", f.Account).Str("path", place.Shown).Str("reason", string(reason)).Msg("not taken")
	return verdict{apply: func(tx *store.Tx) error {
		return in.withDisk(tx.Budget(), func(d store.Disk) error { return tx.Wait(a.Account, place, f.Identity, reason, d) })
	}}
}

// LeftOut tells whether a file that a scan finds, and that the catalogue does not
// know, waits for the limit of its account. A scan that told of them all would
// need memory for as many as somebody cares to make.
func (in *Ingester) LeftOut(name, path string, id store.Identity) (skip bool) {
	a, ok := in.account(name)
	if !ok {
		return false
	}
	ctx, most := context.Background(), in.Config.Upload.MaxFiles
	in.limits.on(name, func(l *limited) {
		now := time.Now()
		if since := now.Sub(l.asked); since > limitEvery || l.left == 0 && since > time.Second {
			room, err := in.Store.Room(ctx, a.ID, most)
			if err != nil {
				return
			}
			if since <= limitEvery {
				room = min(room, someMore) // those that were told of may still wait for their turn
			}
			l.left, l.asked = max(0, room), now
		}
		if l.left > 0 {
			l.left--
			return
		}
		known, err := in.Store.KnownFile(ctx, a.ID, path, id)
		if err != nil || known {
			return
		}
		if now.Sub(l.listed) > limitEvery {
			room, rerr := in.Store.Room(ctx, a.ID, most)
			waits, err := in.Store.Waits(ctx, a.ID, store.TooManyFiles)
			if err != nil || rerr != nil {
				return
			}
			if l.listed = now; room <= 0 && !waits {
				return
			}
		}
		l.over, skip = true, true
	})
	return skip
}

// makeRoom has the accounts scanned in which files wait that may be taken by now,
// or of which none is listed.
func (in *Ingester) makeRoom(ctx context.Context, now time.Time) error {
	names, err := in.Store.Waiting(store.TooManyFiles)
	for _, name := range names {
		in.limits.on(name, func(l *limited) { l.over = true })
	}
	names = names[:0]
	in.limits.mu.Lock()
	for name, l := range in.limits.of {
		if l.over && !now.Before(l.again) {
			names = append(names, name)
		}
	}
	in.limits.mu.Unlock()
	for _, name := range names {
		a, ok := in.account(name)
		if !ok {
			in.limits.on(name, func(l *limited) { l.over = false })
			continue
		}
		err = errors.Join(err, in.makeRoomIn(ctx, a, now))
	}
	return err
}

func (in *Ingester) makeRoomIn(ctx context.Context, a account, now time.Time) error {
	room, err := in.Store.Room(ctx, a.ID, in.Config.Upload.MaxFiles)
	if err != nil {
		return err
	}
	waits, err := in.Store.Waits(ctx, a.ID, store.TooManyFiles)
	if err != nil || room <= 0 && waits {
		return err
	}
	if waits {
		if err := in.Writer.Do(ctx, func(tx *store.Tx) error { return tx.EndWait(a.Account) }); err != nil {
			return err
		}
	}
	in.limits.on(a.Name, func(l *limited) { *l = limited{again: now.Add(limitEvery)} })
	in.Look(a.Name, "")
	return nil
}

package ingest

import (
	"context"
	"time"

	"picday/store"
)

const (
	groupEvery = 250 * time.Millisecond
	groupMost  = 200 // changes in one transaction
	groupAgain = time.Minute
	// After an error of the machine, which others report too.
	groupFailed = 5 * time.Second
)

// Group finds out whose the photos are that came into albums with cards, soon after they
// did, in bounded transactions. It logs its errors and always returns nil.
func (in *Ingester) Group(ctx context.Context) error {
	failed := map[store.DueAlbum]time.Time{}
	wait := groupEvery
	for {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		start := time.Now()
		due, err := in.Store.DueAlbums(ctx, start)
		if err != nil && ctx.Err() == nil {
			in.Log.Error().Err(err).Msg("albums with cards not found")
		}
		for _, d := range due {
			if start.Sub(failed[d]) < groupAgain {
				continue
			}
			if err := in.regroup(ctx, d); err != nil && ctx.Err() == nil {
				failed[d] = start
				in.Log.Error().Err(err).Int64("job", d.JobID).Str("album", d.Album).Msg("whose the photos of an album are is not known, will try again")
			}
		}
		// While an album grows it is read again and again: not for more than a tenth of the time.
		wait = max(groupEvery, min(10*time.Since(start), 2*time.Second))
		switch {
		case err != nil:
			wait = groupFailed
		case len(due) == 0:
			wait = groupEvery
		}
	}
}

func (in *Ingester) regroup(ctx context.Context, d store.DueAlbum) error {
	for done := false; !done; {
		if err := in.Store.Update(ctx, func(tx *store.Tx) (err error) {
			done, err = tx.Regroup(d, groupMost)
			return err
		}); err != nil {
			return err
		}
		if done {
			break
		}
		select { // so that other processes get at the catalogue too
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

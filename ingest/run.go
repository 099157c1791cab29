package ingest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"picday/internal/config"
	"picday/internal/turns"
	"picday/layout"
)

// share is how many pictures of one account are decoded at once.
func share(c config.Images) int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Decoders is how many Run has use for: one is left by an account that has all
// it may have, so that no other waits for its pictures, however long they take.
func Decoders(c config.Images) int { return share(c) + 1 }

// Run takes files until ctx ends, then finishes what is in hand. For every
// file received it calls done once: again means that the file must be looked
// at anew. What needs only the catalogue is done at once. What must be read
// waits here for its account's turn; whoever sends the files bounds how many
// wait, because Run receives them as fast as they come.
func (in *Ingester) Run(ctx context.Context, files <-chan File, done func(f File, again bool)) error {
	// One worker is never at the service of an account that has all the others.
	// The rest are one more than its pictures are decoded at once: while a file is
	// copied and made durable, no core waits for the disk.
	workers := in.share + 2
	queue := turns.New[string, File](workers - 1)
	heavy := make(chan File)
	through := make(chan string, workers) // room for all, so that none waits once Run has left
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for f := range heavy {
				in.hand(f, true)
				in.finish(ctx, f, done, in.take(ctx, f))
				in.hand(f, false)
				through <- f.Account
			}
		})
	}
	defer group.Wait()
	defer close(heavy)
	receive := func(f File) {
		if v, ok := in.glance(ctx, f); ok {
			in.finish(ctx, f, done, v)
		} else {
			queue.Put(f.Account, f)
		}
	}
	var waiting []File // received while there was no room
	paused := false
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var worker chan<- File
		var file File
		next := queue.Next()
		if next != nil && !paused {
			worker, file = heavy, next.Value
		}
		select {
		case f := <-files:
			if paused = in.pause(paused); paused {
				waiting = append(waiting, f)
			} else {
				receive(f)
			}
		case <-tick.C:
			if paused = in.pause(paused); !paused {
				for _, f := range waiting {
					receive(f)
				}
				waiting = nil
			}
		case worker <- file:
			queue.Give(next)
		case account := <-through:
			queue.Back(account)
		case <-ctx.Done():
			return nil
		}
	}
}

// pause tells whether there is no room for anything, and says so when that has
// changed.
func (in *Ingester) pause(before bool) bool {
	err := in.Room(0)
	switch {
	case err != nil:
		in.remember(err)
		if !before {
			in.Log.Error().Err(err).Msg("uploads wait")
		}
	case before:
		in.Log.Info().Msg("there is room again, uploads are taken")
		in.remember(nil)
	}
	return err != nil
}

// Quick tells whether a file is dealt with without being read, whatever is in it.
func (in *Ingester) Quick(account, path string, regular bool) bool {
	a, ok := in.account(account)
	return !ok || !regular || a.rules.Of(path).What != layout.Picture
}

package ingest

import (
	"context"
	"runtime"
	"sync"
	"time"

	"picday/internal/config"
	"picday/internal/turns"
	"picday/internal/upload"
)

// share returns how many pictures of one account are decoded at once.
func share(c config.Images) int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Decoders returns how many decoders Run can use: one more than an account may use at
// once, so that no account waits for the slow pictures of another one.
func Decoders(c config.Images) int { return share(c) + 1 }

// Run processes the watcher's files and hints until ctx ends, then finishes the files
// that it has begun, and returns nil. It answers every file with Done once. A file that
// needs only the catalogue is processed at once; one that must be read waits for its
// account's turn. Run receives files as fast as they come; the watcher bounds how many
// wait.
func (in *Ingester) Run(ctx context.Context) error {
	// An account has at most workers-1 workers, so that one is left for the others.
	// These are one more than its decoders, so that the decoders are busy while one
	// file is copied and made durable.
	workers := in.share + 2
	queue := turns.New[string, upload.File](workers - 1)
	toRead := make(chan upload.File)
	done := make(chan string, workers) // buffered for all, so that no worker blocks once Run has left its loop
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for f := range toRead {
				in.setInProgress(f, true)
				in.finish(ctx, f, in.take(ctx, f))
				in.setInProgress(f, false)
				done <- f.Account
			}
		})
	}
	defer in.background.wait()
	defer group.Wait()
	defer close(toRead)
	process := func(f upload.File) {
		if v, ok := in.withoutReading(ctx, f); ok {
			in.finish(ctx, f, v)
		} else {
			queue.Put(f.Account, f)
		}
	}
	var postponed []upload.File // received while there was no room
	paused := false
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var worker chan<- upload.File
		var f upload.File
		next := queue.Next()
		if next != nil && !paused {
			worker, f = toRead, next.Value
		}
		select {
		case f := <-in.Watcher.Settled():
			if paused = in.pause(paused); paused {
				postponed = append(postponed, f)
			} else {
				process(f)
			}
		case g := <-in.Watcher.Gone():
			in.receiveHint(ctx, g)
		case <-tick.C:
			if paused = in.pause(paused); !paused {
				for _, f := range postponed {
					process(f)
				}
				postponed = nil
			}
		case worker <- f:
			queue.Give(next)
		case account := <-done:
			queue.Back(account)
		case <-ctx.Done():
			return nil
		}
	}
}

// pause tells whether the data directory has no room. It logs a change; before is
// its last result.
func (in *Ingester) pause(before bool) bool {
	err := in.Room(0)
	switch {
	case err != nil:
		in.retries.set(err, time.Now())
		if !before {
			in.Log.Error().Err(err).Msg("uploads wait")
		}
	case before:
		in.Log.Info().Msg("there is room again, uploads are taken")
		in.retries.set(nil, time.Now())
	}
	return err != nil
}

// background runs work that a commit starts, or that is too slow for the goroutine
// that needs it. Run waits for it before it returns.
type background struct {
	mu    sync.Mutex
	group sync.WaitGroup
	ended bool
}

// start runs fn in a goroutine of its own. After wait was called it returns false and
// does not run fn: the next start of picdayd finds the work again.
func (b *background) start(fn func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		b.group.Go(fn)
	}
	return !b.ended
}

// wait refuses new work and returns when all running work has ended.
func (b *background) wait() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.group.Wait()
}

package ingest

import (
	"sync"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

// retries says of each file that an error has kept from being taken, and that the file did
// not cause, how often that was in a row. Such an error (a full or broken disk, too many open
// files, a locked catalogue) never becomes a problem, which is the uploader's.
type retries struct {
	mu       sync.Mutex
	of       map[fileKey]retry
	failure  error // the last one
	failedAt time.Time
	purgedAt time.Time
}

type fileKey struct{ account, path string }

type retry struct {
	tries int
	at    time.Time // of the last
}

// forgetRetry is for how long a file that is not sent again, because it is gone, is kept.
const forgetRetry = 10 * lastRetry

// after returns how long to wait after so many tries.
func after(tries int) time.Duration {
	return min(firstRetry<<min(max(tries-1, 0), 10), lastRetry)
}

// fail notes an error and returns after how long the file is tried again.
func (r *retries) fail(f upload.File, err error, now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.purgedAt) > lastRetry {
		r.purgedAt = now
		for key, old := range r.of {
			if now.Sub(old.at) > forgetRetry {
				delete(r.of, key)
			}
		}
	}
	if r.of == nil {
		r.of = map[fileKey]retry{}
	}
	key := fileKey{f.Account, f.Path}
	tries := r.of[key].tries + 1
	r.of[key] = retry{tries, now}
	r.failure, r.failedAt = err, now
	return after(tries)
}

// succeed notes that a file was decided on. When none waits any more, nothing is failing.
func (r *retries) succeed(f upload.File) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := fileKey{f.Account, f.Path}
	if _, failed := r.of[key]; !failed {
		return
	}
	if delete(r.of, key); len(r.of) == 0 {
		r.failure = nil
	}
}

// set notes an error that keeps all files from being taken, nil if it is over.
func (r *retries) set(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure, r.failedAt = err, now
}

// last returns the last error, nil if all files that it concerned were taken since, or if
// none has failed for longer than it takes until the next try.
func (r *retries) last(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.failedAt) > 2*lastRetry {
		return nil
	}
	return r.failure
}

// recordFailure logs and records an error that the file did not cause, and returns after how
// long it is tried again.
func (in *Ingester) recordFailure(f upload.File, err error) time.Duration {
	in.Log.Error().Err(err).Str("account", f.Account).Str("path", layout.Shown(f.Path)).Msg("not taken, will try again")
	return in.retries.fail(f, err, time.Now())
}

// LastFailure returns the last error that keeps files from being taken, nil if there is none.
func (in *Ingester) LastFailure() error { return in.retries.last(time.Now()) }

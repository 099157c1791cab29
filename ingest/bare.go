package ingest

import (
	"context"
	"time"

	"picday/store"
)

// waitFor deals with a file that ends within picture data. As a rule it was cut off,
// and is a problem at once. If every sample is there and only EOI is missing, as some
// phones leave it, the upload may still have been about to end: it is taken when
// nobody has written for as long as is waited where the kernel cannot tell who writes.
// Then ok is false.
func (in *Ingester) waitFor(ctx context.Context, a account, f File, place store.Place, c *copied) (v verdict, ok bool) {
	enough := in.Config.Upload.SettleUnsure.Std()
	if since, known := in.bareSince(f); known {
		if left := enough - time.Since(since); left > 0 {
			return verdict{again: true, delay: left}, true
		}
		return verdict{}, false
	}
	// Not derive: nothing is to be left on disk of what may never become a photo.
	a.decoding <- struct{}{}
	_, _, err := in.Render(context.WithoutCancel(ctx), a.Name, c.temp, c.facts, in.sizes)
	<-a.decoding
	if err != nil {
		if reason := reasonOf(err); reason != "" {
			return in.problem(a, f, place, reason), true
		}
		return in.failed(f, err), true
	}
	in.setBare(f, enough)
	return verdict{again: true, delay: enough}, true
}

// bareSince is since when a file, with this very identity, is known to lack only EOI.
func (in *Ingester) bareSince(f File) (time.Time, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	since, known := in.bare[f]
	return since, known
}

// setBare notes it, and forgets the files of long ago, which were taken or have changed.
func (in *Ingester) setBare(f File, enough time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for old, since := range in.bare {
		if time.Since(since) > 2*enough+time.Hour {
			delete(in.bare, old)
		}
	}
	in.bare[f] = time.Now()
}

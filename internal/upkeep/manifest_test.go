package upkeep

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// A manifest is written when something has changed, rarely if it takes long, and not on a full
// disk; a failure is logged once.
func TestManifestIsWrittenWhenSomethingChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		mark, written, takes := 0, 0, time.Duration(0)
		var full error
		var log lines
		go func() {
			_ = Manifest(ctx, func(context.Context) (string, error) { return fmt.Sprint(mark), nil }, func() error { return full },
				func(context.Context) error { written++; time.Sleep(takes); return nil }, zerolog.New(&log))
		}()
		expect := func(when string, want int) {
			t.Helper()
			if synctest.Wait(); written != want {
				t.Errorf("%s: written %d times, not %d", when, written, want)
			}
		}
		time.Sleep(firstManifest)
		expect("at first", 1)
		time.Sleep(10 * manifestEvery)
		expect("nothing has changed", 1)
		mark++
		full = errors.New("full")
		time.Sleep(3 * manifestEvery)
		if expect("full", 1); log.Load() != 1 {
			t.Errorf("logged %d times", log.Load())
		}
		full, takes = nil, time.Minute
		time.Sleep(manifestEvery + takes)
		expect("room again", 2)
		mark++
		time.Sleep(manifestShare * takes / 2)
		expect("soon after one that took long", 2)
		time.Sleep(manifestShare * takes / 2)
		expect("later", 3)
		time.Sleep(takes)
		stop()
		synctest.Wait()
	})
}

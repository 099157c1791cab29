package upkeep

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"picday/store"
)

func TestWALWarning(t *testing.T) {
	now := time.Now()
	for _, w := range []store.WAL{{}, {Bytes: 200 << 20}, {Bytes: 200 << 20, HeldSince: now.Add(-walHeld / 2)}} {
		if text := WALWarning(w, now); text != "" {
			t.Errorf("%+v: %q", w, text)
		}
	}
	if text := WALWarning(store.WAL{Bytes: 168_000_000, HeldSince: now.Add(-5 * time.Minute)}, now); !strings.Contains(text, "168 MB") {
		t.Errorf("%q", text)
	}
}

// lines counts what is logged.
type lines struct{ atomic.Int32 }

func (l *lines) Write(p []byte) (int, error) { l.Add(1); return len(p), nil }

// While a reader holds the log that is logged once, and once that it is over.
func TestWALIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var log lines
		var wal atomic.Value
		wal.Store(store.WAL{Bytes: 1 << 20, HeldSince: time.Now()})
		go func() {
			_ = WAL(ctx, func(context.Context) (store.WAL, error) { return wal.Load().(store.WAL), nil }, zerolog.New(&log))
		}()
		expect := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			if n := int(log.Load()); n != want {
				t.Errorf("%s: %d lines", when, n)
			}
		}
		time.Sleep(walHeld - time.Second)
		expect("held for a short time", 0)
		time.Sleep(5 * walHeld)
		expect("held", 1)
		wal.Store(store.WAL{})
		time.Sleep(walEvery)
		expect("free", 2)
		stop()
		synctest.Wait()
	})
}

// That the reserve cannot be kept is logged once a reason, not every two seconds.
func TestReserveIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var log lines
		var err atomic.Pointer[error]
		err.Store(new(error))
		go func() { _ = Reserve(ctx, func() error { return *err.Load() }, zerolog.New(&log)) }()
		for _, step := range []struct {
			err   error
			lines int
		}{{nil, 0}, {errors.New("full"), 1}, {nil, 1}, {errors.New("full"), 2}, {errors.New("broken"), 3}} {
			synctest.Wait()
			err.Store(&step.err)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if n := int(log.Load()); n != step.lines {
				t.Errorf("%v: %d lines", step.err, n)
			}
		}
		stop()
		synctest.Wait()
	})
}

package watcher

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"
)

// withCanary is a world that proves that events arrive.
func withCanary(t *testing.T, every, patient time.Duration) *world {
	t.Helper()
	w := open(t, t.TempDir())
	w.opt.Canary, w.canaryEvery, w.canaryPatient = t.TempDir()+"/canary", every, patient
	return w
}

// When Flush returns, everything that happened before has been handled.
func TestFlushReturnsAfterAllEventsBefore(t *testing.T) {
	w := withCanary(t, time.Hour, time.Minute)
	w.opt.Settle = time.Hour // nothing is sent
	w.run()
	w.must(w.Flush(t.Context()))
	const many = 500
	for i := range many {
		w.write(fmt.Sprintf("job/%d.jpg", i))
	}
	w.must(w.Flush(t.Context()))
	if s := w.Status(); s.Pending != many || s.EventsProven.IsZero() {
		t.Errorf("%d of %d files are known: %+v", s.Pending, many, s)
	}
}

// An event stream that has ended, or that stands still, is replaced by another one, and
// everything is watched again.
func TestADeadEventStreamIsReplaced(t *testing.T) {
	for name, kill := range map[string]func(w *world){
		"it ended": func(w *world) { w.must(w.dirs.inotify.Close()) },
		"it stands still": func(w *world) {
			w.write("job/x.jpg")
			w.must(w.Alive(w.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := withCanary(t, 50*time.Millisecond, 2*time.Second)
			stuck := make(chan struct{})
			var stall, stalled atomic.Bool
			w.beforeEvent = func() {
				if stall.Load() && stalled.CompareAndSwap(false, true) {
					<-stuck
				}
			}
			w.mkdir("job/a")
			w.run()
			t.Cleanup(func() { close(stuck) })
			w.scan()
			stall.Store(name == "it stands still")
			kill(w)
			w.until("it is replaced", func() bool { return w.Status().Rebuilt > 0 })
			w.scan()
			w.write("job/a/y.jpg")
			w.mkdir("job/b")
			w.write("job/b/z.jpg")
			w.caughtUp()
			w.until("everything is watched", func() bool { s := w.Status(); return len(s.PolledDirs) == 0 && s.WatchedDirs == 3 })
			w.must(w.Alive(t.Context()))
		})
	}
}

// A watcher whose events do not arrive is not alive.
func TestWithoutEventsItIsNotAlive(t *testing.T) {
	w := withCanary(t, time.Hour, time.Hour)
	ended := make(chan struct{})
	w.beforeEvent = func() { <-ended }
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- w.Run(ctx, w.ledger) }()
	w.must(w.Alive(t.Context()))
	w.in.call(func(l *loop) { l.canary.proven = time.Now().Add(-7 * time.Hour) })
	if err := w.Alive(t.Context()); !errors.Is(err, ErrNoEvents) {
		t.Errorf("%v", err)
	}
	cancel()
	close(ended)
	w.must(<-ran)
}

// A census counts the watches that the kernel does not have, and a second one replaces the
// event stream.
func TestACensusFindsWatchesThatAreGone(t *testing.T) {
	w := withCanary(t, time.Hour, time.Minute)
	w.mkdir("job/a")
	w.mkdir("job/b")
	w.run()
	w.scan()
	w.must(w.Flush(t.Context()))
	if missing, err := w.dirs.census(w.opt.Canary); missing != 0 || err != nil {
		t.Fatalf("%d watches are missing: %v", missing, err)
	}
	w.must(w.dirs.inotify.Remove(w.path("job/a")))
	if missing, err := w.dirs.census(w.opt.Canary); missing != 1 || err != nil {
		t.Fatalf("one watch was removed, %d are missing: %v", missing, err)
	}
	w.until("the loss is found twice, and all are watched again", func() bool {
		w.in.call(func(l *loop) { l.censusAt = l.now })
		s := w.Status()
		return s.Rebuilt > 0 && s.WatchesMissing == 0
	})
	w.write("job/a/x.jpg")
	w.caughtUp()
}

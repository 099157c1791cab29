package watcher

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"picday/internal/upload"
)

// Operations besides those of fsnotify.
const (
	opVanished fsnotify.Op = 1 << (iota + 24) // a walker did not find it
	opLook                                    // Look was called, or the path must be checked again

	// After one of these a watched path may name another directory, or none.
	opMoved = fsnotify.Create | fsnotify.Remove | fsnotify.Rename | opVanished
)

// pathEvents sums up all events of one path until the event loop processes them.
type pathEvents struct {
	op   fsnotify.Op
	at   time.Time    // of the last event
	stat *upload.Stat // by a walker, if it found a file
}

// inbox passes events and calls to the event loop. Adding to it never blocks.
type inbox struct {
	hasEvents chan struct{} // there are events; the event loop may collect more before it reads them
	urgent    chan struct{} // there is a call or an overflow, to be processed at once

	mu        sync.Mutex
	events    map[string]pathEvents // by absolute path
	calls     []func(*loop)
	overflows int64
}

func newInbox() *inbox {
	return &inbox{hasEvents: make(chan struct{}, 1), urgent: make(chan struct{}, 1), events: map[string]pathEvents{}}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (in *inbox) add(path string, op fsnotify.Op, found *upload.Stat) {
	now := time.Now()
	in.mu.Lock()
	ev := in.events[path]
	ev.op |= op
	ev.at = now
	if found != nil {
		ev.stat = found
	}
	in.events[path] = ev
	in.mu.Unlock()
	signal(in.hasEvents)
}

func (in *inbox) call(f func(*loop)) {
	in.mu.Lock()
	in.calls = append(in.calls, f)
	in.mu.Unlock()
	signal(in.urgent)
}

func (in *inbox) overflow() {
	in.mu.Lock()
	in.overflows++
	in.mu.Unlock()
	signal(in.urgent)
}

func (in *inbox) take() (events map[string]pathEvents, calls []func(*loop), overflows int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	events, calls, overflows = in.events, in.calls, in.overflows
	in.events, in.calls, in.overflows = map[string]pathEvents{}, nil, 0
	return events, calls, overflows
}

// read moves events from fsnotify to the inbox. It must not wait for anything else:
// fsnotify holds its lock while it sends an error, and the kernel's queue is finite.
func (w *Watcher) read(ctx context.Context, inotify *fsnotify.Watcher) error {
	for {
		select {
		case e, ok := <-inotify.Events:
			if !ok {
				return w.ended(ctx, inotify)
			}
			if w.beforeEvent != nil {
				w.beforeEvent()
			}
			if dir, name := filepath.Split(e.Name); w.opt.Canary != "" && filepath.Clean(dir) == w.opt.Canary {
				if e.Op&fsnotify.Create != 0 {
					w.in.call(func(l *loop) { l.canaryArrived(name) })
				}
				continue
			}
			w.in.add(e.Name, e.Op, nil)
		case err, ok := <-inotify.Errors:
			switch {
			case !ok:
				return w.ended(ctx, inotify)
			case errors.Is(err, fsnotify.ErrEventOverflow):
				w.in.overflow()
			default:
				w.opt.Log.Warn().Err(err).Msg("inotify")
			}
		}
	}
}

// ended has the event loop replace an inotify instance that has ended by itself.
func (w *Watcher) ended(ctx context.Context, inotify *fsnotify.Watcher) error {
	switch {
	case ctx.Err() != nil:
		return nil
	case w.opt.Canary == "":
		return errors.New("inotify ended")
	}
	w.in.call(func(l *loop) {
		if l.dirs.uses(inotify) {
			l.rebuild(errors.New("inotify ended"))
		}
	})
	return nil
}

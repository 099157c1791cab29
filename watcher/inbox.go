package watcher

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// What can be noted about a path besides the operations of fsnotify.
const (
	opVanished fsnotify.Op = 1 << (iota + 24) // a walker missed it
	opLook                                    // somebody asked

	// After one of these a watched directory may be another one, or none.
	opMoved = fsnotify.Create | fsnotify.Remove | fsnotify.Rename | opVanished
)

// note is all that is remembered of a path until the keeper gets to it, be it
// one event or 150 of them.
type note struct {
	op    fsnotify.Op
	at    time.Time // the last of them
	found *stat     // what a walker saw, if it saw a file
}

// inbox is the only way to the keeper. Putting something in never blocks.
type inbox struct {
	soft chan struct{} // there are notes; they may wait until more have come together
	hard chan struct{} // there is something that may not wait

	mu        sync.Mutex
	notes     map[string]note // by absolute path
	calls     []func(*keeper)
	overflows int64
}

func newInbox() *inbox {
	return &inbox{soft: make(chan struct{}, 1), hard: make(chan struct{}, 1), notes: map[string]note{}}
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

func (in *inbox) note(path string, op fsnotify.Op, found *stat) {
	now := time.Now()
	in.mu.Lock()
	n := in.notes[path]
	n.op |= op
	n.at = now
	if found != nil {
		n.found = found
	}
	in.notes[path] = n
	in.mu.Unlock()
	ring(in.soft)
}

func (in *inbox) call(f func(*keeper)) {
	in.mu.Lock()
	in.calls = append(in.calls, f)
	in.mu.Unlock()
	ring(in.hard)
}

func (in *inbox) overflow() {
	in.mu.Lock()
	in.overflows++
	in.mu.Unlock()
	ring(in.hard)
}

func (in *inbox) take() (notes map[string]note, calls []func(*keeper), overflows int64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	notes, calls, overflows = in.notes, in.calls, in.overflows
	in.notes, in.calls, in.overflows = map[string]note{}, nil, 0
	return notes, calls, overflows
}

// read drains fsnotify. It must never wait for anything else: fsnotify holds its
// lock while it sends an error, and the kernel's queue is finite.
func (w *Watcher) read(ctx context.Context) error {
	for {
		select {
		case e, ok := <-w.dirs.fs.Events:
			if !ok {
				return closed(ctx)
			}
			if w.beforeEvent != nil {
				w.beforeEvent()
			}
			w.in.note(e.Name, e.Op, nil)
		case err, ok := <-w.dirs.fs.Errors:
			switch {
			case !ok:
				return closed(ctx)
			case errors.Is(err, fsnotify.ErrEventOverflow):
				w.in.overflow()
			default:
				w.opt.Log.Warn().Err(err).Msg("inotify")
			}
		}
	}
}

func closed(ctx context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	return errors.New("inotify ended")
}

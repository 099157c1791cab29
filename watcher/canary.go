package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/fsnotify/fsnotify"
)

// canary proves that events flow. In a directory of its own, which the same inotify instance
// watches, the event loop makes a file from time to time. The kernel keeps events in order, and
// so does the reader; when the file's event has reached the event loop, all that happened
// before the file was made was handled.
type canary struct {
	dir     string        // "": there is none
	every   time.Duration // from one file to the next
	patient time.Duration // how long the event may take

	next    time.Time // of the next file; where there is no inotify instance, of the next try to get one
	late    time.Time // when the event was first found to be late; zero: it is not
	number  int       // of the last file; its name
	made    time.Time // when it was made; zero: its event has arrived
	proven  time.Time // when an event last arrived
	failure error     // why no file can be made
	waiters []canaryWaiter
}

// A canaryWaiter waits for the event of a file, or of a later one.
type canaryWaiter struct {
	number int
	done   chan struct{}
}

const (
	canaryEvery   = 30 * time.Second
	canaryPatient = 20 * time.Second
)

// ErrNoEvents means that the kernel's events do not arrive.
var ErrNoEvents = errors.New("the kernel's events of the upload folders do not arrive")

// newCanary returns the canary of a directory. Its files have other names than those of an
// earlier process.
func newCanary(dir string, every, patient time.Duration) canary {
	if dir != "" {
		_ = os.RemoveAll(dir)
	}
	return canary{dir: dir, every: every, patient: patient, number: int(time.Now().UnixMilli()), proven: time.Now()}
}

// watchCanary has the inotify instance watch the canary's directory, which it makes.
func (l *loop) watchCanary() error {
	if err := os.MkdirAll(filepath.Dir(l.canary.dir), 0o750); err != nil {
		return err
	}
	if err := os.Mkdir(l.canary.dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return l.dirs.watchOther(l.canary.dir)
}

// runCanary makes the next file when it is due. An event that does not come means that the
// inotify instance, or what reads it, is dead: another one is begun. Lateness counts only if
// it lasts, because the process may have been stopped for a while.
func (l *loop) runCanary() {
	c := &l.canary
	switch {
	case c.dir == "":
	case !l.dirs.hasInotify():
		if !c.next.After(l.now) {
			l.rebuild(errors.New("no inotify instance"))
		}
	case !c.made.IsZero() && l.now.Sub(c.made) > c.patient && c.late.IsZero():
		c.late = l.now
	case !c.late.IsZero() && l.now.Sub(c.late) > c.patient/4:
		l.rebuild(fmt.Errorf("%w: the last one is from %s", ErrNoEvents, c.proven.UTC().Format(time.RFC3339)))
	case !c.next.After(l.now):
		l.releaseCanary()
	}
}

// wake returns when runCanary has something to do.
func (c *canary) wake() time.Time {
	switch {
	case c.dir == "":
		return time.Time{}
	case !c.late.IsZero():
		return c.late.Add(c.patient/4 + time.Millisecond)
	case !c.made.IsZero() && c.made.Add(c.patient).Before(c.next):
		return c.made.Add(c.patient + time.Millisecond)
	}
	return c.next
}

// releaseCanary makes a file. It removes the one before, so that there is always one.
func (l *loop) releaseCanary() {
	c := &l.canary
	c.next = l.now.Add(c.every)
	err := l.watchCanary()
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, strconv.Itoa(c.number+1)), nil, 0o600)
	}
	if err != nil {
		if c.failure == nil {
			l.opt.Log.Error().Err(err).Msg("cannot prove that the kernel's events arrive")
		}
		c.failure = err
		return
	}
	_ = os.Remove(filepath.Join(c.dir, strconv.Itoa(c.number)))
	c.failure = nil
	c.number++
	if c.made.IsZero() {
		c.made = l.now
	}
}

// canaryArrived handles the event of a file.
func (l *loop) canaryArrived(name string) {
	c := &l.canary
	number, err := strconv.Atoi(name)
	if err != nil || number > c.number {
		return
	}
	if c.proven = l.now; number == c.number {
		c.made, c.late = time.Time{}, time.Time{}
	}
	var still []canaryWaiter
	for _, w := range c.waiters {
		if w.number <= number {
			close(w.done)
		} else {
			still = append(still, w)
		}
	}
	c.waiters = still
}

// rebuild begins another inotify instance, because this one, or its reader, is dead. Until
// the scan has watched all directories again, they are polled.
func (l *loop) rebuild(why error) {
	c := &l.canary
	c.made, c.late, c.next = time.Time{}, time.Time{}, l.now.Add(c.every)
	inotify, err := fsnotify.NewWatcher()
	if err != nil {
		if l.dirs.hasInotify() {
			l.opt.Log.Error().Err(err).AnErr("why", why).Msg("no other inotify instance, polling every directory")
			l.dirs.replace(nil)
		}
		return
	}
	l.opt.Log.Error().Err(why).Msg("watching all folders anew")
	l.rebuilt++
	l.dirs.replace(inotify)
	l.startReader(inotify)
	l.releaseCanary()
	l.rescan("", nil)
}

// Flush returns when every event of what happened before the call has been handled. It returns
// at once if there is no canary, and an ErrNoEvents if events do not arrive.
func (w *Watcher) Flush(ctx context.Context) error {
	done := make(chan struct{})
	w.in.call(func(l *loop) {
		if l.canary.dir == "" || !l.dirs.hasInotify() {
			close(done)
			return
		}
		if l.releaseCanary(); l.canary.failure != nil {
			close(done)
			return
		}
		l.canary.waiters = append(l.canary.waiters, canaryWaiter{l.canary.number, done})
	})
	late := time.NewTimer(w.canaryPatient)
	defer late.Stop()
	select {
	case <-done:
		return nil
	case <-late.C:
		return ErrNoEvents
	case <-w.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lastProven returns an ErrNoEvents if the canary's events have not arrived for a long time.
func (c *canary) lastProven(hasInotify bool) error {
	if c.dir == "" || !hasInotify || c.failure != nil || time.Since(c.proven) < 3*(c.every+c.patient) {
		return nil
	}
	return fmt.Errorf("%w since %s", ErrNoEvents, c.proven.UTC().Format(time.RFC3339))
}

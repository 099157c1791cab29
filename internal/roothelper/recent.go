package roothelper

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/helper"
)

// Limits over all processes.
const (
	perMinute     = 60 // requests
	wrongAllowed  = 5  // wrong passwords of an operator …
	wrongForgiven = 15 * time.Minute
)

// recent is what one process leaves to the next ones: a file in memory, root's alone. A
// reboot forgets it.
type recent struct {
	Asked []asked            `json:"asked"`
	Wrong map[string][]int64 `json:"wrong"` // when, by operator
}

type asked struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

// change lets one process at a time change the file. One that was killed in between leaves
// a file that cannot be read, which counts as empty.
func (o Options) change(now time.Time, do func(*recent) error) error {
	f, err := os.OpenFile(o.State, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer f.Close() // gives the lock back
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return err
	}
	r := recent{}
	if json.Unmarshal(text, &r) != nil || r.Wrong == nil {
		r.Wrong = map[string][]int64{}
	}
	// Longer than a request is fresh, whichever way the clocks differ.
	r.Asked = slices.DeleteFunc(r.Asked, func(a asked) bool { return a.At < now.Add(-2*helper.Fresh).UnixMilli() })
	for operator, times := range r.Wrong {
		times = slices.DeleteFunc(times, func(at int64) bool { return at < now.Add(-wrongForgiven).UnixMilli() })
		if r.Wrong[operator] = times; len(times) == 0 {
			delete(r.Wrong, operator)
		}
	}
	refused := do(&r)
	if text, err = json.Marshal(r); err != nil {
		return err
	}
	_, err = f.WriteAt(text, 0)
	return errors.Join(refused, err, f.Truncate(int64(len(text))))
}

// note enters a request, or refuses it: the same one again, or one of too many.
func (o Options) note(now time.Time, id string) error {
	return o.change(now, func(r *recent) error {
		n := 0
		for _, a := range r.Asked {
			if a.ID == id {
				return refuse(helper.Invalid, "This very request was made before.")
			}
			if a.At > now.Add(-time.Minute).UnixMilli() {
				n++
			}
		}
		if n >= perMinute {
			return refuse(helper.TooOften, "Too much was asked for within a minute. Try again in a minute.")
		}
		r.Asked = append(r.Asked, asked{now.UnixMilli(), id})
		return nil
	})
}

// attempt counts a password as wrong until known says otherwise, so that many at once are
// not more than one after the other.
func (o Options) attempt(now time.Time, operator string) error {
	return o.change(now, func(r *recent) error {
		if len(r.Wrong[operator]) >= wrongAllowed {
			return refuse(helper.TooOften, "The password was wrong too often. Try again in a quarter of an hour.")
		}
		r.Wrong[operator] = append(r.Wrong[operator], now.UnixMilli())
		return nil
	})
}

// known forgets the operator's wrong passwords.
func (o Options) known(now time.Time, operator string) error {
	return o.change(now, func(r *recent) error {
		delete(r.Wrong, operator)
		return nil
	})
}

package bed

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// Limit is how long nothing may change before a test gives up waiting. It is
// generous: it decides only when a test that will fail anyway fails.
const Limit = 60 * time.Second

// Eventually waits until cond holds. state is what a failure shows. A condition
// that asks the catalogue alone, by running picday, is asked again when something was
// committed, and otherwise a few times a second: starting the tool takes more than what
// it is waiting for.
func (w *World) Eventually(what string, cond func() (ok bool, state any)) {
	w.T.Helper()
	l := look{w: w}
	eventually(w.T, what, l.at(cond), l.wait)
}

// Eventually waits until cond holds. state is what a failure shows; as long as
// it changes there is progress, and the wait goes on for a few times Limit. A
// condition that takes long to ask, by running picday, is asked less often.
func Eventually(t testing.TB, what string, cond func() (ok bool, state any)) {
	t.Helper()
	eventually(t, what, cond, func() {})
}

// eventually calls wait before it asks again, in addition to a pause.
func eventually(t testing.TB, what string, cond func() (ok bool, state any), wait func()) {
	t.Helper()
	pause, last, began, most := 5*time.Millisecond, "", time.Now(), 4*Limit
	if os.Getenv("PICDAY_TORTURE") != "" {
		most = 20 * Limit
	}
	for changed := began; ; {
		asked := time.Now()
		ok, state := cond()
		if ok {
			return
		}
		now := time.Now()
		if text := fmt.Sprint(state); text != last {
			last, changed = text, now
		}
		if now.Sub(changed) > Limit || now.Sub(began) > most {
			t.Fatalf("waited %.0f s in vain: %s\nlast state: %s", now.Sub(began).Seconds(), what, last)
		}
		time.Sleep(max(pause, min(2*now.Sub(asked), time.Second)))
		pause = min(pause*3/2, 200*time.Millisecond)
		wait()
	}
}

// Never watches for a while that a condition does not come true. (A machine
// that is too slow to get there lets it pass; it never fails by itself.)
func (w *World) Never(what string, span time.Duration, cond func() (bad bool, state any)) {
	w.T.Helper()
	l := look{w: w}
	watched := l.at(cond)
	for deadline := time.Now().Add(span); ; l.wait() {
		last := !time.Now().Before(deadline)
		if bad, state := watched(); bad {
			w.T.Fatalf("%s: %v", what, state)
		}
		if last {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// A look is a condition's last look at the World.
type look struct {
	w         *World
	catalogue bool   // it ran picday, and only commands that read nothing but the catalogue
	traces    string // before it
}

// at notes what was there before a condition is asked, and what it asks.
func (l *look) at(cond func() (bool, any)) func() (bool, any) {
	return func() (bool, any) {
		runs, reads := l.w.runs.Load(), l.w.reads.Load()
		l.traces = l.w.traces()
		holds, state := cond()
		runs, reads = l.w.runs.Load()-runs, l.w.reads.Load()-reads
		l.catalogue = reads > 0 && reads == runs
		return holds, state
	}
}

// wait returns when the catalogue can have another answer than at the last look. Two
// commits within a tick of the clock can look like one, so it returns after a while in
// any case.
func (l *look) wait() {
	for until := time.Now().Add(400 * time.Millisecond); l.catalogue && time.Now().Before(until) && l.w.traces() == l.traces; {
		time.Sleep(5 * time.Millisecond)
	}
}

// traces changes with each commit to the catalogue.
func (w *World) traces() string {
	var all string
	for _, path := range []string{w.Data + "/catalogue.sqlite-wal", w.Data + "/catalogue.sqlite"} {
		if fi, err := os.Stat(path); err == nil {
			all += fmt.Sprint(fi.Size(), fi.ModTime().UnixNano(), " ")
		} else {
			all += err.Error()
		}
	}
	return all
}

package web

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// An open page is loaded again when what it shows has changed. followed says what that
// is, "catalogue", or "status" for the daemon's status as well, and the change mark of
// the page as it was made.
type followed struct{ what, mark string }

// follow is called before anything that the page shows is read, so that no change
// in between is missed.
func (v *visit) follow(what string) followed {
	mark, err := v.changeMark(what)
	if err != nil {
		mark = "unknown" // differs from any mark: the page is loaded again once
	}
	return followed{what, mark}
}

func (f followed) follows() (what, mark string) { return f.what, f.mark }

const (
	changesEvery = time.Second      // a page is loaded again at most so often; what is not in the catalogue is asked for so often
	aliveEvery   = 2 * time.Second  // an open page that hears nothing for 4 seconds says that picdayd does not answer
	sessionEvery = 15 * time.Second // the log-in is checked, at most so long after it has ended
)

// maxStreams is how many pages of one operator can be followed at once.
const maxStreams = 32

// streams counts the streams of events.
type streams struct {
	mu sync.Mutex
	of map[string]int // by operator
}

// enter takes a place, or says that there is none.
func (s *streams) enter(name string, most int) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[name] >= most {
		return nil, false
	}
	s.of[name]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.of[name]--; s.of[name] == 0 {
			delete(s.of, name)
		}
	}, true
}

// changeMark differs from the last one if anything has changed that a page shows which
// follows this.
func (v *visit) changeMark(follows string) (string, error) {
	text, err := v.view.ChangeMark(v.Context())
	text += fmt.Sprint(v.alerts())
	if follows == "status" {
		st := v.status()
		if st.LastProvenAlive != nil {
			text += fmt.Sprint(st.LastProvenAlive.Unix())
		}
		text += fmt.Sprint(st.Queued, st.Waiting, st.UploadingFiles, st.InProgress, st.Uploading, st.Backlog, st.BacklogKnown, st.Warnings, st.Rederive)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:16], err
}

// events is a stream of change marks. It does not say what has changed: the browser loads
// the page again, so there is one way of making it.
func events(w http.ResponseWriter, v *visit) error {
	leave, ok := v.streams.enter(v.name, maxStreams)
	if !ok {
		return refuse(http.StatusTooManyRequests, "So many pages are open that no other one can be followed. Load it again to see what is new.")
	}
	defer leave()
	defer v.watch.enterPage()()
	moment, told := v.watch.now(), time.Time{}
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // fails only where there is none
	follows := v.FormValue("follow")
	last, err := v.changeMark(follows)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it back
	say := func(line string) bool {
		_, err := fmt.Fprint(w, line)
		return err == nil && rc.Flush() == nil
	}
	if !say("retry: 1000\ndata: " + last + "\n\n") {
		return nil
	}
	look := func() bool {
		now, err := v.changeMark(follows)
		if err != nil {
			return false // the browser connects again, and then gets the error
		}
		if now == last {
			return true
		}
		last, told = now, time.Now()
		return say("data: " + now + "\n\n")
	}
	tick, alive, session := time.NewTicker(changesEvery), time.NewTicker(aliveEvery), time.NewTicker(sessionEvery)
	defer tick.Stop()
	defer alive.Stop()
	defer session.Stop()
	for {
		select {
		case <-v.Context().Done():
			return nil
		case <-v.stopping:
			return nil
		case <-session.C:
			if !v.loggedIn() {
				return nil
			}
		case <-alive.C:
			if !say("event: alive\ndata:\n\n") {
				return nil
			}
		case <-moment.over:
			if moment.fault != nil {
				return nil
			}
			moment = v.watch.now()
			if time.Since(told) >= changesEvery && !look() {
				return nil
			}
		case <-tick.C:
			if !look() {
				return nil
			}
		}
	}
}

package web

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// live says what a page follows while it is open: "catalogue", or "status" for
// what the daemon is doing as well.
type live struct{ what, since string }

// follow is called before anything that the page shows is read, so that what
// changes meanwhile is not missed.
func (v *visit) follow(what string) live {
	pulse, err := v.pulse(what)
	if err != nil {
		pulse = "unknown" // then the page asks for itself again once
	}
	return live{what, pulse}
}

func (l live) follows() (what, since string) { return l.what, l.since }

const (
	pulseEvery = time.Second      // at most so often does a page change by itself
	stillEvery = 15 * time.Second // is the log-in still good; also keeps proxies from ending a quiet stream
)

// maxStreams is how many pages of one operator can be followed at once.
const maxStreams = 32

// streams counts them.
type streams struct {
	mu sync.Mutex
	of map[string]int // by operator
}

// enter takes a place, or says that there is none.
func (s *streams) enter(name string) (leave func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[name] >= maxStreams {
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

// pulse is another text whenever a page that follows this shows something new.
func (v *visit) pulse(follows string) (string, error) {
	text, err := v.view.Pulse(v.Context())
	if follows == "status" {
		st := v.status()
		if st.LastProvenAlive != nil {
			text += fmt.Sprint(st.LastProvenAlive.Unix())
		}
		text += fmt.Sprint(st.Queued, st.Waiting, st.UploadingFiles, st.InProgress, st.Uploading, st.Warnings, st.Rederive)
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:16], err
}

// events is a stream of pulses. It says that something has changed, not what:
// the page asks for itself again, so that there is one way to make it.
func events(w http.ResponseWriter, v *visit) error {
	leave, ok := v.streams.enter(v.name)
	if !ok {
		return refuse(http.StatusTooManyRequests, "So many pages are open that no other one can be followed. Load it again to see what is new.")
	}
	defer leave()
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{}) // fails only where there is none
	follows := v.FormValue("follow")
	last, err := v.pulse(follows)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it back
	say := func(line string) bool {
		_, err := fmt.Fprint(w, line)
		return err == nil && rc.Flush() == nil
	}
	if !say("retry: 3000\ndata: " + last + "\n\n") {
		return nil
	}
	tick, still := time.NewTicker(pulseEvery), time.NewTicker(stillEvery)
	defer tick.Stop()
	defer still.Stop()
	for {
		select {
		case <-v.Context().Done():
			return nil
		case <-v.stopping:
			return nil
		case <-still.C:
			if !v.still() || !say(":\n\n") {
				return nil
			}
		case <-tick.C:
			now, err := v.pulse(follows)
			if err != nil {
				return nil // the page tries again, and then hears what is wrong
			}
			if now != last && !say("data: "+now+"\n\n") {
				return nil
			}
			last = now
		}
	}
}

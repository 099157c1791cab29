package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"picday/store"
)

// A question for changes can wait for one, and so does an open page. However many wait, one goroutine looks whether
// something was committed, and an answer that many wait for is made once.

const (
	lookEvery   = 250 * time.Millisecond // a change is told so late, and a client gets at most one answer in this time
	longestWait = 50                     // seconds; web servers in front often give up after 60
	retryAfter  = 10                     // seconds, for whoever finds no place
)

// maxWaiting is how many questions can wait at once, of one token half as many. Each takes
// a connection; half of the connections are left to others.
var maxWaiting = maxConns / 2

// A watch tells those who wait that something was committed.
type watch struct {
	commits  func(context.Context) (*store.Commits, error) // opens what it looks at
	stopping <-chan struct{}
	answers  singleflight.Group

	mu      sync.Mutex
	waiting map[string]int // by token
	total   int
	pages   int  // streams of open pages
	running bool // there is a goroutine that looks
	moment  *moment
}

// A moment is the time between two commits that the watch has seen.
type moment struct {
	over  chan struct{} // closed when it is
	fault error         // why it ended, if the catalogue cannot be asked; read it after over

	mu   sync.Mutex
	last map[store.View]int64
}

// lastChange is the view's, asked once in a moment.
func (m *moment) lastChange(ctx context.Context, v store.View) (at int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, known := m.last[v]
	if !known {
		if at, err = v.LastChange(ctx); err == nil {
			m.last[v] = at
		}
	}
	return at, err
}

// enter takes a place, if there is one.
func (w *watch) enter(token string) (leave func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.total >= maxWaiting || w.waiting[token] >= max(1, maxWaiting/2) {
		return nil, false
	}
	w.start()
	w.total++
	w.waiting[token]++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.total--
		if w.waiting[token]--; w.waiting[token] == 0 {
			delete(w.waiting, token)
		}
	}, true
}

// enterPage takes a place for an open page. How many there are is limited elsewhere.
func (w *watch) enterPage() (leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start()
	w.pages++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pages--
	}
}

// start starts the goroutine that looks, if there is none. mu is held.
func (w *watch) start() {
	if !w.running {
		w.running = true
		w.begin()
		go w.run()
	}
}

// now is the present moment, for those who have a place.
func (w *watch) now() *moment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moment
}

// begin begins a moment. mu is held.
func (w *watch) begin() { w.moment = &moment{over: make(chan struct{}), last: map[store.View]int64{}} }

// run looks as long as somebody waits.
func (w *watch) run() {
	commits, err := w.commits(context.Background())
	if err != nil {
		w.end(err, true)
		return
	}
	defer commits.Close()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for last := int64(-1); ; {
		now, err := commits.Version()
		if err != nil {
			w.end(err, true)
			return
		}
		// At the first look, too: something may have been asked before it.
		if now != last {
			w.mu.Lock()
			close(w.moment.over)
			w.begin()
			w.mu.Unlock()
		}
		last = now
		select {
		case <-tick.C:
		case <-w.stopping:
			w.end(nil, true)
			return
		}
		if w.end(nil, false) {
			return
		}
	}
}

// end ends the watch, if nobody waits or if it must.
func (w *watch) end(fault error, must bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.total+w.pages > 0 && !must {
		return false
	}
	w.running = false
	w.moment.fault = fault
	close(w.moment.over)
	return true
}

// readWait reads how long a question may wait.
func readWait(q url.Values) (time.Duration, error) {
	text := q.Get("wait")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > longestWait {
		return 0, refuse(http.StatusBadRequest, "wait is a number of seconds from 1 to "+strconv.Itoa(longestWait)+".")
	}
	if !q.Has("changed_since") {
		return 0, refuse(http.StatusBadRequest, "wait goes with changed_since only.")
	}
	return time.Duration(n) * time.Second, nil
}

// wait answers as soon as there is something to tell, and at the latest after a time.
func (a photosAsked) wait(w http.ResponseWriter, v *visit, longest time.Duration) ([]byte, error) {
	leave, ok := v.watch.enter(v.name)
	if !ok {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		return nil, refuse(http.StatusTooManyRequests, "So many wait for changes that there is no place for another. Try again later, or ask without wait.")
	}
	defer leave()
	// Else the end of the time for sending a request would end the waiting, too. It
	// fails only where there is none.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	late := time.NewTimer(longest)
	defer late.Stop()
	for over := false; ; {
		now := v.watch.now()
		last, err := now.lastChange(v.Context(), v.view)
		if err != nil {
			return nil, err
		}
		if over || last > a.want.ChangedSince {
			text, until, err := a.share(v, now)
			if err == nil && !v.loggedIn() { // it may have ended between the request and the answer
				return nil, noToken(w)
			}
			if err != nil || over || until == 0 {
				return text, err
			}
			a.want.ChangedSince = until
		}
		select {
		case <-now.over:
			if now.fault != nil {
				return nil, now.fault
			}
		case <-late.C:
			over = true
		case <-v.Context().Done():
			return nil, v.Context().Err()
		}
		select {
		case <-v.stopping:
			over = true
		default:
		}
		if !v.loggedIn() {
			return nil, noToken(w)
		}
	}
}

// share makes the answer, or takes part in it if another of this view asks the same in
// the same moment. until: there is nothing to tell up to there.
func (a photosAsked) share(v *visit, now *moment) (text []byte, until int64, err error) {
	type made struct {
		text  []byte
		until int64
	}
	got, err, _ := v.watch.answers.Do(fmt.Sprintf("%p %+v %+v", now, v.view, a), func() (any, error) {
		// Not with the context of one of those who ask.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), stall)
		defer cancel()
		answer, err := a.read(ctx, v)
		if err != nil {
			return nil, err
		}
		m := made{}
		if len(answer.Photos) == 0 && answer.Next == nil {
			m.until = *answer.ChangedUntil
		}
		m.text, err = encode(answer)
		return m, err
	})
	if err != nil {
		return nil, 0, err
	}
	m := got.(made)
	return m.text, m.until, nil
}

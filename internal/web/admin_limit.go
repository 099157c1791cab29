package web

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"runtime"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"picday/internal/language"
	"picday/store"
)

// Only failed log-ins count: a burst (Failures), then one each Every. Those of unknown
// browsers count by name and network together, so that an attacker keeps nobody in other
// networks out, and by network alone, with a higher limit because it may be an office. A
// browser in which the operator has logged in before counts on its own.
const (
	nameFailures    = 10
	nameEvery       = 10 * time.Second
	networkFailures = 30
	networkEvery    = 3 * time.Second
	loginWait       = 5 * time.Second // at most, until a password is checked
	loginQueue      = 64              // how many may wait
)

var errBusy = errors.New("too many log in at this moment")

// tooOften: the client must wait before its next try.
type tooOften struct {
	wait  time.Duration
	known bool // it is a browser in which the operator has logged in
}

func (t tooOften) Error() string { return "too many failed log-ins" }

func (t tooOften) sentence(w *language.Words) string {
	wait := w.Span(t.wait+time.Second, w.T("a moment"))
	if t.known {
		return w.T("Too many log-ins have failed in this browser. Wait %s and try again.", wait)
	}
	return w.T("Too many log-ins have failed in your network. Wait %s and try again. In a browser in which you have logged in before you need not wait.", wait)
}

// logins bounds how many passwords can be tried, and how many are checked at once.
type logins struct {
	strangers, known          lane
	names, networks, browsers *counters
}

func newLogins() *logins {
	// bcrypt takes a core for a quarter of a second. Unknown browsers may use half of the
	// cores, known ones always have one.
	return &logins{
		strangers: newLane(max(1, runtime.GOMAXPROCS(0)/2)), known: newLane(1),
		names: newCounters(nameEvery, nameFailures), networks: newCounters(networkEvery, networkFailures), browsers: newCounters(nameEvery, nameFailures),
	}
}

// A lane bounds how many passwords are checked at once, and how many wait.
type lane struct{ turns, places chan struct{} }

func newLane(turns int) lane {
	return lane{make(chan struct{}, turns), make(chan struct{}, loginQueue)}
}

// enter waits for a turn; leave ends it.
func (l lane) enter(ctx context.Context) (leave func(), err error) {
	select {
	case l.places <- struct{}{}:
	default:
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, loginWait)
	defer cancel()
	select {
	case l.turns <- struct{}{}:
		return func() { <-l.turns; <-l.places }, nil
	case <-ctx.Done():
		<-l.places
		return nil, errBusy
	}
}

// check checks a name and a password; see store.Store.LogIn.
func (g *gate) check(r *http.Request, name, password string) (hash string, err error) {
	network, browser := networkOf(g.clientAddr(r)), g.knownBrowser(r, name)
	in, counts := g.logins.strangers, []counter{g.logins.names.of(name + "\x00" + network), g.logins.networks.of(network)}
	if browser != "" {
		in, counts = g.logins.known, []counter{g.logins.browsers.of(browser)}
	}
	mayTry := func() error {
		var wait time.Duration
		for _, c := range counts {
			wait = max(wait, c.wait())
		}
		if wait > 0 {
			return tooOften{wait, browser != ""}
		}
		return nil
	}
	// Checked before, so that a client over its limit takes no place in the queue, and after,
	// because others may have failed while this one waited.
	if err := mayTry(); err != nil {
		return "", err
	}
	leave, err := in.enter(r.Context())
	if err != nil {
		return "", err
	}
	defer leave()
	if err := mayTry(); err != nil {
		return "", err
	}
	hash, err = g.Store.LogIn(r.Context(), name, password)
	if errors.Is(err, store.ErrNotFound) {
		for _, c := range counts {
			c.fail()
		}
	}
	return hash, err
}

// counters has a fixed number of limiters, so that its size does not depend on what is
// tried. Two keys may share one. Which keys do cannot be known from outside (the hash is
// seeded), and using all of them up takes longer than they take to recover, because the
// lanes bound how many passwords are checked in a second.
type counters struct {
	seed  maphash.Seed
	every time.Duration
	burst int
	now   func() time.Time // replaced by tests
	mu    sync.Mutex
	all   []*rate.Limiter // changed by tests
}

func newCounters(every time.Duration, burst int) *counters {
	return &counters{seed: maphash.MakeSeed(), every: every, burst: burst, now: time.Now, all: make([]*rate.Limiter, 4096)}
}

type counter struct {
	*rate.Limiter
	now func() time.Time
}

func (c *counters) of(key string) counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := &c.all[maphash.String(c.seed, key)%uint64(len(c.all))]
	if *at == nil {
		*at = rate.NewLimiter(rate.Every(c.every), c.burst)
	}
	return counter{*at, c.now}
}

// fail counts a failed log-in.
func (c counter) fail() { c.AllowN(c.now(), 1) }

// wait is the time until the next try is allowed.
func (c counter) wait() time.Duration {
	missing := 1 - c.TokensAt(c.now())
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(c.Limit()) * float64(time.Second))
}

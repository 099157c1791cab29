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

	"picday/store"
)

// Only failed log-ins count: so many at once, then one each so often. Of
// strangers they count by the name together with the network, so that nobody
// elsewhere is kept out, and by the network alone: it may be a whole office.
// A browser in which the operator has logged in counts for itself.
const (
	nameFailures    = 10
	nameEvery       = 10 * time.Second
	networkFailures = 30
	networkEvery    = 3 * time.Second
	loginWait       = 5 * time.Second // for a turn to have a password checked
	loginQueue      = 64              // who wait for one
)

var errBusy = errors.New("too many log in at this moment")

// tooOften is returned to who must wait before the next try.
type tooOften struct {
	wait  time.Duration
	known bool // it is a known browser
}

func (t tooOften) Error() string { return "too many failed log-ins" }

func (t tooOften) sentence() string {
	wait := (t.wait + time.Second).Truncate(time.Second).String()
	if t.known {
		return "Too many log-ins have failed in this browser. Wait " + wait + " and try again."
	}
	return "Too many log-ins have failed in your network. Wait " + wait + " and try again. In a browser in which you have logged in before you need not wait."
}

// logins bounds what checking passwords costs, and how many can be tried.
type logins struct {
	strangers, known          lane
	names, networks, browsers *counters
}

func newLogins() *logins {
	// bcrypt takes a core for a quarter of a second: strangers have half of
	// them, known browsers one, however many strangers wait.
	return &logins{
		strangers: newLane(max(1, runtime.GOMAXPROCS(0)/2)), known: newLane(1),
		names: newCounters(nameEvery, nameFailures), networks: newCounters(networkEvery, networkFailures), browsers: newCounters(nameEvery, nameFailures),
	}
}

// A lane is where passwords are checked, so many at once.
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

// check has a name and password checked when it is their turn; see LogIn.
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
	// Before: who has to wait takes nobody's place. Behind: those who waited
	// with him may have failed meanwhile.
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
			c.Allow()
		}
	}
	return hash, err
}

// counters count by a key in a fixed number of places, so that they stay of
// one size whatever is tried. Two keys may share a place; which ones do,
// nobody outside can know, and to fill all of them takes longer than they take
// to empty, because only so many passwords are checked in a second.
type counters struct {
	seed  maphash.Seed
	every time.Duration
	burst int
	mu    sync.Mutex
	all   [4096]*rate.Limiter
}

func newCounters(every time.Duration, burst int) *counters {
	return &counters{seed: maphash.MakeSeed(), every: every, burst: burst}
}

type counter struct{ *rate.Limiter }

func (c *counters) of(key string) counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := &c.all[maphash.String(c.seed, key)%uint64(len(c.all))]
	if *at == nil {
		*at = rate.NewLimiter(rate.Every(c.every), c.burst)
	}
	return counter{*at}
}

// wait is how long until the next one is allowed.
func (c counter) wait() time.Duration {
	missing := 1 - c.Tokens()
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(c.Limit()) * float64(time.Second))
}

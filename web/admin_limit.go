package web

import (
	"context"
	"errors"
	"hash/maphash"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"picday/store"
)

// Only failed log-ins count: so many at once, then one each so often. An
// address may be a whole office.
const (
	nameFailures = 10
	nameEvery    = 10 * time.Second
	addrFailures = 30
	addrEvery    = 3 * time.Second
	loginWait    = 5 * time.Second // for a turn to have a password checked
	loginQueue   = 64              // who wait for one
)

var errBusy = errors.New("too many log in at this moment")

// tooOften is returned to who must wait before the next try.
type tooOften struct{ wait time.Duration }

func (t tooOften) Error() string { return "too many failed log-ins" }

// logins bounds what checking passwords costs, and how many can be tried.
type logins struct {
	turns, places chan struct{}
	names, addrs  *counters
}

func newLogins() *logins {
	// bcrypt takes a core for a quarter of a second: one is left for pictures.
	return &logins{
		turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), places: make(chan struct{}, loginQueue),
		names: newCounters(nameEvery, nameFailures), addrs: newCounters(addrEvery, addrFailures),
	}
}

// check has a name and password checked when it is their turn; see LogIn.
func (g *gate) check(r *http.Request, name, password string) (hash string, err error) {
	l := g.logins
	select {
	case l.places <- struct{}{}:
		defer func() { <-l.places }()
	default:
		return "", errBusy
	}
	ctx, cancel := context.WithTimeout(r.Context(), loginWait)
	defer cancel()
	select {
	case l.turns <- struct{}{}:
		defer func() { <-l.turns }()
	case <-ctx.Done():
		return "", errBusy
	}
	byName, byAddr := l.names.of(name), l.addrs.of(clientAddr(r))
	if wait := max(byName.wait(), byAddr.wait()); wait > 0 {
		return "", tooOften{wait}
	}
	hash, err = g.Store.LogIn(r.Context(), name, password)
	if errors.Is(err, store.ErrNotFound) {
		byName.Allow()
		byAddr.Allow()
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

// clientAddr is where a request comes from. A proxy on this machine says for
// whom it asks, in the last place of the header; nobody else is believed. All
// of an IPv6 network is one address, since it belongs to one customer.
func clientAddr(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return r.RemoteAddr
	}
	if forwarded := r.Header.Values("X-Forwarded-For"); addr.IsLoopback() && len(forwarded) > 0 {
		last := forwarded[len(forwarded)-1]
		if given, err := netip.ParseAddr(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])); err == nil {
			addr = given
		}
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		network, _ := addr.Prefix(64) // of an IPv6 address: cannot fail
		addr = network.Addr()
	}
	return addr.String()
}

package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"
)

// A crowd is a listener that has at most so many connections open at once, and
// of one address at most a share of them. When there is no place for another
// one, the connection goes that has waited longest for a request; where all
// are busy, who has his share is sent away, and everybody else waits in the
// kernel's queue.
type crowd struct {
	net.Listener
	log         zerolog.Logger
	most, share int
	proxies     []netip.Prefix // ask for many, and have no share

	mu     sync.Mutex
	conns  map[*conn]bool
	of     map[netip.Addr]int // how many of them each address has
	closed chan struct{}
	freed  chan struct{} // has something in it when a place may have become free
	once   sync.Once
	news   crowdNews
}

// crowdNews is what there is to tell of a listener that is full.
type crowdNews struct {
	at, told      time.Time // when it was full last, and when the log said so
	ended, turned int       // idle ones that had to go, and who was sent away, since told
}

// maxConns is how many connections one listener has at most. Both listeners
// together leave half of the file descriptors to the rest of picdayd.
var maxConns = func() int {
	const most = 2048
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return most / 4
	}
	return int(min(most, limit.Cur/4))
}()

const (
	sharePart  = 4                // one address has at most a quarter
	crowdEvery = time.Minute      // between two lines of the log
	crowdFresh = 10 * time.Minute // for how long the status tells of it
)

func newCrowd(l net.Listener, most int, proxies []netip.Prefix, log zerolog.Logger) *crowd {
	return &crowd{
		Listener: l, log: log, most: most, share: max(1, most/sharePart), proxies: proxies,
		conns: map[*conn]bool{}, of: map[netip.Addr]int{}, closed: make(chan struct{}), freed: make(chan struct{}, 1),
	}
}

func (w *crowd) Accept() (net.Conn, error) {
	for {
		plain, err := w.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: plain, crowd: w}
		c.becomes(http.StateNew)
		if from, err := netip.ParseAddrPort(plain.RemoteAddr().String()); err == nil && !contains(w.proxies, from.Addr()) {
			c.from = sharedBy(from.Addr())
		}
		for {
			in, wait := w.enter(c)
			if in {
				return c, nil
			}
			if !wait {
				plain.Close()
				break
			}
			select {
			case <-w.freed:
			case <-time.After(time.Second): // one that was busy may be idle by now
			case <-w.closed:
				plain.Close()
				return nil, net.ErrClosed
			}
		}
	}
}

// enter gives a connection its place, another one's if need be. Without one,
// wait says whether it may get one later.
func (w *crowd) enter(c *conn) (in, wait bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	shared := c.from.IsValid() && w.of[c.from] >= w.share
	if shared || len(w.conns) >= w.most {
		longest := w.longestIdle(func(other *conn) bool { return !shared || other.from == c.from })
		w.tell(c, longest != nil, shared)
		if longest == nil {
			return false, !shared
		}
		w.remove(longest)
		_ = longest.Conn.Close() // whoever reads from it sees the end
	}
	w.conns[c] = true
	w.of[c.from]++
	return true, false
}

// remove takes a connection off the list, if it is still there. mu is held.
func (w *crowd) remove(c *conn) {
	if !w.conns[c] {
		return
	}
	delete(w.conns, c)
	if w.of[c.from]--; w.of[c.from] == 0 {
		delete(w.of, c.from)
	}
}

func (w *crowd) longestIdle(among func(*conn) bool) (longest *conn) {
	var since int64
	for c := range w.conns {
		if idle := c.idle.Load(); idle != 0 && (longest == nil || idle < since) && among(c) {
			longest, since = c, idle
		}
	}
	return longest
}

// tell counts what becomes of a connection for which there was no place, and
// says it in the log now and then.
func (w *crowd) tell(c *conn, ended, shared bool) {
	now := time.Now()
	n := &w.news
	n.at = now
	switch {
	case ended:
		n.ended++
	case shared:
		n.turned++
	}
	if now.Sub(n.told) < crowdEvery {
		return
	}
	w.log.Warn().Int("connections", len(w.conns)).Int("at_most", w.most).Int("at_most_of_one_address", w.share).
		Str("from", c.RemoteAddr().String()).Int("idle_ones_ended", n.ended).Int("turned_away", n.turned).
		Msg("no place for another connection: the longest idle go first, and who has his share is turned away")
	*n = crowdNews{at: now, told: now}
}

// full tells whether there was no place for a connection a short while ago.
func (w *crowd) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.news.at.IsZero() && time.Since(w.news.at) < crowdFresh
}

func (w *crowd) leave(c *conn) {
	w.mu.Lock()
	w.remove(c)
	w.mu.Unlock()
	select {
	case w.freed <- struct{}{}:
	default:
	}
}

func (w *crowd) Close() error {
	w.once.Do(func() { close(w.closed) })
	return w.Listener.Close()
}

// becomes notes what net/http does with a connection.
func (c *conn) becomes(state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		c.idle.Store(time.Now().UnixNano())
	default:
		c.idle.Store(0)
	}
}

// sharedBy is what has one share: an IPv4 address, and of IPv6 the whole
// network of one customer, for he can take another address each time.
func sharedBy(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		network, _ := addr.Prefix(64) // of an IPv6 address: cannot fail
		addr = network.Addr()
	}
	return addr
}

func contains(networks []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

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

// A listener has at most `most` connections open at once, and of one address at most
// `share`. If there is no place for a new connection, the one that has been idle
// longest is closed. If none is idle, a new connection of an address that has its
// share is closed, and any other waits in the kernel's queue.
type listener struct {
	net.Listener
	log         zerolog.Logger
	most, share int
	proxies     []netip.Prefix // connections from them have no share: they ask for many clients

	mu     sync.Mutex
	conns  map[*conn]bool
	of     map[netip.Addr]int // connections by address
	closed chan struct{}
	freed  chan struct{} // signals that a place may have become free
	once   sync.Once
	full   fullness
}

// fullness is what is logged of a listener without a free place.
type fullness struct {
	at, logged    time.Time // when there was no place last, and when that was logged last
	ended, turned int       // idle connections closed, and new ones refused, since it was logged
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
	sharePart = 4                // one address has at most a quarter of the places
	logEvery  = time.Minute      // between two lines of the log
	warnFor   = 10 * time.Minute // for how long the status warns
)

func newListener(on net.Listener, most int, proxies []netip.Prefix, log zerolog.Logger) *listener {
	return &listener{
		Listener: on, log: log, most: most, share: max(1, most/sharePart), proxies: proxies,
		conns: map[*conn]bool{}, of: map[netip.Addr]int{}, closed: make(chan struct{}), freed: make(chan struct{}, 1),
	}
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		plain, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: plain, listener: l}
		c.setState(http.StateNew)
		if from, err := netip.ParseAddrPort(plain.RemoteAddr().String()); err == nil && !contains(l.proxies, from.Addr()) {
			c.from = sharedBy(from.Addr())
		}
		for {
			in, wait := l.admit(c)
			if in {
				return c, nil
			}
			if !wait {
				plain.Close()
				break
			}
			select {
			case <-l.freed:
			case <-time.After(time.Second): // a busy connection may be idle by now
			case <-l.closed:
				plain.Close()
				return nil, net.ErrClosed
			}
		}
	}
}

// admit gives a connection a place, and closes an idle one for that if it must. If
// there is none, wait says whether the connection may wait for one.
func (l *listener) admit(c *conn) (in, wait bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	shared := c.from.IsValid() && l.of[c.from] >= l.share
	if shared || len(l.conns) >= l.most {
		longest := l.longestIdle(func(other *conn) bool { return !shared || other.from == c.from })
		l.noteFull(c, longest != nil, shared)
		if longest == nil {
			return false, !shared
		}
		l.remove(longest)
		_ = longest.Conn.Close() // its reader in net/http sees the end
	}
	l.conns[c] = true
	l.of[c.from]++
	return true, false
}

// remove takes a connection off the list, if it is still on it. mu is held.
func (l *listener) remove(c *conn) {
	if !l.conns[c] {
		return
	}
	delete(l.conns, c)
	if l.of[c.from]--; l.of[c.from] == 0 {
		delete(l.of, c.from)
	}
}

func (l *listener) longestIdle(among func(*conn) bool) (longest *conn) {
	var since int64
	for c := range l.conns {
		if idle := c.idle.Load(); idle != 0 && (longest == nil || idle < since) && among(c) {
			longest, since = c, idle
		}
	}
	return longest
}

// noteFull counts that there was no place for c: an idle connection was closed for it,
// or c was refused because its address has its share. It is logged once in logEvery.
// mu is held.
func (l *listener) noteFull(c *conn, ended, shared bool) {
	now := time.Now()
	n := &l.full
	n.at = now
	switch {
	case ended:
		n.ended++
	case shared:
		n.turned++
	}
	if now.Sub(n.logged) < logEvery {
		return
	}
	l.log.Warn().Int("connections", len(l.conns)).Int("at_most", l.most).Int("at_most_of_one_address", l.share).
		Str("from", c.RemoteAddr().String()).Int("idle_ones_ended", n.ended).Int("turned_away", n.turned).
		Msg("no place for another connection: the longest idle go first, and who has his share is turned away")
	*n = fullness{at: now, logged: now}
}

// wasFull tells whether within warnFor there was no place for a connection.
func (l *listener) wasFull() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.full.at.IsZero() && time.Since(l.full.at) < warnFor
}

func (l *listener) leave(c *conn) {
	l.mu.Lock()
	l.remove(c)
	l.mu.Unlock()
	select {
	case l.freed <- struct{}{}:
	default:
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// setState notes what net/http does with a connection.
func (c *conn) setState(state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		c.idle.Store(time.Now().UnixNano())
	default:
		c.idle.Store(0)
	}
}

// sharedBy is the address whose connections are counted together: an IPv4 address
// itself, and the /64 network of an IPv6 address, in which a client can take another
// address for each connection.
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

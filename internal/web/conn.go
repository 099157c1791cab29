package web

import (
	"io"
	"math"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A client may take stall for each piece of an answer, in bytes. The whole answer has
// no limit: a slow client gets its picture, one that is gone is noticed soon.
const (
	stall = 30 * time.Second
	piece = 64 << 10
)

// A conn has a deadline for each piece that is written to it.
type conn struct {
	net.Conn
	listener *listener
	from     netip.Addr   // whose share it takes; not valid: nobody's
	idle     atomic.Int64 // since when it waits for a request, in nanoseconds since 1970; 0: it does not

	mu       sync.Mutex
	deadline time.Time // for writing
}

func (c *conn) Write(p []byte) (n int, err error) {
	for {
		c.extend()
		m, err := c.Conn.Write(p[:min(len(p), piece)])
		n, p = n+m, p[m:]
		if err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// ReadFrom lets the kernel copy from files (sendfile).
func (c *conn) ReadFrom(r io.Reader) (n int64, err error) {
	to, ok := c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	rest, ok := r.(*io.LimitedReader) // net uses sendfile through one LimitedReader only
	if !ok {
		rest = &io.LimitedReader{R: r, N: math.MaxInt64}
	}
	for rest.N > 0 {
		c.extend()
		m, err := to.ReadFrom(io.LimitReader(rest.R, min(rest.N, piece)))
		n, rest.N = n+m, rest.N-m
		if err != nil || m == 0 {
			return n, err
		}
	}
	return n, nil
}

// extend sets the deadline anew, unless that was done just now.
func (c *conn) extend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.deadline.Sub(now) < stall-stall/8 {
		c.deadline = now.Add(stall)
		_ = c.Conn.SetWriteDeadline(c.deadline) // fails only if the connection is gone; then Write fails too
	}
}

func (c *conn) Close() error {
	defer c.listener.leave(c)
	return c.Conn.Close()
}

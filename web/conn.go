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

// stall is how long a client may take for one piece of an answer. There is no
// limit for the whole of it: a phone in a basement gets its picture, one that
// has gone away costs nothing for long.
const (
	stall = 30 * time.Second
	piece = 64 << 10
)

// A conn gives each piece of what is written its time.
type conn struct {
	net.Conn
	crowd *crowd
	from  netip.Addr   // whose share it takes; not valid = nobody's
	idle  atomic.Int64 // since when it waits for a request, nanoseconds since 1970; 0 = it does not

	mu       sync.Mutex
	deadline time.Time // for writing
}

func (c *conn) Write(p []byte) (n int, err error) {
	for {
		c.patience()
		m, err := c.Conn.Write(p[:min(len(p), piece)])
		n, p = n+m, p[m:]
		if err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// ReadFrom lets the kernel copy files.
func (c *conn) ReadFrom(r io.Reader) (n int64, err error) {
	to, ok := c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	rest, ok := r.(*io.LimitedReader) // net looks through one of them only
	if !ok {
		rest = &io.LimitedReader{R: r, N: math.MaxInt64}
	}
	for rest.N > 0 {
		c.patience()
		m, err := to.ReadFrom(io.LimitReader(rest.R, min(rest.N, piece)))
		n, rest.N = n+m, rest.N-m
		if err != nil || m == 0 {
			return n, err
		}
	}
	return n, nil
}

// patience moves the deadline, unless it has been moved just now.
func (c *conn) patience() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.deadline.Sub(now) < stall-stall/8 {
		c.deadline = now.Add(stall)
		_ = c.Conn.SetWriteDeadline(c.deadline) // fails only if the connection is gone, which Write says
	}
}

func (c *conn) Close() error {
	defer c.crowd.leave(c)
	return c.Conn.Close()
}

package web

import (
	"bytes"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"picday/store"
)

// A quick answers what is asked most, the plain request for a small picture,
// and hands the connection over to net/http with the first request that is
// anything else. net/http alone has two thirds of nginx's throughput before it
// has looked for the picture; this has more than all of it. What it answers is
// to the byte what Public would (a fuzz test holds the two against each other).
type quick struct {
	pub   *Public
	rest  *handover
	shelf shelf

	mu       sync.Mutex
	conns    map[*conn]bool
	stopping bool
	group    sync.WaitGroup
}

const quickHead = 2 << 10 // longer requests are net/http's

func newQuick(pub *Public, addr net.Addr) *quick {
	return &quick{
		pub: pub, conns: map[*conn]bool{}, shelf: shelf{held: map[store.Published]*plain{}},
		rest: &handover{addr: addr, conns: make(chan *conn), closed: make(chan struct{})},
	}
}

// accept serves until the listener is closed.
func (q *quick) accept(l net.Listener) error {
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil: // no file descriptors, say: others will be given back
			q.pub.Log.Error().Err(err).Msg("cannot accept a connection, will try again")
			time.Sleep(50 * time.Millisecond)
			continue
		}
		if c := c.(*conn); q.enter(c) {
			go q.serve(c)
		}
	}
}

func (q *quick) enter(c *conn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopping {
		c.Close()
		return false
	}
	q.conns[c] = true
	q.group.Add(1)
	return true
}

// stop lets answers under way be finished, and ends all connections.
func (q *quick) stop() {
	q.mu.Lock()
	q.stopping = true
	for c := range q.conns {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
	q.mu.Unlock()
	ended := make(chan struct{})
	go func() { q.group.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(stopWithin):
	}
}

func (q *quick) serve(c *conn) {
	head := make([]byte, quickHead)
	n, handOver := 0, false
	defer func() {
		if v := recover(); v != nil {
			q.pub.Log.Error().Interface("panic", v).Bytes("stack", debug.Stack()).Msg("a request has broken its connection")
			handOver = false
		}
		q.mu.Lock()
		delete(q.conns, c)
		q.mu.Unlock()
		q.group.Done()
		if !handOver || !q.rest.give(c, head[:n]) {
			c.Close()
		}
	}()
	for wait := headTimeout; ; wait = idleTimeout {
		if !q.await(c, time.Now(), wait) {
			return
		}
		var err error
		if n, err = c.Conn.Read(head); err != nil {
			return
		}
		link, rendition, ok := parsePlain(head[:n])
		if !ok {
			handOver = true
			return
		}
		if handOver, err = q.answer(c, link, rendition); handOver || err != nil {
			return
		}
	}
}

// await sets how long the next request may take to come; false means that it
// would come too late.
func (q *quick) await(c *conn, now time.Time, wait time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if c.until.Sub(now) < wait-wait/8 || c.until.Sub(now) > wait {
		c.until = now.Add(wait)
		_ = c.SetReadDeadline(c.until) // fails only if the connection is gone, which Read says
	}
	return !q.stopping
}

// answer either writes the whole answer, or nothing: then net/http must.
func (q *quick) answer(c *conn, link, rendition string) (handOver bool, err error) {
	a := q.find(link, rendition)
	if a == nil {
		return true, nil
	}
	c.head = a.appendHead(c.head[:0], time.Now())
	return false, c.writeBoth(c.head, a.body)
}

func (q *quick) find(link, rendition string) *plain {
	pub, err := q.pub.Pictures.Published(link, rendition)
	if err != nil {
		return nil
	}
	if a := q.shelf.get(pub); a != nil {
		return a
	}
	pic, err := q.pub.open(link, rendition)
	if err != nil {
		return nil
	}
	defer pic.Close()
	a := pic.plain()
	if a != nil {
		q.shelf.put(pic.Published, a)
	}
	return a
}

// parsePlain takes apart a request that asks for a picture and nothing else:
// whole, alone, without a body, a range or a condition, and with nothing that
// is not known to be without a meaning here.
func parsePlain(head []byte) (link, rendition string, ok bool) {
	text, ok := bytes.CutPrefix(head, []byte("GET "))
	if !ok || !bytes.HasSuffix(text, []byte("\r\n\r\n")) {
		return "", "", false
	}
	line, fields, _ := bytes.Cut(text[:len(text)-2], []byte("\r\n"))
	path, ok := bytes.CutSuffix(line, []byte(" HTTP/1.1"))
	if !ok || !harmless(fields) {
		return "", "", false
	}
	return parsePath(string(path))
}

// harmless tells whether each field is one of those that change no answer.
func harmless(fields []byte) bool {
	host := false
	for len(fields) > 0 {
		var line []byte
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return false
		}
		for _, c := range value {
			if c < ' ' || c > '~' {
				return false
			}
		}
		value = bytes.TrimSpace(value)
		switch string(bytes.ToLower(name)) {
		case "host":
			if host || !plainHost(value) {
				return false
			}
			host = true
		case "connection":
			if string(value) != "keep-alive" {
				return false
			}
		case "user-agent", "accept", "accept-encoding", "accept-language", "referer", "cookie", "forwarded", "via",
			"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip":
		default:
			return false
		}
	}
	return host
}

func plainHost(value []byte) bool {
	for _, c := range value {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '-' && c != ':' {
			return false
		}
	}
	return len(value) > 0
}

// A handover is the listener that net/http accepts from: what quick gives it.
type handover struct {
	addr   net.Addr
	conns  chan *conn
	closed chan struct{}
	once   sync.Once
}

func (h *handover) give(c *conn, read []byte) bool {
	c.read = read
	select {
	case h.conns <- c:
		return true
	case <-h.closed:
		return false
	}
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h *handover) Close() error   { h.once.Do(func() { close(h.closed) }); return nil }
func (h *handover) Addr() net.Addr { return h.addr }

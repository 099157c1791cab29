package web

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// A listenerBed is a listener with few places, and what is connected to it.
type listenerBed struct {
	*bed
	server *Server
}

// listening serves a handler on a listener with so many places.
func listening(t *testing.T, most int, proxies []netip.Prefix, h http.Handler) *listenerBed {
	t.Helper()
	b := &listenerBed{bed: newBed(t)}
	if h == nil {
		h = b.pub
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	log := zerolog.New(&b.log)
	b.server = newServer("web.public", newListener(l, most, proxies, log), h, log)
	b.run(b.server)
	return b
}

// dial connects from an address of this machine.
func (b *listenerBed) dial(from string) net.Conn {
	b.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", b.server.Addr())
	b.must(err)
	b.Cleanup(func() { c.Close() })
	b.must(c.SetDeadline(time.Now().Add(30 * time.Second)))
	return c
}

// idle waits until so many connections wait for a request. net/http notes that after
// it has sent the answer, so the client can have the answer before.
func (b *listenerBed) idle(want int) {
	b.Helper()
	l, until := b.server.listener, time.Now().Add(30*time.Second)
	for {
		idle := 0
		l.mu.Lock()
		for c := range l.conns {
			if c.idle.Load() != 0 {
				idle++
			}
		}
		l.mu.Unlock()
		if idle == want {
			return
		}
		if time.Now().After(until) {
			b.Fatalf("%d connections are idle, not %d", idle, want)
		}
		time.Sleep(time.Millisecond)
	}
}

const askHealth = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

// answered tells whether a connection gets an answer.
func (b *listenerBed) answered(c net.Conn) bool {
	b.Helper()
	if _, err := io.WriteString(c, askHealth); err != nil {
		return false
	}
	buf := make([]byte, 2000)
	n, err := c.Read(buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		b.Error("neither answered nor closed")
	}
	return err == nil && bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 200"))
}

// One client that opens connections and says nothing keeps nobody out, and is
// told of in the log and the status.
func TestIdleConnectionsOfOneClient(t *testing.T) {
	b := listening(t, 8, nil, nil)
	if w := b.server.Warning(); w != "" {
		t.Errorf("at rest: %s", w)
	}
	other := b.dial("127.0.0.2")
	if !b.answered(other) {
		t.Fatal("not answered")
	}
	var idle []net.Conn
	for range 30 { // a share is 2
		idle = append(idle, b.dial("127.0.0.1"))
	}
	last := idle[len(idle)-1]
	if !b.answered(last) || !b.answered(other) || !b.answered(b.dial("127.0.0.3")) {
		t.Error("somebody was kept out")
	}
	for _, c := range idle[:28] {
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("an old idle one lives: %d %v", n, err)
		}
	}
	if n := strings.Count(b.log.String(), "no place for another connection"); n != 1 || !strings.Contains(b.log.String(), `"from":"127.0.0.1:`) {
		t.Errorf("%d lines in the log:\n%s", n, b.log.String())
	}
	if w := b.server.Warning(); !strings.HasPrefix(w, "web.public had no place") || !strings.Contains(w, "web.proxies") {
		t.Errorf("warning: %q", w)
	}
}

// What stopped both listeners for good: more idle connections of one client
// than there are places.
func TestMoreIdleConnectionsThanPlaces(t *testing.T) {
	b := &listenerBed{bed: newBed(t)}
	var err error
	b.server, err = New("web.public", "127.0.0.1:0", nil, b.pub, b.pub.Log)
	b.must(err)
	b.run(b.server)
	for range maxConns + 52 {
		b.dial("127.0.0.1")
	}
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		if !b.answered(b.dial(from)) {
			t.Errorf("%s is kept out", from)
		}
	}
	if n := strings.Count(b.log.String(), "no place for another connection"); n != 1 {
		t.Errorf("%d lines in the log:\n%s", n, b.log.String())
	}
}

// Many clients that say nothing: the longest idle go first, whosever they are.
func TestIdleConnectionsOfManyClients(t *testing.T) {
	b := listening(t, 4, nil, nil)
	first := b.dial("127.0.1.1")
	if !b.answered(first) {
		t.Fatal("not answered")
	}
	b.idle(1)
	var conns []net.Conn
	for i, from := range []string{"127.0.1.2", "127.0.1.3", "127.0.1.4", "127.0.1.5"} {
		conns = append(conns, b.dial(from))
		if !b.answered(conns[i]) {
			t.Errorf("%s is kept out", from)
		}
		b.idle(min(i+2, 4))
	}
	if b.answered(first) {
		t.Error("the longest idle one was not ended")
	}
	for _, c := range conns {
		if !b.answered(c) {
			t.Error("one that was idle for less long was ended")
		}
	}
}

// busy answers when it is told to.
type busy struct{ begun, end chan bool }

func (h busy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/busy" {
		h.begun <- true
		<-h.end
	}
}

// Who is being answered is not ended. Beyond the share of an address he is
// turned away; where all places are taken, the others wait and get their turn.
func TestBusyConnections(t *testing.T) {
	h := busy{make(chan bool), make(chan bool)}
	b := listening(t, 4, nil, h)
	ask := func(from string) net.Conn {
		c := b.dial(from)
		_, err := io.WriteString(c, "GET /busy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		b.must(err)
		return c
	}
	var conns []net.Conn
	for _, from := range []string{"127.0.1.1", "127.0.1.2", "127.0.1.3"} {
		conns = append(conns, ask(from))
		<-h.begun
	}
	if b.answered(b.dial("127.0.1.1")) {
		t.Error("beyond his share, and answered")
	}
	conns = append(conns, ask("127.0.1.4"))
	<-h.begun
	fifth := b.dial("127.0.1.5")
	_, err := io.WriteString(fifth, askHealth)
	b.must(err)
	b.must(fifth.SetReadDeadline(time.Now().Add(100 * time.Millisecond)))
	if n, err := fifth.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("answered beyond the limit: %d %v", n, err)
	}
	b.must(fifth.SetReadDeadline(time.Now().Add(30 * time.Second)))
	h.end <- true
	if n, err := fifth.Read(make([]byte, 12)); n == 0 || err != nil {
		t.Errorf("kept out for good: %v", err)
	}
	for range 3 {
		h.end <- true
	}
	for _, c := range conns {
		if answer, err := io.ReadAll(c); err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 200")) {
			t.Errorf("%v %.50q", err, answer)
		}
	}
}

// A web server in front asks for everybody: it has no share.
func TestAProxyHasNoShare(t *testing.T) {
	b := listening(t, 8, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/24")}, nil)
	var conns []net.Conn
	for range 8 {
		conns = append(conns, b.dial("127.0.0.1"))
	}
	for _, c := range conns {
		if !b.answered(c) {
			t.Error("kept out")
		}
	}
}

func TestSharedBy(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::", "fe80::1%eth0": "fe80::",
	} {
		if got := sharedBy(netip.MustParseAddr(addr)); got.String() != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

package testbed

import (
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// Line is a slow line between a client and sshd, for any client: it can be
// paused and it can be cut.
type Line struct {
	Port int

	mu     sync.Mutex
	free   *sync.Cond
	paused bool
	cut    bool
	sent   int64
	conns  []net.Conn
	listen net.Listener
}

// Line makes a line that lets bytesPerSecond pass from client to server.
func (w *World) Line(bytesPerSecond int) *Line {
	w.T.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	line := &Line{Port: l.Addr().(*net.TCPAddr).Port, listen: l}
	line.free = sync.NewCond(&line.mu)
	w.T.Cleanup(line.Cut)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(w.Port))
			if err != nil || !line.add(client, server) {
				_ = client.Close()
				continue
			}
			_ = client.(*net.TCPConn).SetReadBuffer(64 << 10)
			go line.pump(server, client, bytesPerSecond)
			go line.pump(client, server, 0)
		}
	}()
	return line
}

func (l *Line) add(conns ...net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, conns...)
	return !l.cut
}

// pump copies one direction, at rate bytes a second (0 = as fast as it goes).
func (l *Line) pump(to, from net.Conn, rate int) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		for l.paused && !l.cut {
			l.free.Wait()
		}
		if rate > 0 {
			l.sent += int64(n)
		}
		cut := l.cut
		l.mu.Unlock()
		if cut {
			return
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
			if rate > 0 {
				time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
			}
		}
		if err != nil {
			if err == io.EOF {
				return
			}
			return
		}
	}
}

// Sent is how many bytes have left the client.
func (l *Line) Sent() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

// Pause lets nothing through until Resume; the connections stay.
func (l *Line) Pause() { l.set(func() { l.paused = true }) }

// Resume undoes Pause.
func (l *Line) Resume() { l.set(func() { l.paused = false }) }

// Cut ends all connections at once and accepts no new ones.
func (l *Line) Cut() {
	l.set(func() {
		l.cut = true
		for _, c := range l.conns {
			_ = c.Close()
		}
	})
	_ = l.listen.Close()
}

func (l *Line) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	l.free.Broadcast()
}

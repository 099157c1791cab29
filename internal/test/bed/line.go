package bed

import (
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// Line is a slow connection between any client and sshd. It can be paused and cut.
type Line struct {
	Port int

	mu     sync.Mutex
	free   *sync.Cond
	paused bool
	cut    bool
	conns  []net.Conn
	listen net.Listener
}

// Line makes a Line that transmits bytesPerSecond from client to server.
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

// pump copies one direction, at rate bytes per second (0 = unlimited).
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

// Pause stops transmitting; the connections stay open.
func (l *Line) Pause() { l.set(func() { l.paused = true }) }

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

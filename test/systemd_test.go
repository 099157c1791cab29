package test

import (
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"

	"picday/internal/test/bed"
)

// systemd is what listens at NOTIFY_SOCKET.
type systemd struct {
	path string
	mu   sync.Mutex
	said []string
}

func (s *site) systemd() *systemd {
	s.t.Helper()
	m := &systemd{path: s.Dir + "/notify"}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"})
	s.must(err)
	s.t.Cleanup(func() { _ = conn.Close() })
	s.must(os.Chmod(m.path, 0o666))
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.said = append(m.said, string(buf[:n]))
			m.mu.Unlock()
		}
	}()
	return m
}

// messages returns all messages of the daemon, and how many of them are what.
func (m *systemd) messages(what string) (all []string, times int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range m.said {
		if text == what {
			times++
		}
	}
	return slices.Clone(m.said), times
}

// With Type=notify and WatchdogSec, systemd waits for READY=1 and kills a
// service that does not send WATCHDOG=1 in time.
func TestSystemdIsToldOfReadyAliveAndTheEnd(t *testing.T) {
	s := newQuietSite(t)
	m := s.systemd()
	s.daemon = s.StartDaemon("NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=3000000")
	s.Eventually("READY=1 and several WATCHDOG=1", func() (bool, any) {
		all, alive := m.messages("WATCHDOG=1")
		return alive >= 3 && slices.Contains(all, "READY=1"), all
	})
	all, ready := m.messages("READY=1")
	if ready != 1 || slices.Contains(all, "STOPPING=1") {
		t.Errorf("a daemon that runs has said %q", all)
	}
	s.terminate(s.daemon)
	s.Eventually("STOPPING=1", func() (bool, any) {
		all, stopping := m.messages("STOPPING=1")
		return stopping == 1, all
	})
}

// terminate ends the daemon as systemd does under KillMode=mixed: SIGTERM for
// the main process alone. It must exit with status 0.
func (s *site) terminate(d *bed.Daemon) {
	s.t.Helper()
	s.must(syscall.Kill(d.Pid(), syscall.SIGTERM))
	if err := d.Wait(); err != nil {
		s.t.Errorf("picdayd after SIGTERM: %v\n%s", err, d.Log())
	}
}

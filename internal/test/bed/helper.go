package bed

import (
	"net"
	"os"
	"strings"
	"sync"

	"picday/internal/helper"
)

// StartHelper listens as the helper's sockets of systemd do, and starts the helper for each
// connection. log has what the helpers have written by now.
func (w *World) StartHelper() (log func() string) {
	w.T.Helper()
	w.must(os.MkdirAll(w.HelperDir(), 0o755))
	owner := w.Credential("picday")
	var mu sync.Mutex
	var text strings.Builder
	var running sync.WaitGroup
	w.T.Cleanup(running.Wait)
	for _, part := range []helper.Part{helper.Files, helper.Accounts} {
		path := part.Socket(w.HelperDir())
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		w.must(err)
		w.T.Cleanup(func() { _ = l.Close() })
		w.must(os.Chown(path, 0, int(owner.Gid)))
		w.must(os.Chmod(path, 0o660))
		serve := func(conn *net.UnixConn) {
			defer conn.Close()
			f, err := conn.File()
			if err != nil {
				return
			}
			defer f.Close()
			cmd := w.PicdayCmd("helper", string(part))
			var said strings.Builder
			cmd.Stdin, cmd.Stderr = f, &said
			if err := cmd.Start(); err != nil {
				w.T.Errorf("the helper: %v", err)
				return
			}
			w.helpers.Store(cmd.Process, true)
			_ = cmd.Wait() // what went wrong is in what it said
			w.helpers.Delete(cmd.Process)
			mu.Lock()
			defer mu.Unlock()
			text.WriteString(said.String())
		}
		running.Go(func() {
			for {
				conn, err := l.AcceptUnix()
				if err != nil {
					return
				}
				running.Go(func() { serve(conn) })
			}
		})
	}
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return text.String()
	}
}

// KillHelpers kills the helpers that run, and returns how many there were.
func (w *World) KillHelpers() (n int) {
	w.helpers.Range(func(p, _ any) bool {
		if p.(*os.Process).Kill() == nil {
			n++
		}
		return true
	})
	return n
}

// HelpersRun tells whether a helper does something now.
func (w *World) HelpersRun() (yes bool) {
	w.helpers.Range(func(_, _ any) bool { yes = true; return false })
	return yes
}

package testbed

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// What the unit gives picdayd, and nothing else (linux/capability.h).
const (
	capDACOverride   = 1
	capDACReadSearch = 2
	capLease         = 28
)

// Daemon is a running picdayd.
type Daemon struct {
	*proc
	w   *World
	log string
}

// StartDaemon starts picdayd as the Unix user that picday init has made, with
// the unit's capabilities, and waits until picday says that it runs.
func (w *World) StartDaemon() *Daemon {
	w.T.Helper()
	d := w.LaunchDaemon()
	w.Eventually("picdayd is running", func() (bool, any) {
		select {
		case <-d.done:
			w.T.Fatalf("picdayd ended at start: %v\n%s", d.err, d.Log())
		default:
		}
		r := w.Picday("status", "--json")
		var s Status
		err := json.Unmarshal([]byte(r.Stdout), &s)
		return r.Code == 0 && err == nil && s.Running, r
	})
	return d
}

// LaunchDaemon starts picdayd and does not wait until it is ready.
func (w *World) LaunchDaemon() *Daemon {
	w.T.Helper()
	bin, err := programs()
	w.must(err)
	path := fmt.Sprintf("%s/picdayd%d.log", w.Dir, len(w.daemons)+1)
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	w.must(err)
	defer log.Close()
	cmd := exec.Command(bin+"/picdayd", "--config", w.Config)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+dir)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  w.credential("picday"),
		AmbientCaps: []uintptr{capDACOverride, capDACReadSearch, capLease},
	}
	d := &Daemon{proc: start(w.T, cmd), w: w, log: path}
	w.daemons = append(w.daemons, d)
	return d
}

// Stop asks the daemon to end, by SIGTERM or SIGINT, and requires status 0.
func (d *Daemon) Stop(s syscall.Signal) {
	d.w.T.Helper()
	if err := d.stop(s); err != nil {
		d.w.T.Fatalf("picdayd after %v: %v\n%s", s, err, d.Log())
	}
}

// Kill ends the daemon and its decoders as a power cut would.
func (d *Daemon) Kill() { d.kill() }

// Freeze and Thaw stop the daemon in its tracks and let it go on.
func (d *Daemon) Freeze() { d.signal(syscall.SIGSTOP) }

// Thaw undoes Freeze.
func (d *Daemon) Thaw() { d.signal(syscall.SIGCONT) }

// Pid is the daemon's process id.
func (d *Daemon) Pid() int { return d.cmd.Process.Pid }

// Log is the end of what the daemon has written.
func (d *Daemon) Log() string { return tail(d.log, 40) }

// LogPath is the file that takes the daemon's stderr.
func (d *Daemon) LogPath() string { return d.log }

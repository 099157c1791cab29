package bed

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The capabilities that the systemd unit gives picdayd (linux/capability.h).
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

// StartDaemon starts picdayd as the Unix user that picday init has made, with the unit's
// capabilities, and waits until picday status says that it works. env is added to its
// environment.
func (w *World) StartDaemon(env ...string) *Daemon {
	w.T.Helper()
	d := w.LaunchDaemon(env...)
	w.Eventually("picdayd is proven to work", func() (bool, any) {
		select {
		case <-d.done:
			w.T.Fatalf("picdayd ended at start: %v\n%s", d.err, d.Log())
		default:
		}
		r := w.Picday("status", "--json")
		var s Status
		err := json.Unmarshal([]byte(r.Stdout), &s)
		return r.Code == 0 && err == nil && s.Running && s.LastProvenAlive != nil, r
	})
	return d
}

// LaunchDaemon starts picdayd and does not wait until it is ready.
func (w *World) LaunchDaemon(env ...string) *Daemon {
	w.T.Helper()
	path := fmt.Sprintf("%s/picdayd%d.log", w.Dir, len(w.daemons)+1)
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	w.must(err)
	defer log.Close()
	cmd := w.DaemonCmd()
	owner := cmd.SysProcAttr.Credential
	w.must(os.MkdirAll(w.Run(), 0o750))
	w.must(os.Chown(w.Run(), int(owner.Uid), int(owner.Gid)))
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = log, log
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

// DaemonCmd prepares a run of picdayd as the systemd unit runs it.
func (w *World) DaemonCmd(args ...string) *exec.Cmd {
	w.T.Helper()
	bin, err := programs()
	w.must(err)
	cmd := exec.Command(bin+"/picdayd", append([]string{"--config", w.Config}, args...)...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+dir)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  w.Credential("picday"),
		AmbientCaps: []uintptr{capDACOverride, capDACReadSearch, capLease},
	}
	if w.Namespaced {
		namespaced(cmd.SysProcAttr)
	}
	return cmd
}

// Wait returns when the daemon has ended by itself.
func (d *Daemon) Wait() error {
	select {
	case <-d.done:
		return d.err
	case <-time.After(Limit):
		d.w.T.Fatalf("picdayd has not ended:\n%s", d.Log())
		return nil
	}
}

// Kill ends the daemon and its decoders by SIGKILL.
func (d *Daemon) Kill() { d.kill() }

// Freeze stops the daemon by SIGSTOP, and returns when all of its threads have stopped. The
// signal reaches one thread first, so the others stop a little later.
func (d *Daemon) Freeze() {
	d.w.T.Helper()
	d.signal(syscall.SIGSTOP)
	d.w.Eventually("the daemon stands still", func() (bool, any) {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", d.Pid()))
		for _, path := range threads {
			stat, err := os.ReadFile(path)
			_, state, _ := strings.Cut(string(stat), ") ")
			if err == nil && !strings.HasPrefix(state, "T") {
				return false, string(stat)
			}
		}
		return len(threads) > 0, threads
	})
}

// Thaw undoes Freeze.
func (d *Daemon) Thaw() { d.signal(syscall.SIGCONT) }

// Pid returns the daemon's process ID.
func (d *Daemon) Pid() int { return d.cmd.Process.Pid }

// Log returns the end of the daemon's log.
func (d *Daemon) Log() string { return tail(d.log, 40) }

// LogPath is the file that takes the daemon's stderr.
func (d *Daemon) LogPath() string { return d.log }

package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// termTimeout is how long a session has to end after SIGTERM, killTimeout after
// SIGKILL.
const (
	termTimeout = 3 * time.Second
	killTimeout = 10 * time.Second
)

// A holder is whose sessions are meant. Those of an account and its log-ins have one
// uid; group tells a log-in's from the others'. 0 = all.
type holder struct {
	name       string
	uid, group int
}

// holderOf returns whose the processes of a Unix user of ours are. For a log-in that has
// lost its group only sshd's privileged processes are: they end the others.
func holderOf(u *unixUser) (holder, error) {
	o := holder{name: u.name, uid: u.uid}
	if !u.isLogin() {
		return o, nil
	}
	o.group = -1
	g, err := lookupGroup(u.name)
	if g != nil {
		o.group = g.gid
	}
	return o, err
}

// processes returns all that a holder's sessions consist of: what runs with the real
// uid, and sshd's privileged processes for it, which may be about to start one.
func processes(o holder) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for sessions: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && o.owns(pid) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// owns goes by what the process cannot change about itself: its uid, its groups, and if
// it is root's, its title.
func (o holder) owns(pid int) bool {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false // it ended meanwhile
	}
	var comm, state string
	var groups []string
	var real int
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		f := strings.Fields(value)
		switch {
		case len(f) == 0:
		case key == "Name":
			comm = f[0]
		case key == "State":
			state = f[0]
		case key == "Uid":
			real, _ = strconv.Atoi(f[0])
		case key == "Groups":
			groups = f
		}
	}
	if state == "Z" || state == "X" {
		return false
	}
	if real == o.uid {
		return o.group == 0 || slices.Contains(groups, strconv.Itoa(o.group))
	}
	if real != 0 || comm != "sshd" && comm != "sshd-session" {
		return false
	}
	title, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	title = bytes.TrimRight(title, "\x00 ")
	return string(title) == "sshd: "+o.name+" [priv]" || string(title) == "sshd-session: "+o.name+" [priv]"
}

// end signals one process, if it is still the one meant: its pid may have been used
// again.
func (o holder) end(pid int, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		return err
	}
	defer unix.Close(fd)
	if !o.owns(pid) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// sessionsStep ends the live sessions of an account, with those of its log-ins, or of
// one log-in alone. They must be closed first, or new ones begin.
func sessionsStep(name string) step {
	list := func() (pids []int, o holder, err error) {
		u, err := lookupUser(name)
		if u == nil || err != nil {
			return nil, o, err
		}
		if !u.ours() && !u.isLogin() {
			return nil, o, notOurs(u)
		}
		if o, err = holderOf(u); err == nil {
			pids, err = processes(o)
		}
		return pids, o, err
	}
	return step{
		what: fmt.Sprintf("ended the live sessions of %s", name),
		satisfied: func(context.Context) (bool, error) {
			pids, _, err := list()
			return len(pids) == 0, err
		},
		do: func(context.Context) error {
			start := time.Now()
			sig := unix.SIGTERM
			for {
				pids, o, err := list()
				if err != nil || len(pids) == 0 {
					return err
				}
				if time.Since(start) > termTimeout {
					sig = unix.SIGKILL
				}
				if time.Since(start) > termTimeout+killTimeout {
					return fmt.Errorf("the processes %v of %s do not end: look at them with \"ps -fp\" and try again", pids, name)
				}
				for _, pid := range pids {
					if err := o.end(pid, sig); err != nil {
						return fmt.Errorf("end process %d of %s: %w", pid, name, err)
					}
				}
				time.Sleep(20 * time.Millisecond)
			}
		},
	}
}

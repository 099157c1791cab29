package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// How long a session may take to end by itself, and to die when killed.
const (
	politely = 3 * time.Second
	forcibly = 10 * time.Second
)

// sessions returns the account's processes: everything with its real uid, and
// sshd's privileged halves that name it, which may be about to start one.
func sessions(name string, uid int) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for sessions: %w", err)
	}
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && belongs(pid, name, uid) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func belongs(pid int, name string, uid int) bool {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false // it ended meanwhile
	}
	var comm, state string
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
		}
	}
	if state == "Z" || state == "X" {
		return false
	}
	if real == uid {
		return true
	}
	if real != 0 || comm != "sshd" && comm != "sshd-session" {
		return false
	}
	title, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	title = bytes.TrimRight(title, "\x00 ")
	return string(title) == "sshd: "+name+" [priv]" || string(title) == "sshd-session: "+name+" [priv]"
}

// endSession signals one process, making sure that it is still the one meant:
// its number may have been given to another one since.
func endSession(pid int, name string, uid int, sig unix.Signal) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		return err
	}
	defer unix.Close(fd)
	if !belongs(pid, name, uid) {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// sessionsStep ends the account's live sessions. The account must be closed
// before, or new ones come.
func sessionsStep(name string) step {
	list := func() ([]int, int, error) {
		u, err := lookupUser(name)
		if u == nil || err != nil {
			return nil, 0, err
		}
		if !u.ours() {
			return nil, 0, notOurs(name)
		}
		pids, err := sessions(name, u.uid)
		return pids, u.uid, err
	}
	return step{
		what: fmt.Sprintf("ended the live sessions of %s", name),
		done: func(context.Context) (bool, error) {
			pids, _, err := list()
			return len(pids) == 0, err
		},
		do: func(context.Context) error {
			start := time.Now()
			sig := unix.SIGTERM
			for {
				pids, uid, err := list()
				if err != nil || len(pids) == 0 {
					return err
				}
				if time.Since(start) > politely {
					sig = unix.SIGKILL
				}
				if time.Since(start) > politely+forcibly {
					return fmt.Errorf("the processes %v of %s do not end: look at them with \"ps -fp\" and try again", pids, name)
				}
				for _, pid := range pids {
					if err := endSession(pid, name, uid, sig); err != nil {
						return fmt.Errorf("end process %d of %s: %w", pid, name, err)
					}
				}
				time.Sleep(20 * time.Millisecond)
			}
		},
	}
}

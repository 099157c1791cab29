package watcher

import (
	"golang.org/x/sys/unix"
)

// mounts waits for changes of the mount table. inotify says nothing when a
// volume is unmounted or mounted over a tree; the table does, and waiting for it
// costs nothing.
type mounts struct{ table, bell int }

func openMounts() (*mounts, error) {
	table, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(table)
		return nil, err
	}
	return &mounts{table, bell}, nil
}

func (m *mounts) close() {
	unix.Close(m.table)
	unix.Close(m.bell)
}

// wait returns after stop.
func (m *mounts) wait(changed func()) error {
	fds := []unix.PollFd{{Fd: int32(m.table), Events: unix.POLLPRI}, {Fd: int32(m.bell), Events: unix.POLLIN}}
	for {
		switch _, err := unix.Poll(fds, -1); {
		case err == unix.EINTR:
		case err != nil:
			return err
		case fds[1].Revents != 0:
			return nil
		default:
			changed()
		}
	}
}

func (m *mounts) stop() {
	unix.Write(m.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

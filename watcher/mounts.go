package watcher

import (
	"golang.org/x/sys/unix"
)

// mounts waits for changes of the mount table, because inotify sends no event when a
// volume is mounted over a tree.
type mounts struct{ table, stopFD int } // descriptors of mountinfo and of an eventfd that ends wait

func openMounts() (*mounts, error) {
	table, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	stopFD, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(table)
		return nil, err
	}
	return &mounts{table, stopFD}, nil
}

func (m *mounts) close() {
	unix.Close(m.table)
	unix.Close(m.stopFD)
}

// wait calls changed after each change of the mount table. It returns after stop.
func (m *mounts) wait(changed func()) error {
	fds := []unix.PollFd{{Fd: int32(m.table), Events: unix.POLLPRI}, {Fd: int32(m.stopFD), Events: unix.POLLIN}}
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
	unix.Write(m.stopFD, []byte{1, 0, 0, 0, 0, 0, 0, 0})
}

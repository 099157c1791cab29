package watcher

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ErrNoLeases means that the file system cannot tell who has a file open.
var ErrNoLeases = errors.New("file system has no leases")

// ErrLeaseRefused means that the kernel does not tell this process: the file is
// somebody else's, and the process has no CAP_LEASE that counts. In a user
// namespace of its own, as in an unprivileged container, no process has.
var ErrLeaseRefused = errors.New("the kernel refuses a lease on somebody else's file")

// Held tells whether anybody has f, opened for reading only, open for writing;
// a writable mapping counts. The error is ErrNoLeases where the file system cannot
// tell, and ErrLeaseRefused where we neither own the file nor have CAP_LEASE.
func Held(f *os.File) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var held bool
	if cerr := conn.Control(func(fd uintptr) { held, err = heldFD(fd) }); cerr != nil {
		return false, cerr
	}
	return held, err
}

// heldFD takes a read lease and drops it. In between, open for writing would
// block for whoever tries, so the two calls are raw: no scheduler, nothing in
// between.
func heldFD(fd uintptr) (bool, error) {
	if leaseless(int(fd)) {
		return false, ErrNoLeases
	}
	_, _, errno := unix.RawSyscall(unix.SYS_FCNTL, fd, unix.F_SETLEASE, unix.F_RDLCK)
	if errno == 0 {
		unix.RawSyscall(unix.SYS_FCNTL, fd, unix.F_SETLEASE, unix.F_UNLCK)
	}
	switch errno {
	case 0:
		return false, nil
	case unix.EAGAIN:
		return true, nil
	case unix.EINVAL, unix.ENOTSUP, unix.ENOSYS, unix.ENOLCK:
		return false, ErrNoLeases
	case unix.EACCES, unix.EPERM:
		return false, fmt.Errorf("%w: %w", ErrLeaseRefused, errno)
	}
	return false, fmt.Errorf("lease: %w", errno)
}

// leaseless names the file systems whose answer would be wrong: they know
// nothing of writers on other machines, and NFS 4 says EAGAIN to everyone.
func leaseless(fd int) bool {
	var st unix.Statfs_t
	if unix.Fstatfs(fd, &st) != nil {
		return false
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.FUSE_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC,
		unix.SMB_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC:
		return true
	}
	return false
}

// examine looks at a path and asks whether somebody writes to it. What is not a
// regular file is never opened: O_PATH opens nothing, and going through it
// leaves no moment in which a FIFO can take the place of a file. The stat is
// taken last, so it is what was there when nobody was writing.
func (t *tree) examine(path string) (st *stat, held bool, err error) {
	fd, err := t.open(path, unix.O_PATH)
	if err != nil {
		return nil, false, err
	}
	defer unix.Close(fd)
	if st, err = t.statAt(fd, ""); err != nil || !st.regular() {
		return st, false, err
	}
	file, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err == unix.EAGAIN { // somebody holds a write lease
		return st, true, nil
	}
	if err != nil {
		return st, false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(file)
	if held, err = heldFD(uintptr(file)); held || err != nil {
		return st, held, err
	}
	st, err = t.statAt(file, "")
	return st, false, err
}

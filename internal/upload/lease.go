package upload

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNoLeases means that the file system cannot tell whether a file is open for writing.
var ErrNoLeases = errors.New("file system has no leases")

// ErrLeaseRefused means that the kernel refuses this process a lease: another user owns
// the file, and the process does not have CAP_LEASE in the initial user namespace. No
// process of an unprivileged container has it.
var ErrLeaseRefused = errors.New("the kernel refuses a lease on somebody else's file")

// Held tells whether any process has the file open for writing; a writable mapping
// counts. f must be opened for reading only. It fails with ErrNoLeases if the file
// system cannot tell, and with ErrLeaseRefused if this process neither owns the file nor
// has CAP_LEASE.
func Held(f *os.File) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var held bool
	if cerr := conn.Control(func(fd uintptr) { held, err = HeldFD(fd) }); cerr != nil {
		return false, cerr
	}
	return held, err
}

// HeldFD is Held for a file descriptor.
//
// It takes a read lease and drops it. In between, an open for writing by another process
// blocks, so both are raw system calls, between which the Go scheduler does not run
// another goroutine.
func HeldFD(fd uintptr) (bool, error) {
	if Leaseless(int(fd)) {
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

// Leaseless tells whether fd is on a file system whose leases are useless: they ignore
// writers on other machines, and NFS 4 answers EAGAIN for every file.
func Leaseless(fd int) bool {
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

package upload

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// A VolumeKey returns the key of the file system with the device number dev; fd is open
// on that file system. [Volumes.Key] is one.
type VolumeKey func(dev uint64, fd int) uint64

// A Stat is what statx(2) tells of a file.
type Stat struct {
	Identity
	Dev   uint64 // device number, which is not permanent: see Identity
	Mode  uint16 // type and permissions, as in struct stat
	Mount uint64 // ID of the mount
}

// IsDir tells whether the file is a directory.
func (s *Stat) IsDir() bool { return s.Mode&unix.S_IFMT == unix.S_IFDIR }

// Regular tells whether the file is a regular file.
func (s *Stat) Regular() bool { return s.Mode&unix.S_IFMT == unix.S_IFREG }

// StatAt is lstat of name in the directory fd, or of fd itself if name is empty. It fails
// with a [unix.Errno].
func StatAt(fd int, name string, key VolumeKey) (*Stat, error) {
	const mask = unix.STATX_TYPE | unix.STATX_MODE | unix.STATX_INO | unix.STATX_SIZE | unix.STATX_CTIME | unix.STATX_MNT_ID
	flags := unix.AT_SYMLINK_NOFOLLOW
	if name == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	var x unix.Statx_t
	if err := unix.Statx(fd, name, flags, mask, &x); err != nil {
		return nil, err
	}
	dev := unix.Mkdev(x.Dev_major, x.Dev_minor)
	return &Stat{
		Identity: Identity{
			Volume: key(dev, fd), Ino: x.Ino,
			Size: int64(x.Size), Ctime: x.Ctime.Sec*1e9 + int64(x.Ctime.Nsec),
		},
		Dev: dev, Mode: x.Mode, Mount: x.Mnt_id,
	}, nil
}

// Lstat is lstat of path below dir. It follows no symbolic link below dir, in any element
// of path. It fails with a [unix.Errno].
func Lstat(dir, path string, key VolumeKey) (*Stat, error) {
	fd, err := OpenAt(dir, path, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return StatAt(fd, "", key)
}

// Examine is Lstat that also tells whether any process has a regular file open for
// writing, as [Held] does. If only that cannot be told, it returns a Stat and the error.
//
// Examine opens regular files only: it takes an O_PATH descriptor, checks its type and
// opens that same inode, so that a FIFO cannot take the file's place in between. The
// Stat of a file without a writer is made last, so that it is of a moment at which the
// file had none.
func Examine(dir, path string, key VolumeKey) (st *Stat, held bool, err error) {
	fd, err := OpenAt(dir, path, unix.O_PATH)
	if err != nil {
		return nil, false, err
	}
	defer unix.Close(fd)
	if st, err = StatAt(fd, "", key); err != nil || !st.Regular() {
		return st, false, err
	}
	file, err := unix.Open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err == unix.EAGAIN { // another process holds a write lease
		return st, true, nil
	}
	if err != nil {
		return st, false, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(file)
	if held, err = HeldFD(uintptr(file)); held || err != nil {
		return st, held, err
	}
	st, err = StatAt(file, "", key)
	return st, false, err
}

package upload

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Open opens a file below root for reading. No symbolic link is followed, neither
// in path nor at its end, not even one that stays below root, because one file would
// then have two paths. (os.Root follows such links with any flags.) It never blocks:
// opening a FIFO returns at once. The caller must check with Stat whether it is a
// regular file.
func Open(root *os.Root, path string) (*os.File, error) {
	return open(root, path, unix.O_RDONLY|unix.O_NONBLOCK)
}

// OpenDir opens a directory below root for reading, as Open does a file.
func OpenDir(root *os.Root, path string) (*os.File, error) {
	return open(root, path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_DIRECTORY)
}

func open(root *os.Root, path string, flags int) (*os.File, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd, err := walk(int(dir.Fd()), path, flags)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// OpenAt opens path below dir and follows no symbolic link below dir. path is relative;
// "" is dir itself. flags are those of open(2); the caller closes fd. It opens dir each
// time, because a kept descriptor would still lead to a volume that was unmounted.
func OpenAt(dir, path string, flags int) (fd int, err error) {
	fd, err = openAt(unix.AT_FDCWD, dir, unix.O_PATH|unix.O_DIRECTORY)
	if err != nil || path == "" {
		return fd, err
	}
	defer unix.Close(fd)
	return walk(fd, path, flags)
}

// walk opens one path element after the other. It does not use openat2, because systemd's
// RestrictSUIDSGID and older container tools forbid that system call.
func walk(dir int, path string, flags int) (fd int, err error) {
	fd = dir
	for {
		name, rest, more := strings.Cut(path, "/")
		how := flags
		if more {
			how = unix.O_PATH | unix.O_DIRECTORY
		}
		above := fd
		if name == ".." {
			fd, err = -1, unix.EXDEV
		} else {
			fd, err = openAt(above, name, how|unix.O_NOFOLLOW)
		}
		if above != dir {
			unix.Close(above)
		}
		if err != nil || !more {
			return fd, err
		}
		path = rest
	}
}

func openAt(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

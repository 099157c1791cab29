package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/internal/upload"
)

var (
	errInTheWay = errors.New("a file with other content is there")
	errNoPlace  = errors.New("the folder for uploads is gone")
	errChanging = errors.New("it is being changed")
)

// copy copies one file, unless it is there already: then done is false.
func (x *Import) copy(source *os.Root, f file) (done bool, err error) {
	in, err := upload.Open(source, f.path)
	if err != nil {
		return false, err
	}
	defer in.Close()
	before, err := in.Stat()
	if err == nil && !before.Mode().IsRegular() {
		err = errChanging // it was a file when the source was listed
	}
	if err != nil {
		return false, err
	}
	dir, name, err := x.folder(f.target)
	if err != nil {
		if x.DryRun && errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
		return false, err
	}
	defer dir.Close()
	there, err := isThere(dir, name, in, before)
	if there || err != nil || x.DryRun {
		return !there, err
	}
	if err := x.write(dir, name, in, before); errors.Is(err, unix.EEXIST) {
		return false, errInTheWay // it has come just now
	} else if err != nil {
		return false, err
	}
	return true, nil
}

// folder opens the folder of a target, following no link, and makes those that are
// missing below the one where uploads begin. Whoever renames folders meanwhile moves
// what is written into them along.
func (x *Import) folder(target string) (dir *os.File, name string, err error) {
	elements := strings.Split(target, "/")
	begin := 1 // the job's folder
	if x.Account.Layout == layout.Portraits {
		begin = 2
	}
	fd, err := unix.Open(x.Trees.Base(x.Account.Name), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	for i, e := range elements[:len(elements)-1] {
		if err != nil {
			break
		}
		above := fd
		fd, err = openFolder(above, e)
		if errors.Is(err, unix.ENOENT) && i >= begin && !x.DryRun {
			fd, err = x.makeFolder(above, e)
		}
		unix.Close(above)
		if i < begin && errors.Is(err, unix.ENOENT) {
			err = errNoPlace
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("open the folder: %w", err)
	}
	return os.NewFile(uintptr(fd), target), elements[len(elements)-1], nil
}

func openFolder(above int, name string) (int, error) {
	return unix.Openat(above, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

func (x *Import) makeFolder(above int, name string) (int, error) {
	if err := unix.Mkdirat(above, name, 0o700); err != nil && err != unix.EEXIST {
		return -1, err
	}
	fd, err := openFolder(above, name)
	if err != nil {
		return -1, err
	}
	if err := errors.Join(unix.Fchown(fd, x.UID, x.GID), unix.Fchmod(fd, 0o750)); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// isThere tells whether the source is at the name already. It takes a file of the same
// size and time of change for the same, because write gives a copy that time; of
// others it compares the content.
func isThere(dir *os.File, name string, in *os.File, source fs.FileInfo) (bool, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return false, nil
	case errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO): // a link, a socket
		return false, errInTheWay
	case err != nil:
		return false, err
	}
	old := os.NewFile(uintptr(fd), name)
	defer old.Close()
	fi, err := old.Stat()
	switch {
	case err != nil:
		return false, err
	case !fi.Mode().IsRegular() || fi.Size() != source.Size():
		return false, errInTheWay
	case fi.ModTime().Equal(source.ModTime()):
		return true, nil
	}
	same, err := equal(old, io.NewSectionReader(in, 0, source.Size()))
	if err == nil && !same {
		err = errInTheWay
	}
	return same, err
}

func equal(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 1<<17), make([]byte, 1<<17)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		if n != m || !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		ended := err == io.EOF || err == io.ErrUnexpectedEOF
		switch {
		case ended && (err2 == io.EOF || err2 == io.ErrUnexpectedEOF):
			return true, nil
		case err != nil || err2 != nil:
			return false, errors.Join(err, err2)
		}
	}
}

// write makes a file that has no name before it is whole and the account's. It fails
// with EEXIST if something has the name.
func (x *Import) write(dir *os.File, name string, in *os.File, source fs.FileInfo) error {
	at := int(dir.Fd())
	fd, err := unix.Openat(at, ".", unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("make a file without a name (a file system that cannot is not supported): %w", err)
	}
	out := os.NewFile(uintptr(fd), name)
	defer out.Close()
	n, err := io.Copy(out, io.NewSectionReader(in, 0, source.Size()+1))
	if err != nil {
		return err
	}
	after, err := in.Stat()
	if err == nil && (n != source.Size() || after.Size() != n || !after.ModTime().Equal(source.ModTime())) {
		err = errChanging
	}
	if err != nil {
		return err
	}
	if err := errors.Join(out.Chown(x.UID, x.GID), out.Chmod(0o640), setTime(fd, source.ModTime()), out.Sync()); err != nil {
		return err
	}
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), at, name, unix.AT_SYMLINK_FOLLOW)
}

func setTime(fd int, t time.Time) error {
	ts := unix.NsecToTimespec(t.UnixNano())
	return unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), []unix.Timespec{ts, ts}, 0)
}

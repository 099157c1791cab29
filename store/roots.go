package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"picday/internal/fsuid"
)

// ErrNotRoots is returned for a directory or a file that others than root can
// change. What is in a backup becomes log-ins, keys and configuration: a backup is
// as good as root.
var ErrNotRoots = errors.New("others than root could have changed it")

// RootsAlone demands that only root can change what is at a path: it and every
// directory above it are root's, and nobody else may write there. In a sticky
// directory like /tmp others can do nothing to what is root's.
func RootsAlone(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for last := true; ; last = false {
		fi, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if err := rootsAlone(path, fi, last); err != nil {
			return err
		}
		if path == "/" {
			return nil
		}
		path = filepath.Dir(path)
	}
}

func rootsAlone(path string, fi fs.FileInfo, last bool) error {
	uid, mode := fi.Sys().(*syscall.Stat_t).Uid, fi.Mode()
	switch {
	case mode.Type() == fs.ModeSymlink:
		return fmt.Errorf("%s: %w: it is a link: give the place that it leads to", path, ErrNotRoots)
	case uid != 0:
		return fmt.Errorf("%s: %w: it belongs to uid %d. If you know that nobody has: chown root %s", path, ErrNotRoots, uid, path)
	case mode.Perm()&0o022 != 0 && (last || mode&fs.ModeSticky == 0):
		return fmt.Errorf("%s: %w: its mode is %#o. If you know that nobody has: chmod go-w %s", path, ErrNotRoots, mode.Perm(), path)
	}
	return nil
}

// openRoots opens a plain file that only root can change, of at most limit bytes.
func openRoots(path string, limit int64) (*os.File, error) {
	if err := RootsAlone(path); err != nil {
		return nil, err
	}
	f, err := fsuid.Open(path)
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && fi.Size() > limit {
		err = fmt.Errorf("%s: %d bytes are more than picday has ever written there", path, fi.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadRoots reads such a file.
func ReadRoots(path string, limit int64) ([]byte, error) {
	f, err := openRoots(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

package backup

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

// ErrNotRootOwned is returned for a directory or a file that others than root can
// change. A restore makes log-ins, keys and configuration of what is in a backup, so
// that whoever can change a backup can become root.
var ErrNotRootOwned = errors.New("others than root could have changed it")

// CheckRootOwned fails with an ErrNotRootOwned unless only root can change what is at
// a path: it and every directory above it belong to root, and nobody else may write
// there. A directory above may be writable if it is sticky like /tmp, because there
// others cannot rename or delete what is root's. It checks nothing if the process is
// not root's.
func CheckRootOwned(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	for last := true; ; last = false {
		fi, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if err := checkRootOwned(path, fi, last); err != nil {
			return err
		}
		if path == "/" {
			return nil
		}
		path = filepath.Dir(path)
	}
}

func checkRootOwned(path string, fi fs.FileInfo, last bool) error {
	uid, mode := fi.Sys().(*syscall.Stat_t).Uid, fi.Mode()
	switch {
	case mode.Type() == fs.ModeSymlink:
		return fmt.Errorf("%s: %w: it is a link: give the place that it leads to", path, ErrNotRootOwned)
	case uid != 0:
		return fmt.Errorf("%s: %w: it belongs to uid %d. If you know that nobody has: chown root %s", path, ErrNotRootOwned, uid, path)
	case mode.Perm()&0o022 != 0 && (last || mode&fs.ModeSticky == 0):
		return fmt.Errorf("%s: %w: its mode is %#o. If you know that nobody has: chmod go-w %s", path, ErrNotRootOwned, mode.Perm(), path)
	}
	return nil
}

// openRootOwned opens a plain file that only root can change, of at most limit bytes.
func openRootOwned(path string, limit int64) (*os.File, error) {
	if err := CheckRootOwned(path); err != nil {
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

// ReadRootOwned reads a file as openRootOwned opens it.
func ReadRootOwned(path string, limit int64) ([]byte, error) {
	f, err := openRootOwned(path, limit)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrInUse is returned when another process has the lock.
var ErrInUse = errors.New("in use")

// LockDataDir makes sure that one process at a time works on a data directory
// as the daemon does. The kernel lets go of the lock when the process ends,
// however it ends.
func LockDataDir(dataDir string) (unlock func(), err error) {
	unlock, err = lockFile(filepath.Join(dataDir, "picdayd.lock"), 0o640)
	if errors.Is(err, ErrInUse) {
		err = fmt.Errorf("another picdayd is already working on %s: %w", dataDir, err)
	}
	return unlock, err
}

// lockFile locks a file, which it makes if need be for the owner of the
// directory it is in.
func lockFile(name string, mode os.FileMode) (unlock func(), err error) {
	dir, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, mode)
	if err != nil {
		return nil, err
	}
	if err := ownLike(f, dir); err != nil {
		f.Close()
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

// ownLike gives a file, if root made it, to the owner of a directory.
func ownLike(f *os.File, dir os.FileInfo) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st := dir.Sys().(*syscall.Stat_t)
	return f.Chown(int(st.Uid), int(st.Gid))
}

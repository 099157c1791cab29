package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"picday/internal/fsuid"
)

// ErrInUse is returned when another process has the lock.
var ErrInUse = errors.New("in use")

// LockDataDir makes sure that one process at a time works on a data directory
// as the daemon does. The kernel lets go of the lock when the process ends,
// however it ends.
func LockDataDir(dataDir string) (unlock func(), err error) {
	unlock, err = lockFile(filepath.Join(dataDir, "picdayd.lock"))
	if errors.Is(err, ErrInUse) {
		err = fmt.Errorf("another picdayd is already working on %s: %w", dataDir, err)
	}
	return unlock, err
}

// lockFile locks a file, which it makes if need be. It is its owner's alone:
// whoever can open a file at all, also for reading, can hold its lock.
func lockFile(name string) (unlock func(), err error) {
	const mode = 0o600
	var f *os.File
	err = fsuid.In(filepath.Dir(name), func() error {
		f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, mode)
		if err != nil {
			return err
		}
		fi, err := f.Stat()
		switch {
		case err != nil:
		case !fi.Mode().IsRegular():
			err = fmt.Errorf("%s: %w: look who put it there, and remove it", name, fsuid.ErrNotPlain)
		case fi.Mode().Perm() != mode:
			err = f.Chmod(mode)
		}
		if err != nil {
			f.Close()
		}
		return err
	})
	if err != nil {
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

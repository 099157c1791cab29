package fsuid

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked is returned when another process has the lock.
var ErrLocked = errors.New("in use")

// Lock locks a file, which it makes if need be, with its directory's owner's
// rights. The kernel lets go of the lock when the process ends, however it ends.
// The file is its owner's alone: whoever can open a file at all, also for reading,
// can hold its lock.
func Lock(name string) (unlock func(), err error) {
	const mode = 0o600
	var f *os.File
	err = In(filepath.Dir(name), func() error {
		f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, mode)
		if err != nil {
			return err
		}
		fi, err := f.Stat()
		switch {
		case err != nil:
		case !fi.Mode().IsRegular():
			err = fmt.Errorf("%s: %w: look who put it there, and remove it", name, ErrNotPlain)
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
			err = ErrLocked
		}
		return nil, err
	}
	return func() { f.Close() }, nil
}

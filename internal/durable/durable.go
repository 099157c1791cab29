// Package durable owns how picday's own files survive a power cut. A file
// made here is either absent or whole under its final name. Above each
// function stand the system calls it makes, in order.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Temp opens a new temporary file in dir, mode 0600. The caller hands it to
// Commit or Discard.
//
// open(O_CREAT|O_EXCL)
func Temp(dir string) (*os.File, error) {
	return os.CreateTemp(dir, "new-*")
}

// Discard closes and removes a temporary file that was not committed.
func Discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// Commit gives a temporary file its final name and mode, replacing what was
// there. The caller makes the name itself durable with SyncDir, once for many
// files; until then the file may be absent after a power cut, never torn.
//
// fchmod, fsync(file), close, rename
func Commit(f *os.File, name string, mode fs.FileMode) error {
	err := f.Chmod(mode)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("keep %s: %w", name, err)
	}
	return nil
}

// WriteFile makes a small file whole and durable, replacing what was there. The
// temporary file is hidden, so that no wildcard, such as sshd's Include, finds it.
//
// open(O_CREAT|O_EXCL), write, fchmod, fsync(file), close, rename, fsync(dir)
func WriteFile(name string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), tempPrefix(name)+"*")
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		Discard(f)
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := Commit(f, name, mode); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

func tempPrefix(name string) string { return "." + filepath.Base(name) + ".new-" }

// RemoveLeftovers removes the temporary files of calls of WriteFile for this
// name that were killed. Nobody may be writing it meanwhile.
func RemoveLeftovers(name string) error {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix(name)) {
			if err := os.Remove(filepath.Join(filepath.Dir(name), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// Remove removes a file durably; it may be absent already.
//
// unlink, fsync(dir)
func Remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return SyncDir(filepath.Dir(name))
}

// SyncDir makes the names in a directory durable.
//
// open(O_DIRECTORY), fsync, close
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return SyncOpenDir(d)
}

// SyncOpenDir is SyncDir for a directory that is open already. Some file
// systems (9p, a few FUSE ones) cannot sync a directory; they say EINVAL, which
// is no error here because nothing better can be done.
func SyncOpenDir(d *os.File) error {
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("sync directory %s: %w", d.Name(), err)
	}
	return nil
}

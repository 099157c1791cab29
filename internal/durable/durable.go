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

// WriteFile makes a small file whole and durable, replacing what was there.
//
// open(O_CREAT|O_EXCL), write, fchmod, fsync(file), close, rename, fsync(dir)
func WriteFile(name string, data []byte, mode fs.FileMode) error {
	f, err := Temp(filepath.Dir(name))
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

// SyncDir makes the names in a directory durable.
//
// open(O_DIRECTORY), fsync, close
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems (9p, a few FUSE ones) cannot sync a directory; they
	// say EINVAL and have nothing better to offer.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

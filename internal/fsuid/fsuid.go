// Package fsuid lets root work in a directory that is somebody else's with no
// more rights over files than its owner has. Whoever has taken over the daemon
// owns the data directory: he can put a link to any file, a queue or a device
// under every name there, and exchange them between two looks. Then a check of
// names is not enough; without root's rights there is nothing to be won by it.
//
// In a process that is not root's everything here does nothing.
package fsuid

// #cgo CFLAGS: -O2 -Wall
// #include <stdlib.h>
// #include "fsuid.h"
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"
)

// GuardSQLite makes SQLite open, make and delete files in strangers'
// directories with their owners' rights only, and follow none of their links.
// It is for the whole process, once, before the first catalogue is opened.
func GuardSQLite() error {
	if C.picday_guard_sqlite() != 0 {
		return errors.New("this SQLite does not let its system calls be replaced")
	}
	return nil
}

// Stranger tells whether anybody but root can exchange what is in dir, and whose
// it is then.
func Stranger(dir string) (uid, gid int, strange bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return 0, 0, false, err
	}
	name := C.CString(dir)
	defer C.free(unsafe.Pointer(name))
	var u C.uid_t
	var g C.gid_t
	strange = C.picday_stranger(name, &u, &g) != 0
	return int(u), int(g), strange, nil
}

// In runs fn with the rights over files that dir's owner has, if he is a
// stranger. fn stays on its goroutine: another one has another thread.
func In(dir string, fn func() error) error {
	if os.Geteuid() != 0 {
		return fn()
	}
	uid, gid, strange, err := Stranger(dir)
	if err != nil {
		return err
	}
	if !strange {
		return fn()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if n, err := C.picday_become(C.uid_t(uid), C.gid_t(gid)); n != 0 {
		return fmt.Errorf("work as the owner of %s: %w", dir, err)
	}
	defer C.picday_return()
	return fn()
}

// ErrNotPlain is returned by Open for what is no plain file: a link, a
// directory, a queue, a device.
var ErrNotPlain = errors.New("it is no plain file")

// Open opens a plain file for reading, with its directory's owner's rights. It
// never waits for somebody to write into a queue.
func Open(name string) (f *os.File, err error) {
	err = In(filepath.Dir(name), func() error {
		f, err = os.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
		return err
	})
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENXIO) { // a link, a socket
		return nil, &fs.PathError{Op: "open", Path: name, Err: ErrNotPlain}
	}
	if err != nil {
		return nil, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: ErrNotPlain}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

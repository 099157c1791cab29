//go:build linux && amd64

// Package faults makes system calls on files fail, each one once, in each of several ways.
// What fails may be in Go, in C, or in SQLite.
package faults

// #include <stdlib.h>
// #include "faults.h"
import "C"

import (
	"fmt"
	"syscall"
	"unsafe"
)

// A Mode is how a call fails.
type Mode int

// The modes.
const (
	NotDone   Mode = iota // EIO, and nothing was done
	Full                  // ENOSPC: the call would have taken room, and nothing was done
	Undecided             // it was done, and says EIO
	Short                 // a write writes half, and the next one to the file finds the disk full
	Modes
)

func (m Mode) String() string {
	return [...]string{"not done", "disk full", "done, but an error", "half written"}[m]
}

// Start puts all calls of this process on files in the way, for good: those below dir can
// fail from now on.
func Start(dir string) error {
	text := C.CString(dir)
	defer C.free(unsafe.Pointer(text))
	if err := C.picday_faults_start(text); err != 0 {
		return fmt.Errorf("seccomp: %w", syscall.Errno(err))
	}
	return nil
}

// Begin makes the n-th call from now on, from 0, that the mode concerns fail.
func Begin(mode Mode, n int) { C.picday_faults_begin(C.int(mode), C.int(n)) }

// End ends it. It returns how many such calls there were, and the one that failed.
func End() (calls int, failed string) {
	n := C.picday_faults_end()
	return int(n), C.GoString(C.picday_faults_failed())
}

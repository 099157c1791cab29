package store

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"
)

// Unwritable tells whether an error of Open can mean that the disk cannot be written.
// OpenReadOnlyLinks may still work then.
func Unwritable(err error) bool {
	if errors.Is(err, ErrNoRoom) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var e sqlite3.Error // the driver returns it by value
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
		return true
	}
	return false
}

// DiskReadOnly tells whether a directory's file system is mounted read-only for
// everybody, as after an error of the disk, and not only in this process's mount
// namespace.
func DiskReadOnly(dir string) bool {
	var st unix.Statx_t
	if unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_MNT_ID, &st) != nil {
		return false
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		super := strings.Fields(after) // kind, source, options
		if strings.HasPrefix(before, strconv.FormatUint(st.Mnt_id, 10)+" ") && len(super) == 3 {
			options := strings.Split(super[2], ",")
			return slices.Contains(options, "ro") || slices.Contains(options, "emergency_ro") // since Linux 6.13
		}
	}
	return false
}

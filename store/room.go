package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"picday/internal/bytesize"
	"picday/internal/durable"
	"picday/store/pictures"
)

// A Room keeps space for the catalogue on the file system of the data directory: a
// file of the reserve's size, which is deleted when the disk is full. SQLite can
// then still open the catalogue and commit a deletion. On a full disk it cannot
// make its shared memory, and without that it does not even read; if the memory is
// mapped already and the disk has no block for it, the process ends by SIGBUS.
// Whatever adds to the disk waits while less than the reserve is free in addition
// to the file.
type Room struct {
	dir     string
	reserve int64 // bytes

	mu   sync.Mutex
	held bool // the file exists
}

// reserveFile is the name of that file, below the data directory.
const reserveFile = "reserve"

// ErrNoRoom is returned by OpenRoom and Check when the disk is full.
var ErrNoRoom = errors.New("the disk is full")

// leastFree is how many bytes must be free for SQLite to be opened.
const leastFree = 256 << 10

// OpenRoom returns the Room of a data directory; reserve is in bytes. Call it before
// the catalogue is opened. It deletes the file if less than half of the reserve is
// free, and fails with an ErrNoRoom if there is still no space.
func OpenRoom(dataDir string, reserve int64) (*Room, error) {
	r := &Room{dir: dataDir, reserve: reserve}
	fi, err := os.Lstat(r.file())
	r.held = err == nil && fi.Mode().IsRegular()
	free, err := r.free()
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if free < reserve/2 {
		if err := r.giveUp(); err != nil {
			return nil, err
		}
		free, err = r.free()
	}
	if err == nil && free < leastFree {
		err = fmt.Errorf("%w: nothing is left in %s", ErrNoRoom, dataDir)
	}
	return r, err
}

func (r *Room) file() string { return filepath.Join(r.dir, reserveFile) }

// free returns how many bytes the daemon's user may still write.
func (r *Room) free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(r.dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: r.dir, Err: err}
	}
	return int64(min(st.Bavail, 1<<50/uint64(st.Bsize))) * st.Bsize, nil
}

// Check fails with an ErrNoRoom if writing need more bytes would leave less than
// the reserve free.
func (r *Room) Check(need int64) error {
	free, err := r.free()
	if err != nil {
		return err
	}
	r.mu.Lock()
	floor := r.reserve
	if !r.held {
		floor *= 2 // the file is made again first, see Keep
	}
	r.mu.Unlock()
	switch {
	case free < floor:
		return fmt.Errorf("%w: %s are left in %s. Uploads wait there, none is lost; make room, and picdayd goes on by itself once %s are free",
			ErrNoRoom, bytesize.Format(free), r.dir, bytesize.Format(floor))
	case free-need < floor:
		return fmt.Errorf("%w: this upload has %s, and %s are left in %s. It waits; make room", ErrNoRoom, bytesize.Format(need), bytesize.Format(free), r.dir)
	}
	return nil
}

// Keep deletes the file when less than an eighth of the reserve is free, and creates
// it again when there is space for two. Call it regularly.
func (r *Room) Keep() error {
	free, err := r.free()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.held && free < r.reserve/8:
		return r.giveUp()
	case !r.held && free >= 2*r.reserve:
		return r.take()
	}
	return nil
}

// giveUp truncates the file before it deletes it, because on some file systems a
// deletion needs space itself.
func (r *Room) giveUp() error {
	if !r.held {
		return nil
	}
	err := os.Truncate(r.file(), 0)
	if rerr := os.Remove(r.file()); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	} else {
		err, r.held = nil, false
	}
	return err
}

func (r *Room) take() error {
	f, err := pictures.In(r.dir).Temp()
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, r.reserve)
	if errors.Is(err, unix.EOPNOTSUPP) {
		err = fill(f, r.reserve)
	}
	if err != nil {
		durable.Discard(f)
		return fmt.Errorf("reserve: %w", err)
	}
	if err := durable.Commit(f, r.file(), 0o600); err != nil {
		return err
	}
	r.held = true
	return nil
}

func fill(f *os.File, size int64) error {
	for zeros := make([]byte, 1<<20); size > 0; size -= int64(len(zeros)) {
		if _, err := f.Write(zeros); err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"picday/internal/durable"
)

// Room keeps space on the file system of the data directory for the catalogue:
// a file of the reserve's size that is given up when the disk is full, so that
// SQLite can open the catalogue and a deletion be committed all the same. (When
// it cannot make its shared memory SQLite does not even read; and where that is
// mapped and the disk has no block for it, the process ends by SIGBUS.) What
// only adds to the disk waits while less than the reserve is free besides.
type Room struct {
	dir     string
	reserve int64 // bytes

	mu   sync.Mutex
	held bool // the file is there
}

// reserveFile is the file that is given up, below the data directory.
const reserveFile = "reserve"

// ErrNoRoom wraps what Check says.
var ErrNoRoom = errors.New("the disk is full")

// leastFree is what SQLite is never opened with less than.
const leastFree = 256 << 10

// MakeRoom is called before the catalogue is opened. When less than half of
// the reserve is free it gives up the file; when still nothing is, the error is an
// ErrNoRoom.
func MakeRoom(dataDir string, reserve int64) (*Room, error) {
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

// free is how many bytes the daemon's user may still write.
func (r *Room) free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(r.dir, &st); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: r.dir, Err: err}
	}
	return int64(min(st.Bavail, 1<<50/uint64(st.Bsize))) * st.Bsize, nil
}

// Check tells, with an ErrNoRoom, that need bytes more would leave less than
// the reserve.
func (r *Room) Check(need int64) error {
	free, err := r.free()
	if err != nil {
		return err
	}
	r.mu.Lock()
	floor := r.reserve
	if !r.held {
		floor *= 2 // it comes first
	}
	r.mu.Unlock()
	switch {
	case free < floor:
		return fmt.Errorf("%w: %s are left in %s. Uploads wait there, none is lost; make room, and picdayd goes on by itself once %s are free",
			ErrNoRoom, megabytes(free), r.dir, megabytes(floor))
	case free-need < floor:
		return fmt.Errorf("%w: this upload has %s, and %s are left in %s. It waits; make room", ErrNoRoom, megabytes(need), megabytes(free), r.dir)
	}
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

// Keep gives the file up when hardly anything is left, and makes it again when
// there is room for it twice.
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

// giveUp cuts the file off before it removes it: on some file systems the
// removal alone needs space, and so frees none.
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
	f, err := durable.Temp(filepath.Join(r.dir, tempDir))
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

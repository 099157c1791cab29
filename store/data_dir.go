package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/durable"
	"picday/internal/fsuid"
	"picday/store/pictures"
)

// ErrInUse is returned when another process has the lock.
var ErrInUse = errors.New("in use")

// LockDataDir takes the lock of a data directory, which the daemon and every command that
// does the daemon's work must hold. It returns an ErrInUse if another process has it. The
// kernel releases the lock when the process ends.
func LockDataDir(dataDir string) (unlock func(), err error) {
	unlock, err = fsuid.Lock(filepath.Join(dataDir, "picdayd.lock"))
	if errors.Is(err, fsuid.ErrLocked) {
		err = fmt.Errorf("another picdayd is already working on %s: %w", dataDir, ErrInUse)
	}
	return unlock, err
}

// ErrReplaced means that a path no longer leads to the file that the daemon has open.
var ErrReplaced = errors.New("not what picdayd has open")

// An OpenedDir holds the data directory open, to find out whether its path still leads to
// it. If its file system is unmounted, or the directory deleted, the daemon can still
// write to the files that it has open, but nobody else sees them, and they are lost when
// it ends.
type OpenedDir struct {
	dir   string
	names []string // relative to dir
	fds   []int    // of names, in the same order
}

// aliveFile is the file in the data directory that WriteAliveFile writes.
const aliveFile = "alive"

// OpenedDir opens the data directory, the directories of pictures and the catalogue.
func (s *Store) OpenedDir() (*OpenedDir, error) {
	a := &OpenedDir{dir: s.dir}
	for _, name := range append([]string{".", CatalogueFile}, pictures.Dirs...) {
		path := filepath.Join(s.dir, name)
		fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			a.Close()
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		a.names, a.fds = append(a.names, name), append(a.fds, fd)
	}
	return a, nil
}

// Close closes the descriptors.
func (a *OpenedDir) Close() {
	for _, fd := range a.fds {
		_ = unix.Close(fd)
	}
}

// Check returns an ErrReplaced if one of the paths is gone or leads to another file. It
// compares mount IDs too, because the next file system that is mounted can get the same
// device number.
func (a *OpenedDir) Check() error {
	for i, name := range a.names {
		path := filepath.Join(a.dir, name)
		var is, was unix.Statx_t
		const mask = unix.STATX_INO | unix.STATX_MNT_ID
		err := unix.Statx(unix.AT_FDCWD, path, 0, mask, &is)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return fmt.Errorf("%s is %w: nothing is there any more", path, ErrReplaced)
		}
		if err == nil {
			err = unix.Statx(a.fds[i], "", unix.AT_EMPTY_PATH, mask, &was)
		}
		if err != nil {
			return &os.PathError{Op: "statx", Path: path, Err: err}
		}
		if is.Ino != was.Ino || is.Dev_major != was.Dev_major || is.Dev_minor != was.Dev_minor || is.Mnt_id != was.Mnt_id {
			return fmt.Errorf("%s is %w: it was unmounted, mounted over or replaced", path, ErrReplaced)
		}
	}
	return nil
}

// WriteAliveFile writes and syncs a small file, to find out whether the disk works.
func (a *OpenedDir) WriteAliveFile() error {
	return durable.WriteFile(filepath.Join(a.dir, aliveFile), []byte(time.Now().UTC().Format(time.RFC3339Nano)+"\n"), 0o640)
}

// WriteAliveRow writes a row, so that its commit proves that the catalogue can be written.
func (tx *Tx) WriteAliveRow() error {
	_, err := tx.exec(`INSERT INTO meta VALUES ('alive', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
		strconv.FormatInt(millis(tx.now), 10))
	return err
}

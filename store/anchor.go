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
)

// ErrReplaced: what a daemon has open is not what is at its path.
var ErrReplaced = errors.New("not what picdayd has open")

// An Anchor remembers what the data directory was when it was opened. A file
// system that is unmounted while a daemon has files in it open lives on for that
// daemon alone, with another in its place for everybody else; and a directory
// that is deleted can be written to no less.
type Anchor struct {
	dir   string
	names []string // below dir
	fds   []int
}

// aliveFile, below the data directory, is written in each proof of life.
const aliveFile = "alive"

// Anchor takes hold of the data directory, of what is in it and of the
// catalogue, which the store has open.
func (s *Store) Anchor() (*Anchor, error) {
	a := &Anchor{dir: s.dir}
	for _, name := range []string{".", CatalogueFile, originalsDir, renditionsDir, tempDir} {
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

// Close lets go.
func (a *Anchor) Close() {
	for _, fd := range a.fds {
		_ = unix.Close(fd)
	}
}

// Check tells, with an ErrReplaced, what is not there any more or another one.
// The mount is compared too: a device number goes to the next that is mounted.
func (a *Anchor) Check() error {
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

// ProveDisk writes a small file that is on the disk when it returns.
func (a *Anchor) ProveDisk() error {
	return durable.WriteFile(filepath.Join(a.dir, aliveFile), []byte(time.Now().UTC().Format(time.RFC3339Nano)+"\n"), 0o640)
}

// Prove writes a row; it is proven once the transaction is committed.
func (tx *Tx) Prove() error {
	_, err := tx.Exec(`INSERT INTO meta VALUES ('alive', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
		strconv.FormatInt(millis(tx.now), 10))
	return err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"
	"golang.org/x/sys/unix"
)

// Unwritable tells whether err, of Open, may mean that the disk takes nothing: then
// what is published can perhaps still be shown, see OpenStill.
func Unwritable(err error) bool {
	if errors.Is(err, ErrNoRoom) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return true
	}
	var e sqlite3.Error // by value: that is how this driver returns it
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrCantOpen, sqlite3.ErrReadonly:
		return true
	}
	return false
}

// DiskReadOnly tells whether the file system itself of a directory is read-only, as
// after an error: not only this process's view of it.
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

// A Still tells what links show in a catalogue in which nobody can commit.
type Still struct {
	dir, dflt string
	db        *sql.DB
	look      *sql.Stmt
}

// OpenStill opens the catalogue to look up links, on a disk that has no room for
// SQLite's shared memory: with an exclusive lock it keeps its index of the WAL in
// its own memory. So every commit is seen that there ever was, a withdrawal too;
// until Close the catalogue is locked for everybody else. On a disk that is
// read-only there is nobody else: what was left there is read as it is.
func OpenStill(ctx context.Context, dataDir, dflt string) (*Still, error) {
	name := filepath.Join(dataDir, CatalogueFile)
	if _, err := os.Stat(name); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	q := url.Values{"mode": {"rw"}, "_locking_mode": {"EXCLUSIVE"}, "_query_only": {"true"}, "_busy_timeout": {"1000"}}
	if DiskReadOnly(dataDir) {
		q = url.Values{"mode": {"ro"}}
		if fi, err := os.Stat(name + "-wal"); errors.Is(err, fs.ErrNotExist) || err == nil && fi.Size() == 0 {
			q.Set("immutable", "1") // all is in the file itself
		}
	}
	db, err := openFile(name, q)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // a second one would wait for the first's lock
	s := &Still{dir: dataDir, dflt: dflt, db: db}
	if s.look, err = db.PrepareContext(ctx, published); err == nil {
		if _, err = s.Published("", ""); errors.Is(err, ErrNotFound) {
			return s, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("catalogue %s: %w", name, err), db.Close())
}

// Close lets go of the catalogue.
func (s *Still) Close() error { return s.db.Close() }

// Published is as that of Links.
func (s *Still) Published(link, rendition string) (Published, error) {
	dflt := rendition == ""
	if dflt {
		rendition = s.dflt
	}
	name, p, err := lookUp(s.look, link, rendition, dflt)
	p.File = filepath.Join(s.dir, name)
	return p, err
}

// lookUp asks the statement published. The file is relative to the data directory.
func lookUp(look *sql.Stmt, link, rendition string, dflt bool) (name string, p Published, err error) {
	var sha, hash []byte
	var spec RenditionSpec
	var bytes, at int64
	err = look.QueryRow(link, rendition, dflt).Scan(&sha, &spec.Name, &spec.Longest, &spec.Quality, &bytes, &hash, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return "", p, ErrNotFound
	}
	if err != nil {
		return "", p, fmt.Errorf("catalogue: %w", err)
	}
	return renditionName(asSHA(sha), spec), Published{Bytes: bytes, Hash: asSHA(hash), At: fromMillis(at)}, nil
}

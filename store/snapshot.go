package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"picday/internal/durable"
	"picday/internal/fsuid"
)

// Snapshot writes the catalogue, as it is at one moment, to a new file. Others
// read and write meanwhile.
func (s *Store) Snapshot(ctx context.Context, file string) error {
	if _, err := s.read.ExecContext(ctx, `VACUUM INTO ?`, file); err != nil {
		var e sqlite3.Error
		if errors.As(err, &e) && e.Code == sqlite3.ErrFull {
			err = syscall.ENOSPC
		}
		return fmt.Errorf("copy the catalogue to %s: %w", file, err)
	}
	return syncFile(file)
}

// syncFile makes a file's content durable, for its owner only.
func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Chmod(0o600); err != nil {
		return err
	}
	return f.Sync()
}

// OpenSnapshot opens a catalogue that nobody changes, for reading. dir holds
// its originals and renditions. Nothing is written beside it, so it may lie
// on a medium that cannot be written.
func OpenSnapshot(ctx context.Context, file, dir string) (*Store, error) {
	db, err := openFile(file, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, read: db, write: db, pins: map[SHA]int{}}
	if err = checkSchema(ctx, db); err == nil {
		err = s.QuickCheck(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("catalogue %s: %w", file, err)
	}
	return s, nil
}

// guarded lets root's SQLite meet what a stranger has put into the data directory.
var guarded = sync.OnceValue(fsuid.GuardSQLite)

func openFile(file string, q url.Values) (*sql.DB, error) {
	if err := guarded(); err != nil {
		return nil, err
	}
	return sql.Open(driverName, (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: q.Encode()}).String())
}

// forgetRenditions takes lost renditions out of a snapshot, so that they are
// made anew wherever it is restored.
func forgetRenditions(ctx context.Context, file string, lost []PictureFile) (err error) {
	db, err := openFile(file, url.Values{"mode": {"rw"}, "_synchronous": {"FULL"}})
	if err != nil {
		return err
	}
	defer db.Close()
	for _, f := range lost {
		if f.Original() {
			continue
		}
		if _, err := db.ExecContext(ctx, `DELETE FROM rendition WHERE sha256 = ? AND name = ?`, f.Picture[:], f.Rendition.Name); err != nil {
			return err
		}
	}
	return nil
}

// SchemaVersion is the version of the catalogue's schema.
func (s *Store) SchemaVersion(ctx context.Context) (int, error) { return userVersion(ctx, s.read) }

// errVanished: what was to be copied is not there.
var errVanished = errors.New("it is not there")

// keepCopy copies a file to a name that appears only once the copy is whole
// and durable, and is what the catalogue says. The caller syncs the directory.
func keepCopy(ctx context.Context, from, tempDir, to string, want PictureFile, mode fs.FileMode) error {
	in, err := fsuid.Open(from)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errVanished
	case errors.Is(err, fsuid.ErrNotPlain):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return err
	}
	defer in.Close()
	var out *os.File
	if err := fsuid.In(tempDir, func() (err error) {
		out, err = durable.Temp(tempDir)
		return err
	}); err != nil {
		return err
	}
	err = copyExactly(ctx, out, in, want)
	return fsuid.In(tempDir, func() error {
		if err != nil {
			durable.Discard(out)
			return err
		}
		return durable.Commit(out, to, mode)
	})
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"picday/internal/fsuid"
	"picday/store/pictures"
)

// Snapshot writes a consistent copy of the catalogue to a new file that only its owner
// can read. It blocks no other reader or writer.
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

// syncFile makes a file readable for its owner only, and durable.
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

// OpenSnapshot opens a catalogue that does not change, for reading only. dir holds its
// originals and renditions. SQLite creates no file next to it, so that it may be on a
// read-only medium.
func OpenSnapshot(ctx context.Context, file, dir string) (*Store, error) {
	db, err := openFile(file, url.Values{"mode": {"ro"}, "immutable": {"1"}})
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, read: db, write: db, files: pictures.Private(dir), held: map[SHA]int{}}
	if err = checkSchema(ctx, db); err == nil {
		err = s.QuickCheck(ctx)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("catalogue %s: %w", file, err)
	}
	return s, nil
}

// guarded makes SQLite access files with the rights of the data directory's owner when
// this process runs as root.
var guarded = sync.OnceValue(fsuid.GuardSQLite)

func openFile(file string, q url.Values) (*sql.DB, error) {
	if err := guarded(); err != nil {
		return nil, err
	}
	return sql.Open(driverName, (&url.URL{Scheme: "file", OmitHost: true, Path: file, RawQuery: q.Encode()}).String())
}

// ForgetInSnapshot is [Tx.ForgetRenditions] for a snapshot: the renditions are made
// again on the machine where it is restored.
func ForgetInSnapshot(ctx context.Context, file string, lost []pictures.File) error {
	db, err := openFile(file, url.Values{"mode": {"rw"}, "_synchronous": {"FULL"}})
	if err != nil {
		return err
	}
	defer db.Close()
	return forgetRenditions(ctx, db, lost)
}

// NewestSchema returns the newest schema version that this program knows.
func NewestSchema() (int, error) {
	steps, err := migrations(sqlFiles)
	return newestOf(steps), err
}

// SchemaVersion returns the version of the catalogue's schema.
func (s *Store) SchemaVersion(ctx context.Context) (int, error) { return userVersion(ctx, s.read) }

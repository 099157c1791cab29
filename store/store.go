// Package store owns the catalogue: all SQL of picday is here, and the rules by
// which photos are published, withdrawn and ended. The files that the catalogue
// points to are kept by store/pictures.
//
// A transaction is durable as a whole or has no effect. A photo's files are durable
// before its row is committed. The daemon and root's tool can use the catalogue at the
// same time.
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
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"picday/internal/fsuid"
	"picday/store/pictures"
)

// ErrNotFound is returned for an account, job or photo that is not there.
var ErrNotFound = errors.New("not found")

// ErrNoCatalogue is returned by Open when the data directory has none yet.
var ErrNoCatalogue = errors.New("there is no catalogue yet: run 'picday init'")

// ErrReadOnly is returned by Update to a process that may only read.
var ErrReadOnly = errors.New("the catalogue cannot be written")

// A Store is an open catalogue. It is safe for concurrent use.
type Store struct {
	dir   string
	write *sql.DB // one connection, because SQLite has one writer and waits for it by polling
	read  *sql.DB
	key   []byte // the link key; nil if this process may not read it
	// schema is SQLite's number of the schema that was found to be ours; see recheckSchema.
	schema atomic.Int64

	files *pictures.Files

	heldMu sync.Mutex // held while the files of a picture are deleted
	held   map[SHA]int

	walMu sync.Mutex
	wal   WAL
}

// CatalogueFile is the catalogue's name below the data directory.
const CatalogueFile = "catalogue.sqlite"

// Open opens an existing catalogue and brings its schema up to date.
func Open(ctx context.Context, dataDir string) (*Store, error) { return open(ctx, dataDir, mustExist) }

func open(ctx context.Context, dataDir string, after int64) (*Store, error) {
	name := filepath.Join(dataDir, CatalogueFile)
	switch fi, err := os.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: %w", dataDir, ErrNoCatalogue)
	case err != nil:
		return nil, fmt.Errorf("catalogue: %w", err)
	case !fi.Mode().IsRegular():
		return nil, fmt.Errorf("catalogue %s: %w: look who put it there; picday restore DIR puts a backup back", name, fsuid.ErrNotPlain)
	}
	s := &Store{dir: dataDir, files: pictures.In(dataDir), held: map[SHA]int{}}
	var err error
	if s.key, err = readLinkKey(dataDir); err != nil {
		return nil, err
	}
	if s.write, err = connect(name, "rwc", "immediate"); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = connect(name, "rw", "deferred"); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	s.read.SetMaxOpenConns(4)
	if err := migrate(ctx, s.write, sqlFiles, after); err != nil {
		// The driver returns the error by value.
		var e sqlite3.Error
		if errors.As(err, &e) && (e.Code == sqlite3.ErrReadonly || e.Code == sqlite3.ErrCantOpen) {
			// A reader needs SQLite's -shm file, and can create it only with write permission.
			err = fmt.Errorf("%w: while picdayd does not run, only root and picday can open it (%w)", err, fs.ErrPermission)
		}
		return nil, errors.Join(fmt.Errorf("catalogue %s: %w", name, err), s.Close())
	}
	if os.Geteuid() == 0 { // see recheckSchema
		if err := checkSchema(ctx, s.read); err != nil {
			return nil, errors.Join(fmt.Errorf("catalogue %s: %w", name, err), s.Close())
		}
	}
	return s, nil
}

// connect opens a pool. The pragmas are part of the data source name, so that every
// connection of the pool has them.
func connect(name, mode, lock string) (*sql.DB, error) {
	q := url.Values{
		"mode":          {mode},
		"_txlock":       {lock}, // "immediate" takes the write lock at the start, so that no transaction fails with BUSY in the middle
		"_busy_timeout": {"20000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"}, // in WAL mode: every commit is on disk when it returns
		"_foreign_keys": {"on"},
		// Cache prepared statements, because compiling the statements of one
		// photo, with their triggers, takes longer than running them. SQLite
		// compiles a statement again for each value of a parameter that an order
		// or a join depends on; the statements of a photo write "= +?", which
		// prevents that.
		"_stmt_cache_size": {"64"},
	}
	if lock == "immediate" {
		// 16 MiB (negative values are KiB) hold the upper levels of every index
		// of a million photos.
		q["_cache_size"] = []string{"-16384"}
	}
	return openFile(name, q)
}

// DataDir returns the data directory.
func (s *Store) DataDir() string { return s.dir }

// Files returns the store of originals and renditions.
func (s *Store) Files() *pictures.Files { return s.files }

// Close closes all connections.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// A Tx is a write transaction on the catalogue, see Update.
type Tx struct {
	t       *sql.Tx
	ctx     context.Context // of Update; its end interrupts a running statement
	s       *Store
	now     time.Time
	changed int64 // see stamp
	budget  Budget
}

func (tx *Tx) exec(query string, args ...any) (sql.Result, error) {
	return tx.t.ExecContext(tx.ctx, query, args...)
}

func (tx *Tx) queryRow(query string, args ...any) *sql.Row {
	return tx.t.QueryRowContext(tx.ctx, query, args...)
}

// execCount runs a statement and returns how many rows it changed.
func (tx *Tx) execCount(query string, args ...any) (int64, error) {
	res, err := tx.exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// execOne runs a statement that must change exactly one row; otherwise it returns
// ErrNotFound.
func (tx *Tx) execOne(query string, args ...any) error {
	res, err := tx.exec(query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, ErrNotFound)
	}
	return nil
}

// Update runs fn in one durable transaction; an error of fn rolls it back.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	t, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	tx := &Tx{t: t, ctx: ctx, s: s, now: time.Now()}
	if err = tx.recheckSchema(); err == nil {
		err = fn(tx)
	}
	if err != nil {
		var e sqlite3.Error // the driver returns it by value
		if errors.As(err, &e) && e.Code == sqlite3.ErrReadonly {
			err = fmt.Errorf("%w: %w", ErrReadOnly, err)
		}
		return errors.Join(err, t.Rollback())
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("catalogue: commit: %w", err)
	}
	return nil
}

// letOthersWrite pauses between many transactions in a row. SQLite has no queue of
// writers: another process polls every 100 ms for the write lock, and fails after 20 s
// if the lock is hardly ever free.
func letOthersWrite(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(50 * time.Millisecond):
		return nil
	}
}

// QuickCheck runs SQLite's quick_check on the catalogue.
func (s *Store) QuickCheck(ctx context.Context) error {
	var verdict string
	if err := s.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New(verdict)
	}
	return nil
}

func millis(t time.Time) int64 { return t.UnixMilli() }

// fromMillis converts a time from a row. JSON has four digits for the year, so a time
// out of range becomes the nearest valid one; a whole list must not fail for one row.
func fromMillis(ms int64) time.Time {
	return time.UnixMilli(max(earliest, min(ms, latest))).UTC()
}

// LatestTime is the latest time that a row can have.
var LatestTime = time.UnixMilli(latest).UTC()

var (
	earliest = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli() // the year 1 in every zone
	latest   = time.Date(9998, 12, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
)

func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

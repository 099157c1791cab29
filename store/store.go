// Package store owns the catalogue (all SQL of picday is here) and the files
// it points to: originals and renditions below the data directory. It knows
// the nouns, not how they come to be.
//
// It promises that a transaction either happened, durably, or did not; that a
// file a photo points to is on disk before the photo is; and that the
// catalogue can be used by the daemon and by root's tool at the same time.
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
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"picday/internal/fsuid"
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
	write *sql.DB // one connection: SQLite has one writer, queueing is cheaper here than there
	read  *sql.DB
	key   []byte // makes links; nil if this process may not read it
	// schema is SQLite's number of the schema that was found to be ours; see stillOurs.
	schema atomic.Int64

	// pins are the pictures that some worker is about to point to. Collect
	// leaves them alone. Held while files are deleted.
	pinMu sync.Mutex
	pins  map[SHA]int

	walMu sync.Mutex
	wal   WAL
}

// CatalogueFile is the catalogue's name below the data directory.
const CatalogueFile = "catalogue.sqlite"

// Create makes what is missing in dataDir (the catalogue, the link key, the
// directories) and opens it. Everything made belongs to the owner of dataDir,
// so that root can do it for the daemon.
func Create(ctx context.Context, dataDir string) (s *Store, made []string, err error) {
	if _, err := os.Stat(dataDir); err != nil {
		return nil, nil, fmt.Errorf("data directory: %w", err)
	}
	var newKey bool
	err = fsuid.In(dataDir, func() error {
		made, newKey, err = layOut(dataDir)
		return err
	})
	if err != nil {
		return nil, made, err
	}
	after := int64(0)
	if !newKey {
		after = unused(time.Now())
	}
	s, err = open(ctx, dataDir, after)
	return s, made, err
}

// Open opens an existing catalogue and brings its schema up to date.
func Open(ctx context.Context, dataDir string) (*Store, error) { return open(ctx, dataDir, mustBe) }

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
	s := &Store{dir: dataDir, pins: map[SHA]int{}}
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
		// By value: that is how this driver returns it.
		var e sqlite3.Error
		if errors.As(err, &e) && (e.Code == sqlite3.ErrReadonly || e.Code == sqlite3.ErrCantOpen) {
			// Readers need SQLite's -shm file, which they can make only if they may write.
			err = fmt.Errorf("%w: while picdayd does not run, only root and picday can open it (%w)", err, fs.ErrPermission)
		}
		return nil, errors.Join(fmt.Errorf("catalogue %s: %w", name, err), s.Close())
	}
	if os.Geteuid() == 0 { // see stillOurs
		if err := checkSchema(ctx, s.read); err != nil {
			return nil, errors.Join(fmt.Errorf("catalogue %s: %w", name, err), s.Close())
		}
	}
	return s, nil
}

// connect opens a pool. The pragmas are in the name so that every connection
// of the pool has them.
func connect(name, mode, lock string) (*sql.DB, error) {
	q := url.Values{
		"mode":          {mode},
		"_txlock":       {lock}, // immediate: a transaction that will write says so first, so it never fails half-way with BUSY
		"_busy_timeout": {"20000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"}, // in WAL mode: every commit is on disk when it returns
		"_foreign_keys": {"on"},
		// Compiling the statements of one photo, with their triggers, takes
		// longer than running them. A statement with an order or a join that
		// compares a column with a bare parameter is compiled each time all the
		// same, because SQLite guesses from the value how many rows there are;
		// those of a photo say "= +?", which it does not look behind.
		"_stmt_cache_size": {"64"},
	}
	if lock == "immediate" {
		// In KiB: so that the writer keeps the upper levels of every index, also
		// of a million photos.
		q["_cache_size"] = []string{"-16384"}
	}
	return openFile(name, q)
}

// Close ends all connections.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// A Tx is one transaction on the catalogue.
type Tx struct {
	*sql.Tx
	ctx     context.Context // Update's: ends also a statement that runs
	s       *Store
	now     time.Time
	changed int64 // see stamp
	budget  Budget
}

// stamp is what changed_at becomes for every photo that this transaction
// changes: above all that were committed before.
func (tx *Tx) stamp() (int64, error) {
	if tx.changed != 0 {
		return tx.changed, nil
	}
	var last int64
	if err := tx.QueryRow(`SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'changed'`).Scan(&last); err != nil {
		return 0, err
	}
	stamp := max(millis(tx.now), last+1)
	if err := tx.change(`UPDATE meta SET value = ? WHERE key = 'changed'`, strconv.FormatInt(stamp, 10)); err != nil {
		return 0, err
	}
	tx.changed = stamp
	return stamp, nil
}

// Update runs fn in one durable transaction; an error from fn undoes it.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	t, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("catalogue: %w", err)
	}
	tx := &Tx{Tx: t, ctx: ctx, s: s, now: time.Now()}
	if err = tx.stillOurs(); err == nil {
		err = fn(tx)
	}
	if err != nil {
		var e sqlite3.Error // by value: that is how this driver returns it
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

// Version changes whenever another process has changed the catalogue. It
// costs one read of shared memory, so it may be asked every second.
func (s *Store) Version(ctx context.Context) (v int64, err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	err = conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v)
	return v, err
}

// QuickCheck asks SQLite whether the file is sound.
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

// fromMillis is a time of the catalogue. JSON has four digits for the year: a
// row that says another one is shown with the nearest year that can be shown,
// so that it does not hide the rows around it.
func fromMillis(ms int64) time.Time {
	return time.UnixMilli(max(earliest, min(ms, latest))).UTC()
}

// LatestTime is the end of the times that a row can have.
var LatestTime = time.UnixMilli(latest).UTC()

var (
	earliest = time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli() // the year 1 in every zone
	latest   = time.Date(9998, 12, 30, 0, 0, 0, 0, time.UTC).UnixMilli()
)

func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

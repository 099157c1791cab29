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

	"picday/internal/rendition"
	"picday/store/pictures"
)

// ReadOnlyLinks looks up links in a catalogue in which no process can commit.
type ReadOnlyLinks struct {
	dflt string
	db   *sql.DB
	look *sql.Stmt
}

// OpenReadOnlyLinks opens the catalogue to look up links, on a disk that has no space
// for SQLite's shared memory. With an exclusive lock SQLite keeps its index of the
// WAL in its own memory, and so sees every commit, also the last withdrawal. The
// catalogue is locked for everybody else until Close. On a read-only disk nobody
// can write, and the files are read without a lock.
func OpenReadOnlyLinks(ctx context.Context, dataDir, dflt string) (*ReadOnlyLinks, error) {
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
	l := &ReadOnlyLinks{dflt: dflt, db: db}
	if l.look, err = db.PrepareContext(ctx, published); err == nil {
		if _, err = l.Published("", ""); errors.Is(err, ErrNotFound) {
			return l, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("catalogue %s: %w", name, err), db.Close())
}

// Close closes and unlocks the catalogue.
func (l *ReadOnlyLinks) Close() error { return l.db.Close() }

// Published is like [Links.Published].
func (l *ReadOnlyLinks) Published(link, rendition string) (Published, error) {
	dflt := rendition == ""
	if dflt {
		rendition = l.dflt
	}
	return lookUp(l.look, link, rendition, dflt)
}

// lookUp runs the statement published.
func lookUp(look *sql.Stmt, link, size string, dflt bool) (p Published, err error) {
	var sha, hash []byte
	var spec rendition.Spec
	var bytes, at int64
	err = look.QueryRow(link, size, dflt).Scan(&sha, &spec.Name, &spec.Longest, &spec.Quality, &bytes, &hash, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNotFound
	}
	if err != nil {
		return p, fmt.Errorf("catalogue: %w", err)
	}
	return Published{Name: pictures.Rendition(asSHA(sha), spec), Bytes: bytes, Hash: asSHA(hash), At: fromMillis(at)}, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mattn/go-sqlite3"
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

// A Still tells what links show in a catalogue in which nobody can commit.
type Still struct {
	dir, dflt string
	db        *sql.DB
	look      *sql.Stmt
}

// OpenStill opens the catalogue to look up links, on a disk that has no room for
// SQLite's shared memory: with an exclusive lock it keeps its index of the WAL in
// its own memory. So every commit is seen that there ever was, a withdrawal too;
// until Close the catalogue is locked for everybody else.
func OpenStill(ctx context.Context, dataDir, dflt string) (*Still, error) {
	name := filepath.Join(dataDir, CatalogueFile)
	if _, err := os.Stat(name); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	db, err := openFile(name, url.Values{
		"mode": {"rw"}, "_locking_mode": {"EXCLUSIVE"}, "_query_only": {"true"}, "_busy_timeout": {"1000"},
	})
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

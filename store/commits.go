package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
)

// Commits tells whether any process has committed something to the catalogue, this one
// included. It has a connection of its own, because SQLite does not count what the asking
// connection commits itself. It is for one goroutine at a time.
type Commits struct {
	db *sql.DB
	dataVersion
}

// OpenCommits opens the connection.
func (s *Store) OpenCommits(ctx context.Context) (*Commits, error) {
	db, err := connect(filepath.Join(s.dir, CatalogueFile), "rw", "deferred")
	if err != nil {
		return nil, err
	}
	c := &Commits{db: db}
	if c.dataVersion, err = newDataVersion(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("catalogue: %w", err), db.Close())
	}
	return c, nil
}

// Version returns a number that differs from the last one if something was committed in
// between. It costs less than a microsecond.
func (c *Commits) Version() (int64, error) {
	version, err := c.ask()
	if err != nil {
		err = fmt.Errorf("catalogue: %w", err)
	}
	return version, err
}

// Close closes the connection.
func (c *Commits) Close() error { return errors.Join(c.dataVersion.close(), c.db.Close()) }

// A dataVersion asks one connection, which never writes, for the version of the data.
type dataVersion struct {
	conn *sql.Conn
	stmt driver.Stmt
}

func newDataVersion(ctx context.Context, db *sql.DB) (d dataVersion, err error) {
	if d.conn, err = db.Conn(ctx); err != nil {
		return d, err
	}
	err = d.conn.Raw(func(c any) (err error) {
		d.stmt, err = c.(driver.Conn).Prepare("PRAGMA data_version")
		return err
	})
	if err != nil {
		err = errors.Join(err, d.conn.Close())
	}
	return d, err
}

// ask bypasses database/sql, which takes three times as long.
func (d dataVersion) ask() (version int64, err error) {
	err = d.conn.Raw(func(any) error {
		//lint:ignore SA1019 the one with a context starts a goroutine each time
		rows, err := d.stmt.Query(nil)
		if err != nil {
			return err
		}
		defer rows.Close()
		var dest [1]driver.Value
		if err := rows.Next(dest[:]); err != nil {
			return err
		}
		version, _ = dest[0].(int64)
		return nil
	})
	return version, err
}

func (d dataVersion) close() error { return errors.Join(d.stmt.Close(), d.conn.Close()) }

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// driverName is SQLite as we want it: a schema that is not ours calls no function
// with side effects, and a page that was tampered with is noticed when it is read.
// Tests put another one in, which writes down every statement.
var driverName = "picday-sqlite3"

func init() {
	sql.Register(driverName, &sqlite3.SQLiteDriver{ConnectHook: eachConnection})
}

func eachConnection(c *sqlite3.SQLiteConn) error {
	_, err := c.Exec(fmt.Sprintf(`PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = %d`, walLimit), nil)
	return err
}

// ErrForeignSchema is returned for a catalogue in which somebody has put tables,
// views or triggers of his own: what we write could set off what he wants.
var ErrForeignSchema = errors.New("this is not the schema of a picday catalogue")

// ours is what sqlite_schema holds in a catalogue that this program has made.
var ours = sync.OnceValues(func() ([]schemaRow, error) {
	schema, err := sqlFiles.ReadFile("sql/schema.sql")
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(driverName, ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // every connection has a memory of its own
	if _, err := db.Exec(string(schema)); err != nil {
		return nil, err
	}
	return schemaOf(context.Background(), db)
})

type schemaRow struct{ kind, name, table, text string }

func schemaOf(ctx context.Context, q querier) ([]schemaRow, error) {
	return collect(ctx, q, func(r *sql.Rows) (v schemaRow, err error) {
		return v, r.Scan(&v.kind, &v.name, &v.table, &v.text)
	}, `SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name LIMIT 1000`)
}

// checkSchema compares a catalogue's schema with ours, to the letter. Whoever writes
// the first migration keeps the schema that it begins with, for older backups.
func checkSchema(ctx context.Context, q querier) error {
	want, err := ours()
	if err != nil {
		return err
	}
	have, err := schemaOf(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForeignSchema, err)
	}
	for _, v := range have {
		if !slices.Contains(want, v) {
			return fmt.Errorf("%w: nobody but picday is to write in it, and the %s %q is not picday's: restore it from a backup", ErrForeignSchema, v.kind, v.name)
		}
	}
	for _, v := range want {
		if !slices.Contains(have, v) {
			return fmt.Errorf("%w: the %s %q is missing: restore it from a backup", ErrForeignSchema, v.kind, v.name)
		}
	}
	return nil
}

// stillOurs looks, at the beginning of a transaction that root writes in, whether
// the schema has been changed since it was compared. Nobody can change it until
// the transaction ends. Only root: what a schema can do to picdayd's user, who
// owns the file, he can do himself.
func (tx *Tx) stillOurs() error {
	if os.Geteuid() != 0 {
		return nil
	}
	var v int64
	if err := tx.QueryRow(`PRAGMA schema_version`).Scan(&v); err != nil || v == tx.s.schema.Load() {
		return err
	}
	if err := checkSchema(context.Background(), tx); err != nil {
		return err
	}
	tx.s.schema.Store(v)
	return nil
}

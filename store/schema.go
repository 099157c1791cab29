package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/mattn/go-sqlite3"
)

// driverName is the SQLite driver with picday's settings: a foreign schema cannot call
// functions with side effects, and a corrupt page is noticed when it is read. Tests
// replace it by a driver that records every statement.
var driverName = "picday-sqlite3"

func init() {
	sql.Register(driverName, &sqlite3.SQLiteDriver{ConnectHook: eachConnection})
}

func eachConnection(c *sqlite3.SQLiteConn) error {
	_, err := c.Exec(fmt.Sprintf(`PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = %d`, walLimit), nil)
	return err
}

// ErrForeignSchema is returned for a catalogue with other tables, views or triggers
// than picday's: a foreign trigger could act on what root writes.
var ErrForeignSchema = errors.New("this is not the schema of a picday catalogue")

// ours returns the rows of sqlite_schema in a catalogue that this program has made.
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
	db.SetMaxOpenConns(1) // because every connection has its own in-memory database
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

// sums are those of schema.sql and of the rows that SQLite makes of it, so that a program
// need not make a catalogue at every start to compare with. "go generate ./store" writes
// the file; a test of internal demands it when schema.sql has changed.
//
//go:generate go test -count=1 -run ^TestSchemaSums$ . -update
//go:embed sql/schema.sums
var sums string

// sumOf is the hash of a schema.
func sumOf(rows []schemaRow) string {
	h := sha256.New()
	for _, v := range rows {
		fmt.Fprintf(h, "%q\n", v)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// knownSum is the hash of our schema, "" if the file is of another schema.sql.
func knownSum() string {
	text, err := sqlFiles.ReadFile("sql/schema.sql")
	of, rows, _ := strings.Cut(strings.TrimSpace(sums), " ")
	if sum := sha256.Sum256(text); err != nil || of != hex.EncodeToString(sum[:]) {
		return ""
	}
	return rows
}

// checkSchema compares the text of a catalogue's schema with ours. The first migration
// must keep the schema that it starts from, so that older backups still compare equal.
func checkSchema(ctx context.Context, q querier) error {
	have, err := schemaOf(ctx, q)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForeignSchema, err)
	}
	if sumOf(have) == knownSum() {
		return nil
	}
	want, err := ours()
	if err != nil {
		return err
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

// recheckSchema checks, at the start of a write transaction of root, that the schema has
// not changed since checkSchema. It cannot change until the transaction ends. Other
// users need no check, because picdayd's user owns the file and gains nothing by a
// foreign schema.
func (tx *Tx) recheckSchema() error {
	if os.Geteuid() != 0 {
		return nil
	}
	var v int64
	if err := tx.queryRow(`PRAGMA schema_version`).Scan(&v); err != nil || v == tx.s.schema.Load() {
		return err
	}
	if err := checkSchema(tx.ctx, tx.t); err != nil {
		return err
	}
	tx.s.schema.Store(v)
	return nil
}

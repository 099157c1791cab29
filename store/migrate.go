package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

//go:embed sql
var sqlFiles embed.FS

// migrate brings the catalogue to the newest schema, in one transaction. A
// new catalogue gets sql/schema.sql; an older one every file of
// sql/migrations above its user_version, in order. A file is called
// NNNN-what.sql, and NNNN is the version it leads to; the schema's version is
// the highest of them, or 1. The accounts and photos of a new catalogue are
// numbered from after on; with mustBe it is an error that it is empty.
func migrate(ctx context.Context, db *sql.DB, files fs.FS, after int64) error {
	steps, err := migrations(files)
	if err != nil {
		return err
	}
	newest := newestOf(steps)
	// Most starts find nothing to do, and must not queue behind a writer.
	v, err := userVersion(ctx, db)
	for deadline := time.Now().Add(20 * time.Second); isBusy(err) && time.Now().Before(deadline); v, err = userVersion(ctx, db) {
		// The first connections to a new file all switch it to WAL, and there
		// SQLite gives up at once instead of waiting its busy_timeout.
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil || v == newest {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	have, err := userVersion(ctx, tx)
	if err != nil {
		return err
	}
	if have > newest {
		return fmt.Errorf("it was written by a newer picday (schema %d, this one knows %d): upgrade picday", have, newest)
	}
	if have == 0 && after == mustBe {
		return fmt.Errorf("it is empty: restore it from a backup if it was not so before (%w)", ErrNoCatalogue)
	}
	if have == 0 {
		schema, err := fs.ReadFile(files, "sql/schema.sql")
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(schema)); err != nil {
			return fmt.Errorf("schema: %w", err)
		}
		if err := number(tx, after); err != nil {
			return err
		}
		have = newest
	}
	for v := have + 1; v <= newest; v++ {
		if steps[v] == "" {
			return fmt.Errorf("migration to schema %d is missing", v)
		}
		if _, err := tx.ExecContext(ctx, steps[v]); err != nil {
			return fmt.Errorf("migration to schema %d: %w", v, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", newest)); err != nil {
		return err
	}
	return tx.Commit()
}

// mustBe is for who may not begin a catalogue.
const mustBe = -1

// unused is a number that no catalogue before has come to. Links are made of
// numbers and the key: one that was given out by a catalogue that was lost, or
// between its backup and its loss, must not show another child. The clock is
// ahead of any count, for nobody takes in a thousand photos a second.
func unused(now time.Time) int64 { return millis(now) }

// number lets accounts and photos be numbered from after on, if they are not
// beyond it.
func number(tx interface {
	Exec(string, ...any) (sql.Result, error)
}, after int64,
) error {
	for _, table := range []string{"account", "photo"} {
		if _, err := tx.Exec(`INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)`, table); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?`, after, table); err != nil {
			return err
		}
	}
	return nil
}

func isBusy(err error) bool {
	var e sqlite3.Error // by value: that is how this driver returns it
	return errors.As(err, &e) && e.Code == sqlite3.ErrBusy
}

func newestOf(steps map[int]string) int {
	newest := 1
	for v := range steps {
		newest = max(newest, v)
	}
	return newest
}

func userVersion(ctx context.Context, q interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
},
) (v int, err error) {
	err = q.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v)
	return v, err
}

func migrations(files fs.FS) (map[int]string, error) {
	names, err := fs.Glob(files, "sql/migrations/*.sql")
	if err != nil {
		return nil, err
	}
	steps := map[int]string{}
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "-")
		v, err := strconv.Atoi(number)
		if err != nil || v < 2 || steps[v] != "" {
			return nil, fmt.Errorf("%s: a migration is called NNNN-what.sql with its own number from 2 on", name)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		steps[v] = string(text)
	}
	return steps, nil
}

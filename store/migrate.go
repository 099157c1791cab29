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

// migrate brings the catalogue to the newest schema, in one transaction. It runs
// sql/schema.sql on a new catalogue, and on an older one each file of sql/migrations whose
// version is above its user_version, in order. Such a file is called NNNN-what.sql; NNNN
// is the version after it. The newest version is the highest NNNN, or 1. The IDs of
// accounts and photos in a new catalogue are above after. If after is mustExist, a new
// catalogue is an error.
func migrate(ctx context.Context, db *sql.DB, files fs.FS, after int64) error {
	steps, err := migrations(files)
	if err != nil {
		return err
	}
	newest := newestOf(steps)
	// Read the version outside of the write transaction first: it is usually the newest,
	// and the start must not wait for a writer then.
	v, err := userVersion(ctx, db)
	for deadline := time.Now().Add(20 * time.Second); isBusy(err) && time.Now().Before(deadline); v, err = userVersion(ctx, db) {
		// Each of the first connections to a new file tries to switch it to WAL. When
		// two do so at once SQLite fails without waiting for its busy_timeout.
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
	if have == 0 && after == mustExist {
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
		if err := startIDsAfter(ctx, tx, after); err != nil {
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

// mustExist, as after, makes an empty catalogue an error.
const mustExist = -1

// unusedID returns an ID above all that earlier catalogues with the same link key have
// used. A link is made from an ID and the key: if an ID of a lost catalogue, or one that
// was assigned after the backup, was used again, an old link would show another child.
// The milliseconds since 1970 are above all IDs, because nobody adds a thousand photos
// per second.
func unusedID(now time.Time) int64 { return millis(now) }

// startIDsAfter makes the next IDs of accounts, photos and subjects larger than after.
func startIDsAfter(ctx context.Context, tx *sql.Tx, after int64) error {
	for _, table := range []string{"account", "photo", "subject"} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)`, table); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?`, after, table); err != nil {
			return err
		}
	}
	return nil
}

func isBusy(err error) bool {
	var e sqlite3.Error // the driver returns it by value
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

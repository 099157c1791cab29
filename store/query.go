package store

import (
	"context"
	"database/sql"
	"strings"
)

// querier is a pool or a transaction.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// collect runs a query and reads each row with scan.
func collect[T any](ctx context.Context, q querier, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// column reads the first column of each row.
func column[T any](ctx context.Context, q querier, query string, args ...any) ([]T, error) {
	return collect(ctx, q, func(r *sql.Rows) (v T, err error) {
		return v, r.Scan(&v)
	}, query, args...)
}

// A where collects the conditions of a query. It has only those that the caller set, so
// that SQLite chooses an index for them.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// text adds the condition unless value is empty.
func (w *where) text(condition, value string) {
	if value != "" {
		w.add(condition, value)
	}
}

// number adds the condition unless value is 0.
func (w *where) number(condition string, value int64) {
	if value != 0 {
		w.add(condition, value)
	}
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conditions, " AND ")
}

// containing returns a LIKE pattern for values that contain text; "" if text is empty.
func containing(text string) string {
	if text == "" {
		return ""
	}
	return "%" + beginning(text)
}

// beginning returns a LIKE pattern for values that begin with text.
func beginning(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// limited returns n as a LIMIT in SQL. 0 means no limit, for which SQLite has -1.
func limited(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}

// first returns the first row of a query that finds one at most, ErrNotFound if there is none.
func first[T any](all []T, err error) (T, error) {
	if err == nil && len(all) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}

package store

import (
	"context"
	"database/sql"
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
func column[T any](q querier, query string, args ...any) ([]T, error) {
	return collect(context.Background(), q, func(r *sql.Rows) (v T, err error) {
		return v, r.Scan(&v)
	}, query, args...)
}

// Whoever is told to stop must not wait for the statement that is running. The
// methods without a context take that of the transaction.

func (tx *Tx) Exec(query string, args ...any) (sql.Result, error) {
	return tx.ExecContext(tx.ctx, query, args...)
}

func (tx *Tx) QueryRow(query string, args ...any) *sql.Row {
	return tx.QueryRowContext(tx.ctx, query, args...)
}

// QueryContext is for collect and column.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if ctx.Done() == nil {
		ctx = tx.ctx
	}
	return tx.Tx.QueryContext(ctx, query, args...)
}

package store

import (
	"context"
	"database/sql"
	"errors"
)

// Original finds what is known of a picture by its content.
func (s *Store) Original(ctx context.Context, h SHA) (o Original, found bool, err error) {
	var taken sql.NullInt64
	err = s.read.QueryRowContext(ctx, `SELECT bytes, width, height, taken_at FROM original WHERE sha256 = ?`, h[:]).
		Scan(&o.Bytes, &o.Width, &o.Height, &taken)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	o.SHA = h
	if taken.Valid {
		o.TakenAt = fromMillis(taken.Int64)
	}
	o.Renditions, err = renditionsOf(s.read, h)
	return o, err == nil, err
}

func renditionsOf(q querier, h SHA) ([]Rendition, error) {
	return collect(context.Background(), q, func(r *sql.Rows) (v Rendition, err error) {
		return v, r.Scan(&v.Name, &v.Longest, &v.Quality, &v.Width, &v.Height, &v.Bytes)
	}, `SELECT name, longest, quality, width, height, bytes FROM rendition WHERE sha256 = ? ORDER BY longest DESC, name`, h[:])
}

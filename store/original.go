package store

import (
	"context"
	"database/sql"
	"errors"
)

// Original finds what is known of a picture by its content.
func (s *Store) Original(ctx context.Context, h SHA) (o Original, found bool, err error) {
	var taken, zone sql.NullInt64
	c := &o.Camera
	err = s.read.QueryRowContext(ctx, `SELECT bytes, width, height, taken_local, taken_zone, coalesce(make, ''), coalesce(model, ''), coalesce(serial, ''), unusual
		FROM original WHERE sha256 = ?`, h[:]).Scan(&o.Bytes, &o.Width, &o.Height, &taken, &zone, &c.Make, &c.Model, &c.Serial, &o.Unusual)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	o.SHA = h
	c.TakenAt, c.Zoned = takenOf(taken, zone)
	o.Renditions, err = renditionsOf(s.read, h)
	return o, err == nil, err
}

func renditionsOf(q querier, h SHA) ([]Rendition, error) {
	return collect(context.Background(), q, func(r *sql.Rows) (v Rendition, err error) {
		var hash []byte
		if err := r.Scan(&v.Name, &v.Longest, &v.Quality, &v.Width, &v.Height, &v.Bytes, &hash); err != nil {
			return v, err
		}
		v.Hash = asSHA(hash)
		return v, v.check(h)
	}, `SELECT name, longest, quality, width, height, bytes, hash FROM rendition WHERE sha256 = ? ORDER BY longest DESC, name`, h[:])
}

// Camera tells what a photo of the view was taken with, as far as it is known.
func (v View) Camera(ctx context.Context, p Photo) (Camera, error) {
	o, _, err := v.s.Original(ctx, p.SHA)
	return o.Camera, err
}

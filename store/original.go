package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"picday/internal/qr"
	"picday/internal/rendition"
	"picday/store/pictures"
)

// A SHA is the SHA-256 of an original's bytes, by which the original is identified.
type SHA = pictures.SHA

// asSHA converts a hash from a row. It does not panic for a value of another length,
// which picday never writes; the result is then the hash of no picture.
func asSHA(b []byte) (h SHA) {
	copy(h[:], b)
	return h
}

// A Rendition is a resized JPEG of an original.
type Rendition struct {
	rendition.Spec
	Width, Height int
	Bytes         int64
	Hash          SHA // of the rendition's bytes
}

// An Original is what is known of the bytes that were uploaded. It never changes.
type Original struct {
	SHA           SHA
	Bytes         int64
	Width, Height int // pixels, as displayed: the orientation is applied
	Camera        Camera
	Unusual       bool      // see photo.Picture
	Codes         *qr.Found // the QR codes in it; nil = not looked for
	Renditions    []Rendition
}

// A Camera is what the EXIF data of an original says about its origin. Missing fields are
// zero.
type Camera struct {
	TakenAt             time.Time // the camera's clock: in its zone if Zoned, else as if it were UTC
	Zoned               bool      // the EXIF data has a zone
	Make, Model, Serial string
}

// Original finds an original by its hash.
func (s *Store) Original(ctx context.Context, h SHA) (o Original, found bool, err error) {
	var taken, zone sql.NullInt64
	var codes sql.NullString
	c := &o.Camera
	err = s.read.QueryRowContext(ctx, `SELECT bytes, width, height, taken_local, taken_zone, coalesce(make, ''), coalesce(model, ''), coalesce(serial, ''), unusual, codes
		FROM original WHERE sha256 = ?`, h[:]).Scan(&o.Bytes, &o.Width, &o.Height, &taken, &zone, &c.Make, &c.Model, &c.Serial, &o.Unusual, &codes)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	if err != nil {
		return o, false, err
	}
	o.SHA, o.Codes = h, codesOf(codes)
	c.TakenAt, c.Zoned = takenOf(taken, zone)
	o.Renditions, err = renditionsOf(ctx, s.read, h)
	return o, err == nil, err
}

func renditionsOf(ctx context.Context, q querier, h SHA) ([]Rendition, error) {
	return collect(ctx, q, func(r *sql.Rows) (v Rendition, err error) {
		var hash []byte
		if err := r.Scan(&v.Name, &v.Longest, &v.Quality, &v.Width, &v.Height, &v.Bytes, &hash); err != nil {
			return v, err
		}
		v.Hash = asSHA(hash)
		return v, v.check(h)
	}, `SELECT name, longest, quality, width, height, bytes, hash FROM rendition WHERE sha256 = ? ORDER BY longest DESC, name`, h[:])
}

// Camera returns what the EXIF data of a photo says. The photo must come from the same
// view.
func (v View) Camera(ctx context.Context, p Photo) (Camera, error) {
	o, _, err := v.s.Original(ctx, p.SHA)
	return o.Camera, err
}

// Files returns the files of a picture, the original first.
func (o Original) Files() []pictures.File {
	all := []pictures.File{pictures.OriginalFile(o.SHA, o.Bytes)}
	for _, r := range o.Renditions {
		all = append(all, pictures.File{
			Name: pictures.Rendition(o.SHA, r.Spec), Picture: o.SHA, Bytes: r.Bytes, Hash: r.Hash,
			Spec: r.Spec, Width: r.Width, Height: r.Height,
		})
	}
	return all
}

// Pictures yields the originals that photos or their history point to, with their
// renditions, in the order of their hashes. It stops after the first error. It reads
// pages, each in a transaction of its own, because a caller that reads all files takes
// hours, and no transaction may be open for so long.
func (s *Store) Pictures(ctx context.Context) iter.Seq2[Original, error] {
	const page = 500
	return func(yield func(Original, error) bool) {
		for after := (SHA{}); ; {
			all, err := s.pictures(ctx, after, page)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Original{}, err)
				return
			}
			for _, o := range all {
				if !yield(o, nil) {
					return
				}
				after = o.SHA
			}
			if len(all) < page {
				return
			}
		}
	}
}

func (s *Store) pictures(ctx context.Context, after SHA, limit int) ([]Original, error) {
	all, err := collect(ctx, s.read, func(r *sql.Rows) (o Original, err error) {
		var sha []byte
		err = r.Scan(&sha, &o.Bytes)
		o.SHA = asSHA(sha)
		return o, err
	}, `SELECT sha256, bytes FROM original o WHERE sha256 > ? AND `+needed+` ORDER BY sha256 LIMIT ?`, after[:], limit)
	for i := range all {
		if err == nil {
			all[i].Renditions, err = renditionsOf(ctx, s.read, all[i].SHA)
		}
	}
	return all, err
}

// PictureCount counts what Pictures yields, and sums up the sizes of the originals.
func (s *Store) PictureCount(ctx context.Context) (n int, bytes int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(bytes), 0) FROM original o WHERE `+needed).Scan(&n, &bytes)
	return n, bytes, err
}

// Expects tells whether the catalogue still has a file with this name and content, and
// whether there is a file of that name. It asks both in a write transaction, because
// Collect deletes the file before it commits the deletion of the row, and would otherwise
// be seen in between.
func (s *Store) Expects(ctx context.Context, f pictures.File) (expected, there bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		query, args := `SELECT EXISTS (SELECT 1 FROM original o WHERE sha256 = ?1 AND bytes = ?2 AND `+needed+`)`, []any{f.Picture[:], f.Bytes}
		if !f.IsOriginal() {
			query = `SELECT EXISTS (SELECT 1 FROM original o JOIN rendition r USING (sha256)
				WHERE sha256 = ?1 AND r.bytes = ?2 AND name = ?3 AND longest = ?4 AND quality = ?5 AND hash = ?6 AND ` + needed + `)`
			args = append(args, f.Spec.Name, f.Spec.Longest, f.Spec.Quality, f.Hash[:])
		}
		if err := tx.queryRow(query, args...).Scan(&expected); err != nil {
			return err
		}
		_, err := s.files.Stat(f.Name)
		there = err == nil
		return ignoreMissing(err)
	})
	return expected, there, err
}

// WriteOriginal writes the bytes of a photo's original to to. If the file is missing or
// its content has changed, it returns a pictures.ErrDamaged, and what was written must
// not be used.
func (s *Store) WriteOriginal(ctx context.Context, p Photo, to io.Writer) error {
	f := pictures.OriginalFile(p.SHA, p.Bytes)
	err := s.files.Read(ctx, f, to)
	if errors.Is(err, pictures.ErrMissing) {
		err = fmt.Errorf("%w: it is missing", pictures.ErrDamaged)
	}
	if err != nil {
		return fmt.Errorf("the original %s is not to be had: %w", f.Name, err)
	}
	return nil
}

// ForgetRenditions deletes the rows of the renditions among the files, so that the daemon
// makes them again when it starts.
func (tx *Tx) ForgetRenditions(files []pictures.File) error {
	return forgetRenditions(tx.ctx, tx.t, files)
}

func forgetRenditions(ctx context.Context, to interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, files []pictures.File,
) error {
	for _, f := range files {
		if f.IsOriginal() {
			continue
		}
		if _, err := to.ExecContext(ctx, `DELETE FROM rendition WHERE sha256 = ? AND name = ?`, f.Picture[:], f.Spec.Name); err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"time"

	"picday/internal/rendition"
	"picday/store/pictures"
)

// Orphans calls each for every file among the originals and renditions that has no row in
// the catalogue. Such a file may be new, because the daemon writes it before its row; see
// Orphaned.
func (s *Store) Orphans(ctx context.Context, each func(pictures.Name, fs.FileInfo) error) error {
	return s.OrphansIn(ctx, s.files, each)
}

// OrphansIn is Orphans for the files of another data directory.
func (s *Store) OrphansIn(ctx context.Context, files *pictures.Files, each func(pictures.Name, fs.FileInfo) error) error {
	for first := range 256 {
		// List the files before the rows, so that a file whose row is committed in
		// between counts as known.
		names, err := files.List(byte(first))
		if err != nil {
			return err
		}
		known, err := s.namesOf(ctx, byte(first))
		if err != nil {
			return err
		}
		for _, name := range names {
			if known[name] {
				continue
			}
			fi, err := files.Stat(name)
			if errors.Is(err, pictures.ErrMissing) {
				continue
			}
			if err == nil {
				err = each(name, fi)
			}
			if err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// namesOf returns the names of the files that the catalogue has of pictures whose hash
// begins with first.
func (s *Store) namesOf(ctx context.Context, first byte) (map[pictures.Name]bool, error) {
	low, high := SHA{first}, SHA{first}
	for i := range high[1:] {
		high[i+1] = 0xff
	}
	names, err := collect(ctx, s.read, func(r *sql.Rows) (pictures.Name, error) {
		var sha []byte
		var spec rendition.Spec
		if err := r.Scan(&sha, &spec.Name, &spec.Longest, &spec.Quality); err != nil {
			return "", err
		}
		if spec == (rendition.Spec{}) {
			return pictures.Original(asSHA(sha)), nil
		}
		return pictures.Rendition(asSHA(sha), spec), nil
	}, `SELECT sha256, '', 0, 0 FROM original WHERE sha256 BETWEEN ?1 AND ?2
		UNION ALL SELECT sha256, name, longest, quality FROM rendition WHERE sha256 BETWEEN ?1 AND ?2`, low[:], high[:])
	known := make(map[pictures.Name]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	return known, err
}

// Orphaned tells whether a file without a row is too old for the daemon to be about to
// write its row.
func Orphaned(fi fs.FileInfo) bool { return time.Since(fi.ModTime()) > time.Hour }

// RemoveOrphans deletes the files that are Orphaned, and returns how many. It does not
// delete files whose name picday cannot have given. The caller must hold the lock of the
// data directory, so that no daemon is about to write the row of such a file.
func (s *Store) RemoveOrphans(ctx context.Context) (n int, err error) {
	err = s.Orphans(ctx, func(name pictures.Name, fi fs.FileInfo) error {
		if !fi.Mode().IsRegular() || !Orphaned(fi) || !name.Ours() {
			return nil
		}
		n++
		return s.files.Remove(name)
	})
	return n, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"picday/internal/fsuid"
)

// needed: a photo or its history points to the picture. What is not needed
// is about to be collected.
const needed = `o.refs > 0`

// Pictures lists the originals that photos or their history point to, with
// their renditions, by hash, from the first one after the given one. In pages,
// because who reads all their files takes hours, and no transaction may.
func (s *Store) Pictures(ctx context.Context, after SHA, limit int) ([]Original, error) {
	all, err := collect(ctx, s.read, func(r *sql.Rows) (o Original, err error) {
		var sha []byte
		err = r.Scan(&sha, &o.Bytes)
		o.SHA = asSHA(sha)
		return o, err
	}, `SELECT sha256, bytes FROM original o WHERE sha256 > ? AND `+needed+` ORDER BY sha256 LIMIT ?`, after[:], limit)
	for i := range all {
		if err == nil {
			all[i].Renditions, err = renditionsOf(s.read, all[i].SHA)
		}
	}
	return all, err
}

// PictureCount counts what Pictures lists, and the bytes of the originals.
func (s *Store) PictureCount(ctx context.Context) (n int, bytes int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(bytes), 0) FROM original o WHERE `+needed).Scan(&n, &bytes)
	return n, bytes, err
}

// eachPicture calls each for all that Pictures lists.
func (s *Store) eachPicture(ctx context.Context, each func(Original) error) error {
	const page = 500
	for after := (SHA{}); ; {
		all, err := s.Pictures(ctx, after, page)
		if err != nil {
			return err
		}
		for _, o := range all {
			if err := each(o); err != nil {
				return err
			}
			after = o.SHA
		}
		if len(all) < page {
			return ctx.Err()
		}
	}
}

// A PictureFile is a file that the catalogue points to.
type PictureFile struct {
	Path      string // below the data directory
	Picture   SHA
	Bytes     int64
	Hash      SHA           // of the bytes; for the original the same as Picture
	Rendition RenditionSpec // zero: the original itself
	// Width and Height are a rendition's, in pixels.
	Width, Height int
}

// Original tells whether it is the original and not a rendition.
func (f PictureFile) Original() bool { return f.Rendition == RenditionSpec{} }

// Files are the files of a picture.
func (o Original) Files() []PictureFile {
	all := []PictureFile{{Path: originalName(o.SHA), Picture: o.SHA, Bytes: o.Bytes, Hash: o.SHA}}
	for _, r := range o.Renditions {
		all = append(all, PictureFile{renditionName(o.SHA, r.RenditionSpec), o.SHA, r.Bytes, r.Hash, r.RenditionSpec, r.Width, r.Height})
	}
	return all
}

// Expects tells whether the catalogue, looked at while nobody writes to it,
// still expects that very file, and whether a file is there. Collect deletes
// files first and rows after, in one transaction, so only here the two fit.
func (s *Store) Expects(ctx context.Context, f PictureFile) (expected, there bool, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		query, args := `SELECT EXISTS (SELECT 1 FROM original o WHERE sha256 = ?1 AND bytes = ?2 AND `+needed+`)`, []any{f.Picture[:], f.Bytes}
		if !f.Original() {
			r := f.Rendition
			query = `SELECT EXISTS (SELECT 1 FROM original o JOIN rendition r USING (sha256)
				WHERE sha256 = ?1 AND r.bytes = ?2 AND name = ?3 AND longest = ?4 AND quality = ?5 AND hash = ?6 AND ` + needed + `)`
			args = append(args, r.Name, r.Longest, r.Quality, f.Hash[:])
		}
		if err := tx.QueryRow(query, args...).Scan(&expected); err != nil {
			return err
		}
		return fsuid.In(s.dir, func() error {
			_, err := os.Lstat(filepath.Join(s.dir, f.Path))
			there = err == nil
			return ignoreMissing(err)
		})
	})
	return expected, there, err
}

// pictureName is what every file among the originals and renditions is called.
var pictureName = regexp.MustCompile(`^[0-9a-f]{64}(-[^/]+-[0-9]+q[0-9]+)?\.jpg$`)

// listPictures reads one of the directories that pictures are in, with its
// owner's rights. What a link in its place leads to is none of ours: on another
// look its files would be known, or be somebody's.
func (s *Store) listPictures(dir string) (entries []fs.DirEntry, err error) {
	err = fsuid.In(s.dir, func() error {
		for _, d := range []string{filepath.Dir(dir), dir} {
			fi, err := os.Lstat(filepath.Join(s.dir, d))
			if err == nil && !fi.IsDir() {
				err = fmt.Errorf("%s is no directory: look who put it there, and move it away", filepath.Join(s.dir, d))
			}
			if err != nil {
				return err
			}
		}
		entries, err = os.ReadDir(filepath.Join(s.dir, dir))
		return err
	})
	return entries, err
}

// Orphans calls each for every file among the originals and renditions that
// the catalogue does not know. One that the daemon has just made and not yet
// entered is among them: its age tells.
func (s *Store) Orphans(ctx context.Context, each func(path string, fi fs.FileInfo) error) error {
	for i := range 256 {
		for _, d := range []string{originalsDir, renditionsDir} {
			// The directory first: what is entered meanwhile is then known.
			dir := filepath.Join(d, fmt.Sprintf("%02x", i))
			entries, err := s.listPictures(dir)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			known, err := s.namesIn(ctx, d, byte(i))
			if err != nil {
				return err
			}
			for _, e := range entries {
				if known[e.Name()] {
					continue
				}
				fi, err := e.Info()
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if err == nil {
					err = each(filepath.Join(dir, e.Name()), fi)
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return ctx.Err()
}

// namesIn are the file names that the catalogue knows of hashes that begin
// with a byte.
func (s *Store) namesIn(ctx context.Context, dir string, first byte) (map[string]bool, error) {
	query := `SELECT sha256, '', 0, 0 FROM original WHERE sha256 BETWEEN ? AND ?`
	if dir == renditionsDir {
		query = `SELECT sha256, name, longest, quality FROM rendition WHERE sha256 BETWEEN ? AND ?`
	}
	low, high := SHA{first}, SHA{first}
	for i := range high[1:] {
		high[i+1] = 0xff
	}
	names, err := collect(ctx, s.read, func(r *sql.Rows) (string, error) {
		var sha []byte
		var spec RenditionSpec
		if err := r.Scan(&sha, &spec.Name, &spec.Longest, &spec.Quality); err != nil {
			return "", err
		}
		if dir == renditionsDir {
			return filepath.Base(renditionName(asSHA(sha), spec)), nil
		}
		return filepath.Base(originalName(asSHA(sha))), nil
	}, query, low[:], high[:])
	known := make(map[string]bool, len(names))
	for _, n := range names {
		known[n] = true
	}
	return known, err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

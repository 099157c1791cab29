package store

import (
	"context"
	"database/sql"
	"fmt"

	"picday/internal/layout"
)

// Faults lists the faults that SQLite finds in the catalogue's file, else those in its
// rows: file names that cannot exist, and references to missing rows. It lists at most
// twenty of each kind.
func (s *Store) Faults(ctx context.Context) ([]string, error) {
	all, err := column[string](ctx, s.read, `PRAGMA quick_check(20)`)
	if len(all) == 1 && all[0] == "ok" {
		all = nil
	}
	if err != nil || len(all) > 0 {
		return all, err
	}
	odd, err := column[int64](ctx, s.read, `SELECT id FROM upload WHERE instr(name, x'2f') > 0 OR name IN (x'', x'2e', x'2e2e') LIMIT 20`)
	if err != nil {
		return nil, err
	}
	if all, err = s.faultsOfPeople(ctx); err != nil {
		return all, err
	}
	for _, id := range odd {
		all = append(all, fmt.Sprintf("the upload number %d has a name that no file can have", id))
	}
	dangling, err := collect(ctx, s.read, func(r *sql.Rows) (string, error) {
		var table, parent string
		var n int
		err := r.Scan(&table, &parent, &n)
		return fmt.Sprintf("%d rows of %s point to a %s that is not there", n, table, parent), err
	}, `SELECT "table", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2`)
	return append(all, dangling...), err
}

// faultsOfPeople lists what cannot be of subjects, their codes and photos.
func (s *Store) faultsOfPeople(ctx context.Context) (all []string, err error) {
	for _, c := range []struct{ what, query string }{
		{"the subject number %s counts other photos than it has", `SELECT CAST(s.id AS TEXT) FROM subject s WHERE s.photos <>
			(SELECT count(*) FROM subject_photo x JOIN photo p ON p.id = x.photo_id WHERE x.subject_id = s.id AND p.withdrawn_at IS NULL)
			+ (SELECT count(*) FROM photo p WHERE s.job_id IS NULL AND p.account_id = s.account_id AND p.person = s.external_id AND p.withdrawn_at IS NULL) LIMIT 20`},
		{"the photo number %s shows a subject of another account or job, or one that was removed", `SELECT CAST(x.photo_id AS TEXT) FROM subject_photo x
			JOIN subject s ON s.id = x.subject_id JOIN photo p ON p.id = x.photo_id
			WHERE s.removed_at IS NOT NULL OR s.account_id <> p.account_id OR s.job_id IS NOT NULL AND s.job_id IS NOT p.job_id LIMIT 20`},
		{"the code of the subject number %s is another's", `SELECT CAST(s.id AS TEXT) FROM subject s
			WHERE NOT EXISTS (SELECT 1 FROM subject_code c WHERE c.subject_id = s.id AND c.account_id = s.account_id) LIMIT 20`},
		{"the reason %s is counted wrongly", `SELECT t.why FROM series_tally t WHERE t.photos <> (SELECT count(*) FROM series WHERE why = t.why) LIMIT 20`},
	} {
		found, err := column[string](ctx, s.read, c.query)
		if err != nil {
			return all, err
		}
		for _, id := range found {
			all = append(all, fmt.Sprintf(c.what, layout.Shown(id)))
		}
	}
	return all, nil
}

// PhotosOfPicture returns how many photos show a picture or have it in their history, and the
// account and path of one of them.
func (s *Store) PhotosOfPicture(ctx context.Context, h SHA) (account, path string, n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT coalesce(min(a.name), ''), coalesce(min(p.path_shown), ''), count(*) FROM photo p JOIN account a ON a.id = p.account_id
		WHERE p.sha256 = ?1 OR p.id IN (SELECT photo_id FROM history WHERE sha256 = ?1)`, h[:]).Scan(&account, &path, &n)
	return account, path, n, err
}

// PhotosWithoutFile lists at most limit published photos that have no upload row at their path and
// none in its grace. Only the account and the path are set.
func (s *Store) PhotosWithoutFile(ctx context.Context, limit int) ([]Photo, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (p Photo, err error) {
		err = r.Scan(&p.Account, &p.Path)
		p.Path = oneLine(p.Path)
		return p, err
	}, `SELECT a.name, p.path_shown FROM photo p JOIN account a ON a.id = p.account_id
		WHERE p.withdrawn_at IS NULL AND p.declined IS NULL AND a.state <> 'gone' AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = p.id
			AND (gone_at IS NOT NULL OR CASE dir WHEN x'' THEN name ELSE CAST(dir || x'2f' || name AS BLOB) END = p.path)) ORDER BY a.name, p.path LIMIT ?`, limit)
}

// SharedPaths lists at most limit paths that several published photos share, not counting
// photos whose file is in its grace. Only the account and the path are set.
func (s *Store) SharedPaths(ctx context.Context, limit int) ([]Photo, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (p Photo, err error) {
		err = r.Scan(&p.Account, &p.Path)
		p.Path = oneLine(p.Path)
		return p, err
	}, `SELECT a.name, min(p.path_shown) FROM photo p JOIN account a ON a.id = p.account_id
		WHERE p.withdrawn_at IS NULL AND a.state <> 'gone' AND NOT EXISTS (SELECT 1 FROM upload WHERE photo_id = p.id AND gone_at IS NOT NULL)
		GROUP BY p.account_id, p.path HAVING count(*) > 1 ORDER BY 1, 2 LIMIT ?`, limit)
}

// WrongLinks calls each for every photo whose link differs from the one that the link key
// makes for it. Such a link may have been given out for another photo.
func (s *Store) WrongLinks(ctx context.Context, each func(Photo)) error {
	type row struct {
		Photo
		generation, rotated int64
		link                string
	}
	const page = 1000
	for after := int64(0); ; {
		all, err := collect(ctx, s.read, func(r *sql.Rows) (v row, err error) {
			err = r.Scan(&v.ID, &v.AccountID, &v.Account, &v.Path, &v.Person, &v.generation, &v.rotated, &v.link)
			v.Path = oneLine(v.Path)
			return v, err
		}, `SELECT p.id, p.account_id, a.name, p.path_shown, coalesce(p.person, ''), p.generation,
				coalesce((SELECT generation FROM rotation WHERE account_id = p.account_id AND person = p.person), p.generation), p.link
			FROM photo p JOIN account a ON a.id = p.account_id WHERE p.id > ? ORDER BY p.id LIMIT ?`, after, page)
		if err != nil {
			return err
		}
		for _, v := range all {
			after = v.ID
			want, err := s.link(v.AccountID, subjectOf(v.ID, v.Person), v.generation)
			if err != nil {
				return err
			}
			if v.link != want || v.rotated != v.generation {
				each(v.Photo)
			}
		}
		if len(all) < page {
			return ctx.Err()
		}
	}
}

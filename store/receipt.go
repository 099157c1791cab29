package store

import (
	"context"
	"database/sql"
	"fmt"

	"picday/internal/layout"
	"picday/internal/series"
)

// A ReceiptOf is what the uploader's receipt of a planned job, or of a school with
// portraits, is about, with its counts.
type ReceiptOf struct {
	JobID     int64  // 0 = portraits
	Job       string // "" = portraits
	Photos    int    // published
	Problems  int
	Files     int // of those that were dealt with
	Expected  int
	Replaced  int // photos whose picture was replaced by another, each time
	Unchanged int // files that came again with the same picture
	Aside     int // RAW and side files with a JPEG of that name
	// Mark is another text whenever something has changed that the receipt says.
	Mark string
}

// Receipts lists what receipts of an account are about. It costs some look-ups in indexes
// for each job, and what is set aside.
func (s *Store) Receipts(ctx context.Context, a Account) ([]ReceiptOf, error) {
	if a.Layout != layout.Jobs {
		mark, err := s.View(a.ID).ChangeMark(ctx)
		if err != nil {
			return nil, err
		}
		r := ReceiptOf{}
		err = s.read.QueryRowContext(ctx, `SELECT photos, problems, files, replaced, unchanged FROM tally WHERE account_id = ?`, a.ID).
			Scan(&r.Photos, &r.Problems, &r.Files, &r.Replaced, &r.Unchanged)
		r.Mark = mark + fmt.Sprint(r)
		return []ReceiptOf{r}, err
	}
	return collect(ctx, s.read, func(rows *sql.Rows) (r ReceiptOf, err error) {
		var n [5]int64
		err = rows.Scan(&r.JobID, &r.Job, &r.Photos, &r.Problems, &r.Files, &r.Expected, &r.Replaced, &r.Unchanged, &r.Aside, &n[0], &n[1], &n[2], &n[3], &n[4])
		r.Mark = fmt.Sprint(n, r)
		return r, err
	}, `SELECT j.id, j.name, j.photos, j.problems, j.files, j.expected, j.replaced, j.unchanged,
			(SELECT count(*) FROM upload WHERE job_id = j.id AND companion IS NOT NULL AND reason IS NULL),
			j.latest, j.regrouped, coalesce((SELECT max(changed_at) FROM photo WHERE job_id = j.id), 0),
			coalesce((SELECT max(changed_at) FROM subject WHERE job_id = j.id), 0), coalesce((SELECT max(id) FROM roster WHERE job_id = j.id), 0)
		FROM job j WHERE j.account_id = ? AND j.state = 'planned' ORDER BY j.sort, j.name`, a.ID)
}

// AlbumsChanged lists the albums of a job in which photos have come, changed or gone with a
// changed_at above since, and returns the highest one.
func (s *Store) AlbumsChanged(ctx context.Context, jobID, since int64) (albums []string, upto int64, err error) {
	upto = since
	seen := map[string]bool{}
	_, err = collect(ctx, s.read, func(r *sql.Rows) (x struct{}, err error) {
		var album string
		var at int64
		if err = r.Scan(&album, &at); err == nil && !seen[album] {
			seen[album] = true
			albums = append(albums, album)
		}
		upto = max(upto, at)
		return x, err
	}, `SELECT coalesce(album, ''), max(changed_at) FROM photo WHERE job_id = ?1 AND changed_at > ?2 GROUP BY 1
		UNION ALL SELECT album, max(changed_at) FROM departure WHERE job_id = ?1 AND changed_at > ?2 GROUP BY 1`, jobID, since)
	return albums, upto, err
}

// AlbumShots lists the file names and cameras of the published photos of an album.
func (s *Store) AlbumShots(ctx context.Context, jobID int64, album string) ([]series.Photo, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (p series.Photo, err error) {
		return p, r.Scan(&p.File, &p.Serial, &p.Model)
	}, `SELECT p.file, coalesce(o.serial, ''), coalesce(o.model, '') FROM photo p JOIN original o ON o.sha256 = p.sha256
		WHERE p.job_id = ? AND p.album = ? AND p.withdrawn_at IS NULL`, jobID, album)
}

// OtherShots lists the paths, for people, of at most limit published photos of a job whose
// name had another picture before (View.Replaced).
func (s *Store) OtherShots(ctx context.Context, jobID int64, limit int) ([]string, error) {
	return column[string](ctx, s.read, `SELECT path_shown FROM photo WHERE job_id = ? AND replaced IS NOT NULL AND withdrawn_at IS NULL ORDER BY path_shown LIMIT ?`, jobID, limit)
}

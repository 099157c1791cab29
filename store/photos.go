package store

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// A Photo is what the catalogue knows at one upload path.
type Photo struct {
	ID            int64
	Account       string
	RawPath       string // bytes as on disk
	Path          string // for people
	Job, Album    string // jobs
	Area          string
	Person        string // portraits
	File          string
	SHA           SHA
	Bytes         int64
	Width, Height int // as seen
	TakenAt       time.Time
	IngestedAt    time.Time
	WithdrawnAt   time.Time // zero = published
	Flags         []string
	Link          string
	Renditions    []Rendition
}

// A PhotoFilter says which photos are wanted; an empty field means any.
type PhotoFilter struct {
	Account, Job, Album, Area, Person string
	Withdrawn                         bool   // the trash instead of what is published
	Path                              string // raw or shown
}

// Photos calls each for the photos asked for, by account and path. Everything
// is read in one go, so that a listing is of one moment.
func (s *Store) Photos(ctx context.Context, f PhotoFilter, each func(Photo) error) error {
	withdrawn := "p.withdrawn_at IS NULL"
	if f.Withdrawn {
		withdrawn = "p.withdrawn_at IS NOT NULL"
	}
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	renditions, err := tx.PrepareContext(ctx, `SELECT name, longest, quality, width, height, bytes FROM rendition WHERE sha256 = ? ORDER BY longest DESC, name`)
	if err != nil {
		return err
	}
	defer renditions.Close()
	all, err := collect(ctx, tx, scanPhoto, `SELECT p.id, a.name, p.path, p.path_shown, coalesce(j.name, ''), coalesce(p.album, ''),
			coalesce(p.area, ''), coalesce(p.person, ''), p.file, p.sha256, o.bytes, o.width, o.height, coalesce(o.taken_at, 0),
			p.ingested_at, coalesce(p.withdrawn_at, 0), p.flags, p.link
		FROM photo p JOIN account a ON a.id = p.account_id JOIN original o ON o.sha256 = p.sha256 LEFT JOIN job j ON j.id = p.job_id
		WHERE `+withdrawn+` AND a.state <> 'gone'
		  AND (?1 = '' OR a.name = ?1) AND (?2 = '' OR j.name = ?2) AND (?3 = '' OR p.album = ?3)
		  AND (?4 = '' OR p.area = ?4) AND (?5 = '' OR p.person = ?5) AND (?6 = '' OR p.path_shown = ?6 OR p.path = CAST(?6 AS BLOB))
		ORDER BY a.name, p.path`, f.Account, f.Job, f.Album, f.Area, f.Person, f.Path)
	if err != nil {
		return err
	}
	for _, p := range all {
		rows, err := renditions.QueryContext(ctx, p.SHA[:])
		if err != nil {
			return err
		}
		for rows.Next() {
			var r Rendition
			if err = rows.Scan(&r.Name, &r.Longest, &r.Quality, &r.Width, &r.Height, &r.Bytes); err != nil {
				break
			}
			p.Renditions = append(p.Renditions, r)
		}
		if err == nil {
			err = rows.Err()
		}
		rows.Close()
		if err == nil {
			err = each(p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func scanPhoto(r *sql.Rows) (p Photo, err error) {
	var path, sha []byte
	var flags string
	var taken, ingested, withdrawn int64
	err = r.Scan(&p.ID, &p.Account, &path, &p.Path, &p.Job, &p.Album, &p.Area, &p.Person, &p.File, &sha, &p.Bytes, &p.Width, &p.Height,
		&taken, &ingested, &withdrawn, &flags, &p.Link)
	p.RawPath, p.IngestedAt, p.Flags = string(path), fromMillis(ingested), strings.Fields(flags)
	copy(p.SHA[:], sha)
	if taken != 0 {
		p.TakenAt = fromMillis(taken)
	}
	if withdrawn != 0 {
		p.WithdrawnAt = fromMillis(withdrawn)
	}
	return p, err
}

// A Problem is a file that cannot become a photo.
type Problem struct {
	Account     string
	RawPath     string
	Reason      Reason
	Since       time.Time
	DeleteAfter time.Time // zero = never
}

// Problems lists the problems of one account, or (empty name) of all.
func (s *Store) Problems(ctx context.Context, account string) ([]Problem, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (p Problem, err error) {
		var dir, name []byte
		var since, after int64
		err = r.Scan(&p.Account, &dir, &name, &p.Reason, &since, &after)
		p.RawPath, p.Since = joinPath(dir, name), fromMillis(since)
		if after != 0 {
			p.DeleteAfter = fromMillis(after)
		}
		return p, err
	}, `SELECT a.name, u.dir, u.name, u.reason, u.since, coalesce(u.delete_after, 0)
		FROM upload u JOIN account a ON a.id = u.account_id LEFT JOIN job j ON j.id = u.job_id
		WHERE u.reason IS NOT NULL AND u.gone_at IS NULL AND a.state <> 'gone' AND (?1 = '' OR a.name = ?1)
		ORDER BY a.name, u.dir, u.name`, account)
}

// Counts are the sizes of the catalogue that status shows.
type Counts struct{ Photos, Problems int }

// Counts counts.
func (s *Store) Counts(ctx context.Context) (c Counts, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM photo WHERE withdrawn_at IS NULL),
		(SELECT count(*) FROM upload WHERE reason IS NOT NULL AND gone_at IS NULL)`).Scan(&c.Photos, &c.Problems)
	return c, err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Published is what a link shows.
type Published struct {
	File string    // the rendition, on disk
	At   time.Time // when the link began to show this picture
}

// published finds a rendition by its photo's link. One that the configuration
// has since given another name is found by no name, but the default is then the
// largest there is.
const published = `SELECT p.sha256, r.name, r.longest, r.quality, p.ingested_at
	FROM photo p JOIN account a ON a.id = p.account_id JOIN rendition r ON r.sha256 = p.sha256
	WHERE p.link = ? AND p.withdrawn_at IS NULL AND a.state <> 'gone' AND r.name = ?`

// Published tells what a link shows at this moment, as a rendition's name asks
// for it; ErrNotFound if nothing.
func (s *Store) Published(ctx context.Context, link, rendition string) (p Published, err error) {
	var sha []byte
	var spec RenditionSpec
	var at int64
	err = s.read.QueryRowContext(ctx, published, link, rendition).Scan(&sha, &spec.Name, &spec.Longest, &spec.Quality, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNotFound
	}
	if err != nil {
		return p, err
	}
	return Published{s.RenditionPath(SHA(sha), spec), fromMillis(at)}, nil
}

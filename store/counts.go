package store

import (
	"context"
	"database/sql"
	"errors"
)

// Counts are the sizes of the catalogue. In a view of one account the numbers of files
// and bytes are 0, because accounts can share files.
type Counts struct {
	Photos, Problems int // published photos; files that are problems
	Unusual          int // photos whose original is flagged so, see photo.Picture
	OriginalFiles    int
	OriginalBytes    int64
	RenditionFiles   int
	RenditionBytes   int64
}

// Counts reads the counters that triggers maintain, so its cost does not depend on the
// number of photos.
func (v View) Counts(ctx context.Context) (c Counts, err error) {
	if v.account != 0 {
		err = v.s.read.QueryRowContext(ctx, `SELECT photos, problems, unusual FROM tally WHERE account_id = ?`, v.account).Scan(&c.Photos, &c.Problems, &c.Unusual)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		return c, err
	}
	err = v.s.read.QueryRowContext(ctx, `SELECT (SELECT coalesce(sum(photos), 0) FROM tally),
		(SELECT coalesce(sum(problems), 0) FROM tally), (SELECT coalesce(sum(unusual), 0) FROM tally), o.files, o.bytes, r.files, r.bytes
		FROM stored o JOIN stored r WHERE o.what = 'original' AND r.what = 'rendition'`).
		Scan(&c.Photos, &c.Problems, &c.Unusual, &c.OriginalFiles, &c.OriginalBytes, &c.RenditionFiles, &c.RenditionBytes)
	return c, err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// MovedTo tells where the file went that an account last had at a path, which
// is given in its shown form; "" if nobody saw it go.
func (s *Store) MovedTo(ctx context.Context, a Account, shown string) (path string, at time.Time, err error) {
	var ms int64
	err = s.read.QueryRowContext(ctx, `SELECT path_shown, at FROM activity WHERE account_id = ? AND event = ? AND detail = ? ORDER BY id DESC LIMIT 1`,
		a.ID, EventMoved, shown).Scan(&path, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return "", at, nil
	}
	return path, fromMillis(ms), err
}

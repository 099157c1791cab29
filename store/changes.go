package store

import (
	"context"
	"fmt"
	"strconv"
)

// stamp returns the changed_at of every photo that this transaction changes, in
// milliseconds since 1970. It is above all committed ones.
func (tx *Tx) stamp() (int64, error) {
	if tx.changed != 0 {
		return tx.changed, nil
	}
	var last int64
	if err := tx.queryRow(`SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'changed'`).Scan(&last); err != nil {
		return 0, err
	}
	stamp := max(millis(tx.now), last+1)
	if err := tx.execOne(`UPDATE meta SET value = ? WHERE key = 'changed'`, strconv.FormatInt(stamp, 10)); err != nil {
		return 0, err
	}
	tx.changed = stamp
	return stamp, nil
}

// LastChange returns the latest ChangedAt of the view's photos, published, withdrawn or
// ended since.
func (v View) LastChange(ctx context.Context) (at int64, err error) {
	forgotten, err := forgottenOf(ctx, v.s.read, v.account)
	if err != nil {
		return 0, err
	}
	query, args := `SELECT coalesce(max(changed_at), 0) FROM photo`, []any(nil)
	if v.account != 0 {
		query, args = query+` WHERE account_id = ?`, []any{v.account}
	}
	err = v.s.read.QueryRowContext(ctx, query, args...).Scan(&at)
	return max(at, forgotten), err
}

// ChangeMark returns a text that changes whenever something changes that the view shows,
// and only then. It costs a few look-ups in indexes, regardless of the number of photos.
func (v View) ChangeMark(ctx context.Context) (string, error) {
	whose := func(column string) string {
		if v.account == 0 {
			return ""
		}
		return fmt.Sprintf(" AND %s = %d", column, v.account)
	}
	var n [3]int64
	var hostKeys string
	err := v.s.read.QueryRowContext(ctx, `SELECT
		coalesce((SELECT max(changed_at) FROM photo WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT max(id) FROM activity WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT sum(changes) FROM tally WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT value FROM meta WHERE key = 'host_keys'), '')`).
		Scan(&n[0], &n[1], &n[2], &hostKeys)
	return fmt.Sprint(n, hostKeys), err
}

// Version returns a number that changes whenever another process has changed the
// catalogue. It costs one read of shared memory, so it may be called every second.
func (s *Store) Version(ctx context.Context) (v int64, err error) {
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	err = conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v)
	return v, err
}

package store

import (
	"context"
	"fmt"
)

// Pulse is another text whenever something that the view shows has changed,
// and the same as long as nothing has. It costs a few look-ups in indexes,
// however many photos there are.
func (v View) Pulse(ctx context.Context) (string, error) {
	whose := func(column string) string {
		if v.account == 0 {
			return ""
		}
		return fmt.Sprintf(" AND %s = %d", column, v.account)
	}
	var n [3]int64
	err := v.s.read.QueryRowContext(ctx, `SELECT
		coalesce((SELECT max(changed_at) FROM photo WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT max(id) FROM activity WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT sum(changes) FROM tally WHERE true`+whose("account_id")+`), 0)`).
		Scan(&n[0], &n[1], &n[2])
	return fmt.Sprint(n), err
}

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
	var n [6]int64
	err := v.s.read.QueryRowContext(ctx, `SELECT
		coalesce((SELECT max(changed_at) FROM photo WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT sum(photos) FROM tally WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT max(id) FROM activity WHERE true`+whose("account_id")+`), 0),
		(SELECT count(*) FROM upload WHERE reason IS NOT NULL AND gone_at IS NULL`+whose("account_id")+`),
		coalesce((SELECT sum(changed_at) + count(*) FROM job WHERE true`+whose("account_id")+`), 0),
		coalesce((SELECT sum(length(allow_from) + (state = 'enabled') * 2 + (state = 'gone') * 5 + id * 7) FROM account WHERE true`+whose("id")+`), 0)`).
		Scan(&n[0], &n[1], &n[2], &n[3], &n[4], &n[5])
	return fmt.Sprint(n), err
}

package store

import (
	"strings"
	"testing"

	"picday/internal/layout"
)

// What programs of customers ask the API again and again uses an index, so that it costs
// the same for any number of photos.
func TestPlansOfTheAPI(t *testing.T) {
	w := newWorld(t, layout.Portraits)
	one := w.acct.ID
	for _, c := range []struct {
		what string
		view View
		q    PhotoQuery
		uses string
	}{
		{"a person of one account", w.s.View(one), PhotoQuery{Person: "12", Order: ByChange, Limit: 2}, "photo_person (account_id=? AND person=?)"},
		{"a person of all accounts", w.s.All(), PhotoQuery{Person: "12", Order: ByChange, Limit: 2}, "photo_person (account_id=? AND person=?)"},
		{"what has changed", w.s.All(), PhotoQuery{Show: ShowBoth, Order: ByChange, ChangedSince: 5, Limit: 2}, "photo_changed (changed_at>?)"},
		{"what has changed, further", w.s.All(), PhotoQuery{Show: ShowBoth, Order: ByChange, ChangedSince: 5, After: Key{Number: 6, ID: 1}, Limit: 2}, "photo_changed (changed_at>?)"},
		{"what has changed in one account", w.s.View(one), PhotoQuery{Show: ShowBoth, Order: ByChange, ChangedSince: 5, Limit: 2}, "photo_account_changed (account_id=? AND changed_at>?)"},
	} {
		tx, err := w.s.read.BeginTx(t.Context(), nil)
		w.must(err)
		where, order, err := c.view.wanted(t.Context(), tx, c.q)
		w.must(err)
		var steps []string
		rows, err := tx.Query(`EXPLAIN QUERY PLAN `+photoColumns+where.sql()+` ORDER BY `+order+` LIMIT ?`, append(where.args, c.q.Limit)...)
		w.must(err)
		for rows.Next() {
			var id, parent, unused int
			var step string
			w.must(rows.Scan(&id, &parent, &unused, &step))
			steps = append(steps, step)
		}
		w.must(rows.Err())
		w.must(tx.Rollback())
		if plan := strings.Join(steps, "\n"); strings.Contains(plan, "SCAN") || !strings.Contains(plan, c.uses) {
			t.Errorf("%s:\n%s", c.what, plan)
		}
	}
}

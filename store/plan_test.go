package store

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

// What the pages and the API ask for must not walk through a million rows.
// Nobody runs ANALYZE, so SQLite plans from the schema alone, here as there.
func TestPlans(t *testing.T) {
	w := newWorld(t, Jobs)
	tx, err := w.s.read.Begin()
	w.must(err)
	defer tx.Rollback()
	check := func(what, query string, args ...any) {
		lines, err := collect(t.Context(), w.s.read, func(r *sql.Rows) (detail string, err error) {
			var n int
			return detail, r.Scan(&n, &n, &n, &detail)
		}, "EXPLAIN QUERY PLAN "+query, args...)
		w.must(err)
		for _, l := range lines {
			small := strings.HasPrefix(l, "SCAN a") || strings.HasPrefix(l, "SCAN account") // accounts are few
			walks := strings.HasPrefix(l, "SCAN p USING INDEX photo_ingested") || strings.HasPrefix(l, "SCAN p USING INDEX photo_changed") ||
				strings.HasPrefix(l, "SCAN p USING INDEX photo_withdrawn") || // in the order asked for, as far as the limit
				strings.HasPrefix(l, "SCAN u USING INDEX problem") // the problems and nothing else
			if strings.HasPrefix(l, "SCAN") && !small && !walks {
				t.Errorf("%s: %s\n%s", what, l, strings.Join(lines, "\n"))
			}
		}
		// Sorted is only what is small: an album by the camera's clock, the sizes of one picture.
		if what != "a link" && strings.Contains(lines[len(lines)-1], "TEMP B-TREE") && !strings.Contains(what, "taken") && !strings.Contains(what, "person 12") {
			t.Errorf("%s is sorted:\n%s", what, strings.Join(lines, "\n"))
		}
	}
	acme, album := PhotoFilter{Account: "acme"}, PhotoFilter{Account: "acme", Job: "job1", Album: "A", Area: "group"}
	for _, v := range []View{w.s.View(0), w.s.View(w.acct.ID)} {
		for what, q := range map[string]PhotoQuery{
			"newest":               {Order: ByNewest},
			"newest of an account": {Order: ByNewest, PhotoFilter: acme, After: Key{Number: 5, ID: 5}},
			"changes":              {Order: ByChange, Show: ShowBoth, ChangedSince: 5},
			"changes, from behind": {Order: ByChange, Show: ShowBoth, After: Key{Number: 5, ID: 5}},
			"all of an account":    {Order: ByChange, Show: ShowBoth, PhotoFilter: acme},
			"album":                {Order: ByFile, PhotoFilter: album, After: Key{Text: "x", ID: 5}},
			"album as taken":       {Order: ByTaken, PhotoFilter: album},
			"persons":              {Order: ByPerson, PhotoFilter: acme, After: Key{Text: "x", ID: 5}},
			"persons from 12":      {Order: ByPerson, PhotoFilter: acme, PersonFrom: "12"},
			"person 12":            {Order: ByChange, PhotoFilter: PhotoFilter{Person: "12"}},
			"trash":                {Order: ByWithdrawn, Show: ShowWithdrawn},
			"trash of an account":  {Order: ByWithdrawn, Show: ShowWithdrawn, PhotoFilter: acme},
		} {
			wanted, order, err := v.wanted(t.Context(), tx, q)
			w.must(err)
			check(fmt.Sprint(what, " in view ", v.account), photoColumns+wanted.sql()+" ORDER BY "+order+" LIMIT ?", append(wanted.args, 10)...)
		}
		for what, q := range map[string]ProblemQuery{
			"problems": {}, "problems of an account": {Account: "acme"}, "problems of a reason": {Reason: Damaged},
			"problems of a reason of an account": {Account: "acme", Reason: Damaged}, "problems of a job": {Account: "acme", Job: "job1", Reason: Damaged},
		} {
			problems, err := v.problems(t.Context(), q)
			w.must(err)
			check(what, problemColumns+problems.sql()+` AND u.id > ? ORDER BY u.id LIMIT 10`, append(problems.args, 5)...)
		}
		var jobs where
		v.only(&jobs, "j.account_id")
		check("jobs", jobColumns+jobs.sql()+` ORDER BY a.name, j.name LIMIT 10`, jobs.args...)
	}
	check("a link", published, "x", "large", true)
}

package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"picday/internal/layout"
)

// A ProblemGroup is the problems of one folder that have the same reason.
type ProblemGroup struct {
	ID      int64
	Account string
	Job     string // "" in the portraits layout
	RawDir  string // "" = the root of the SFTP view
	Reason  layout.Reason
	Files   int // those that nobody ignores
	Ignored int
	Latest  time.Time // since when the latest is a problem
	Layout  layout.Kind

	accountID int64
}

// A ProblemGroupQuery selects groups; an empty field selects all.
type ProblemGroupQuery struct {
	Account, Job string
	Reason       layout.Reason
	Ignored      bool  // groups with ignored files, instead of those with others
	Beyond       int64 // the ID of the last group of the page before
	Backwards    bool  // the groups before that one, or the last of all; in the same order
	Limit        int   // 0 = all
}

// groupColumns fixes the order of the loops, so that SQLite sorts nothing.
const groupColumns = `SELECT g.id, a.name, a.layout, g.account_id, coalesce(j.name, ''), g.dir, g.reason, g.files, g.ignored, g.latest
	FROM problem_group g CROSS JOIN account a ON a.id = g.account_id LEFT JOIN job j ON j.id = g.job_id `

func scanGroup(r *sql.Rows) (g ProblemGroup, err error) {
	var dir []byte
	var latest int64
	err = r.Scan(&g.ID, &g.Account, &g.Layout, &g.accountID, &g.Job, &dir, &g.Reason, &g.Files, &g.Ignored, &latest)
	g.RawDir, g.Latest = string(dir), fromMillis(latest)
	if g.RawDir != "" && !validPath(g.RawDir) { // the row is flawed; show what can be shown
		g.RawDir = brief(g.RawDir)
	}
	if g.Job != "" && !validJobName(g.Job) {
		g.Job = brief(g.Job)
	}
	return g, err
}

// ProblemGroups lists groups, the one that began last first.
func (v View) ProblemGroups(ctx context.Context, q ProblemGroupQuery) ([]ProblemGroup, error) {
	var w where
	account := v.account
	if q.Account != "" {
		id, err := v.accountID(ctx, v.s.read, q.Account)
		if err != nil {
			return nil, noRows(err)
		}
		account = id
	}
	w.add("a.state <> 'gone'")
	if q.Ignored {
		w.add("g.ignored > 0")
	} else {
		w.add("g.files > 0")
	}
	if q.Job != "" {
		jobs, err := column[int64](ctx, v.s.read, `SELECT id FROM job WHERE account_id = ? AND name = ?`, account, q.Job)
		if err != nil || len(jobs) == 0 {
			return nil, err
		}
		w.add("g.job_id = ?", jobs[0])
		w.add("+g.account_id = ?", account)
		w.text("+g.reason = ?", string(q.Reason))
	} else {
		w.number("g.account_id = ?", account)
		w.text("g.reason = ?", string(q.Reason))
	}
	beyond, order := "g.id < ?", " DESC"
	if q.Backwards {
		beyond, order = "g.id > ?", ""
	}
	w.number(beyond, q.Beyond)
	all, err := collect(ctx, v.s.read, scanGroup, groupColumns+w.sql()+` ORDER BY g.id`+order+` LIMIT ?`, append(w.args, limited(q.Limit))...)
	if q.Backwards {
		slices.Reverse(all)
	}
	return all, err
}

// ProblemGroup finds one group; ErrNotFound if it has no file any more.
func (v View) ProblemGroup(ctx context.Context, id int64) (ProblemGroup, error) {
	var w where
	v.only(&w, "g.account_id")
	w.add("g.id = ?", id)
	return first(collect(ctx, v.s.read, scanGroup, groupColumns+w.sql(), w.args...))
}

// A GroupPage selects files of a group, in the order in which they came.
type GroupPage struct {
	Ignored   bool
	Beyond    int64 // the ID of the last problem of the page before
	Backwards bool  // those before it, or the last of all; in the same order
	Limit     int   // 0 = all
}

// ProblemsOf lists files of a group.
func (v View) ProblemsOf(ctx context.Context, g ProblemGroup, p GroupPage) ([]Problem, error) {
	var w where
	v.only(&w, "u.account_id")
	w.add("u.reason IS NOT NULL AND u.gone_at IS NULL AND "+ignoredIs(p.Ignored)+" AND u.account_id = ? AND u.dir = ? AND u.reason = ?", g.accountID, []byte(g.RawDir), g.Reason)
	beyond, order := "u.id > ?", ""
	if p.Backwards {
		beyond, order = "u.id < ?", " DESC"
	}
	w.number(beyond, p.Beyond)
	all, err := collect(ctx, v.s.read, scanProblem, problemColumns+w.sql()+` ORDER BY u.id`+order+` LIMIT ?`, append(w.args, limited(p.Limit))...)
	if p.Backwards {
		slices.Reverse(all)
	}
	return all, err
}

// Problem finds one problem, also an ignored one; ErrNotFound if it is none any more.
func (v View) Problem(ctx context.Context, id int64) (Problem, error) {
	var w where
	v.only(&w, "u.account_id")
	w.add("u.id = ? AND u.reason IS NOT NULL AND u.gone_at IS NULL", id)
	return first(collect(ctx, v.s.read, scanProblem, problemColumns+w.sql(), w.args...))
}

// GroupOf finds the group of a problem.
func (v View) GroupOf(ctx context.Context, p Problem) (ProblemGroup, error) {
	dir, _ := splitPath(p.RawPath)
	var w where
	v.only(&w, "g.account_id")
	w.add("g.account_id = (SELECT account_id FROM upload WHERE id = ?) AND g.dir = ? AND g.reason = ?", p.ID, dir, p.Reason)
	return first(collect(ctx, v.s.read, scanGroup, groupColumns+w.sql(), w.args...))
}

func ignoredIs(ignored bool) string {
	if ignored {
		return "u.ignored_by IS NOT NULL"
	}
	return "u.ignored_by IS NULL"
}

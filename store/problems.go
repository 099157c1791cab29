package store

import (
	"context"
	"database/sql"
	"time"
)

// A Problem is a file that cannot become a photo.
type Problem struct {
	ID          int64
	Account     string
	RawPath     string
	Reason      Reason
	Bytes       int64
	Since       time.Time
	DeleteAfter time.Time // zero = never
	PhotoID     int64     // what was at this path before, and is still shown; 0 = nothing
	JobState    JobState  // "" in the portraits layout
}

// Message is a sentence for the uploader, who cannot get at what is in an
// active job.
func (p Problem) Message() string {
	if p.JobState == Active {
		return p.Reason.Message() + " The job is no longer in your SFTP view: ask for it to be planned again first."
	}
	return p.Reason.Message()
}

// A ProblemQuery says which problems are wanted; an empty field means any.
type ProblemQuery struct {
	Account, Job string
	Reason       Reason
	Newest       bool  // the latest first
	After        int64 // id: only those behind it
	Limit        int
}

const problemColumns = `SELECT u.id, a.name, u.dir, u.name, u.identity, u.reason, u.since, coalesce(u.delete_after, 0), coalesce(u.photo_id, 0), coalesce(j.state, '')
	FROM upload u JOIN account a ON a.id = u.account_id LEFT JOIN job j ON j.id = u.job_id `

func scanProblem(r *sql.Rows) (p Problem, err error) {
	var dir, name, identity []byte
	var since, after int64
	err = r.Scan(&p.ID, &p.Account, &dir, &name, &identity, &p.Reason, &since, &after, &p.PhotoID, &p.JobState)
	p.RawPath, p.Bytes, p.Since = joinPath(dir, name), identityOf(identity).Size, fromMillis(since)
	if after != 0 {
		p.DeleteAfter = fromMillis(after)
	}
	return p, err
}

// Problems lists the problems of one account, or (empty name) of all, by path.
func (s *Store) Problems(ctx context.Context, account string) ([]Problem, error) {
	var w where
	s.View(0).problems(&w, ProblemQuery{Account: account})
	return collect(ctx, s.read, scanProblem, problemColumns+w.sql()+` ORDER BY a.name, u.dir, u.name`, w.args...)
}

// Problems lists problems in the order in which they were entered.
func (v View) Problems(ctx context.Context, q ProblemQuery) ([]Problem, error) {
	var w where
	v.problems(&w, q)
	behind, direction := ">", ""
	if q.Newest {
		behind, direction = "<", " DESC"
	}
	w.number("u.id "+behind+" ?", q.After)
	// The plus keeps SQLite from walking through all uploads in their order.
	return collect(ctx, v.s.read, scanProblem, problemColumns+w.sql()+` ORDER BY +u.id`+direction+` LIMIT ?`, append(w.args, limited(q.Limit))...)
}

func (v View) problems(w *where, q ProblemQuery) {
	v.only(w, "u.account_id")
	w.add("u.reason IS NOT NULL AND u.gone_at IS NULL")
	w.text("a.name = ?", q.Account)
	w.text("j.name = ?", q.Job)
	w.text("u.reason = ?", string(q.Reason))
}

// ProblemsByReason counts them.
func (s *Store) ProblemsByReason(ctx context.Context) (map[Reason]int, error) {
	type row struct {
		reason Reason
		n      int
	}
	rows, err := collect(ctx, s.read, func(r *sql.Rows) (v row, err error) {
		return v, r.Scan(&v.reason, &v.n)
	}, `SELECT u.reason, count(*) FROM upload u JOIN account a ON a.id = u.account_id
		WHERE u.reason IS NOT NULL AND u.gone_at IS NULL AND a.state <> 'gone' GROUP BY u.reason`)
	all := map[Reason]int{}
	for _, r := range rows {
		all[r.reason] = r.n
	}
	return all, err
}

// A ProblemCount is how many problems an account has for one reason.
type ProblemCount struct {
	Account string
	Reason  Reason
	N       int
}

// ProblemCounts counts the problems that the view shows.
func (v View) ProblemCounts(ctx context.Context) ([]ProblemCount, error) {
	var w where
	v.problems(&w, ProblemQuery{})
	return collect(ctx, v.s.read, func(r *sql.Rows) (c ProblemCount, err error) {
		return c, r.Scan(&c.Account, &c.Reason, &c.N)
	}, `SELECT a.name, u.reason, count(*) FROM upload u JOIN account a ON a.id = u.account_id `+w.sql()+` GROUP BY a.name, u.reason`, w.args...)
}

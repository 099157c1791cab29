package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"picday/layout"
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
	message := p.Reason.Message()
	if p.Reason == NotJPEG && layout.IsRAW(p.RawPath) {
		message = "This is camera RAW, and picday publishes JPEG only: upload its JPEG too."
	}
	if p.JobState == Active {
		return message + " The job is no longer in your SFTP view: ask for it to be planned again first."
	}
	return message
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
	if !goodPath(p.RawPath) { // shown as far as it can be
		p.RawPath = brief(p.RawPath)
	}
	return p, err
}

// Problems lists the problems of one account, or (empty name) of all, by path.
func (s *Store) Problems(ctx context.Context, account string) ([]Problem, error) {
	w, err := s.View(0).problems(ctx, ProblemQuery{Account: account})
	if errors.Is(err, sql.ErrNoRows) { // of an account that is not there
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return collect(ctx, s.read, scanProblem, problemColumns+w.sql()+` ORDER BY a.name, u.dir, u.name`, w.args...)
}

// Problems lists problems in the order in which they were entered.
func (v View) Problems(ctx context.Context, q ProblemQuery) ([]Problem, error) {
	w, err := v.problems(ctx, q)
	if errors.Is(err, sql.ErrNoRows) { // of an account or job that is not there
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	behind, direction := ">", ""
	if q.Newest {
		behind, direction = "<", " DESC"
	}
	w.number("u.id "+behind+" ?", q.After)
	return collect(ctx, v.s.read, scanProblem, problemColumns+w.sql()+` ORDER BY u.id`+direction+` LIMIT ?`, append(w.args, limited(q.Limit))...)
}

// problems is the condition in SQL. Names become ids first, and each way to
// narrow the problems down has an index that is in their order: a page reads
// as many rows as it shows.
func (v View) problems(ctx context.Context, q ProblemQuery) (w where, err error) {
	account := v.account
	if q.Account != "" {
		if account, err = v.accountID(ctx, q.Account); err != nil {
			return w, err
		}
	}
	w.add("u.reason IS NOT NULL AND u.gone_at IS NULL")
	w.add("a.state <> 'gone'")
	switch {
	case q.Job != "" && account != 0:
		var job int64
		if err := v.s.read.QueryRowContext(ctx, `SELECT id FROM job WHERE account_id = ? AND name = ?`, account, q.Job).Scan(&job); err != nil {
			return w, err
		}
		w.add("u.job_id = ? AND +u.account_id = ?", job, account)
	case q.Job != "":
		w.add("j.name = ?", q.Job)
	case account != 0:
		w.add("u.account_id = ?", account)
	}
	if q.Job != "" {
		w.text("+u.reason = ?", string(q.Reason)) // the job's index, not the reason's
	} else {
		w.text("u.reason = ?", string(q.Reason))
	}
	return w, nil
}

// accountID finds an account that the view shows.
func (v View) accountID(ctx context.Context, name string) (id int64, err error) {
	err = v.s.read.QueryRowContext(ctx, `SELECT id FROM account WHERE name = ? AND state <> 'gone'`, name).Scan(&id)
	if err == nil && v.account != 0 && id != v.account {
		err = sql.ErrNoRows
	}
	return id, err
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
	v.only(&w, "t.account_id")
	w.add("t.files > 0")
	return collect(ctx, v.s.read, func(r *sql.Rows) (c ProblemCount, err error) {
		return c, r.Scan(&c.Account, &c.Reason, &c.N)
	}, `SELECT a.name, t.reason, t.files FROM account a CROSS JOIN problem_tally t ON t.account_id = a.id `+w.sql()+` ORDER BY a.name, t.reason`, w.args...)
}

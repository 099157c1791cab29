package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"picday/internal/layout"
	"picday/internal/upload"
)

// A Problem is a file that cannot become a photo.
type Problem struct {
	ID          int64
	Account     string
	RawPath     string
	Reason      layout.Reason
	Bytes       int64
	Since       time.Time
	DeleteAfter time.Time // zero = never
	PhotoID     int64     // the photo that was at this path before and stays published; 0 = none
	JobState    JobState  // "" in the portraits layout
	IgnoredBy   string    // the operator who said that it is no photo; "" = nobody
	Identity    upload.Identity
}

// NotInView is said of a problem in an active job.
const NotInView = "The job is no longer in your SFTP view: ask for it to be planned again first."

// Message explains the problem to the uploader.
func (p Problem) Message() string { return strings.Join(p.Sentences(), " ") }

// Sentences are the ones of Message. If the job is active one says that the uploader
// cannot reach the file.
func (p Problem) Sentences() []string {
	all := layout.Advice(p.Reason, p.RawPath)
	if p.JobState == Active {
		all = append(all, NotInView)
	}
	return all
}

// A ProblemQuery selects problems, and their order; an empty field selects all.
type ProblemQuery struct {
	Account, Job string
	Reason       layout.Reason
	RawPath      string // needs Account; finds an ignored one too
	Ignored      bool   // those that operators ignore, instead of the others
	Order        ProblemOrder
	After        int64 // the ID of the last problem of the page before; not used with ProblemsByPath
	Limit        int   // 0 = all
}

// A ProblemOrder is the order of a list of problems.
type ProblemOrder int

// The orders.
const (
	OldestProblems ProblemOrder = iota // by ID, which is the order in which they were recorded
	NewestProblems                     // the reverse
	ProblemsByPath                     // by account and path
)

const problemColumns = `SELECT u.id, a.name, u.dir, u.name, u.identity, u.reason, u.since, coalesce(u.delete_after, 0), coalesce(u.photo_id, 0), coalesce(j.state, ''), coalesce(u.ignored_by, '')
	FROM upload u JOIN account a ON a.id = u.account_id LEFT JOIN job j ON j.id = u.job_id `

func scanProblem(r *sql.Rows) (p Problem, err error) {
	var dir, name, identity []byte
	var since, after int64
	err = r.Scan(&p.ID, &p.Account, &dir, &name, &identity, &p.Reason, &since, &after, &p.PhotoID, &p.JobState, &p.IgnoredBy)
	p.RawPath, p.Identity, p.Since, p.IgnoredBy = joinPath(dir, name), upload.IdentityFrom(identity), fromMillis(since), login(p.IgnoredBy)
	p.Bytes = p.Identity.Size
	if after != 0 {
		p.DeleteAfter = fromMillis(after)
	}
	if !validPath(p.RawPath) { // the row is flawed; show what can be shown
		p.RawPath = brief(p.RawPath)
	}
	return p, err
}

// Problems lists problems.
func (v View) Problems(ctx context.Context, q ProblemQuery) ([]Problem, error) {
	w, err := v.problems(ctx, q)
	if err != nil {
		return nil, noRows(err)
	}
	var order string
	switch q.Order {
	case OldestProblems:
		w.number("u.id > ?", q.After)
		order = "u.id"
	case NewestProblems:
		w.number("u.id < ?", q.After)
		order = "u.id DESC"
	case ProblemsByPath:
		order = "a.name, u.dir, u.name"
	}
	return collect(ctx, v.s.read, scanProblem, problemColumns+w.sql()+` ORDER BY `+order+` LIMIT ?`, append(w.args, limited(q.Limit))...)
}

// noRows is nil for the error that says that there is no such account or job: then a
// list is empty.
func noRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// problems translates the query to SQL, except for its order and limit. It returns
// sql.ErrNoRows if there is no such account or job. The conditions are written so that
// SQLite uses an index that has the order of the list, and a page reads only the rows that
// it shows.
func (v View) problems(ctx context.Context, q ProblemQuery) (w where, err error) {
	account := v.account
	if q.Account != "" {
		if account, err = v.accountID(ctx, v.s.read, q.Account); err != nil {
			return w, err
		}
	}
	w.add("u.reason IS NOT NULL AND u.gone_at IS NULL")
	switch {
	case q.RawPath != "":
	case q.Ignored:
		w.add("u.ignored_by IS NOT NULL")
	default:
		w.add("u.ignored_by IS NULL")
	}
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
	case account != 0 && q.RawPath != "":
		dir, name := splitPath(q.RawPath)
		w.add("u.account_id = ? AND u.dir = ? AND u.name = ?", account, dir, name)
	case account != 0:
		w.add("u.account_id = ?", account)
	}
	if q.Job != "" {
		w.text("+u.reason = ?", string(q.Reason)) // "+" makes SQLite use the job's index, not the reason's
	} else {
		w.text("u.reason = ?", string(q.Reason))
	}
	return w, nil
}

// A ProblemCount is how many problems an account has for one reason.
type ProblemCount struct {
	Account string
	Reason  layout.Reason
	N       int
}

// ProblemCounts counts the view's problems by account and reason.
func (v View) ProblemCounts(ctx context.Context) ([]ProblemCount, error) {
	var w where
	v.only(&w, "t.account_id")
	w.add("t.files > 0")
	return collect(ctx, v.s.read, func(r *sql.Rows) (c ProblemCount, err error) {
		return c, r.Scan(&c.Account, &c.Reason, &c.N)
	}, `SELECT a.name, t.reason, t.files FROM account a CROSS JOIN problem_tally t ON t.account_id = a.id `+w.sql()+` ORDER BY a.name, t.reason`, w.args...)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// A View is the catalogue as one reader may see it. Whoever serves several
// readers gives each request its View and nothing else, so that no query can
// forget whose photos it may show.
type View struct {
	s       *Store
	account int64 // 0 = all
}

// View is the catalogue as far as it belongs to one account, or (0) all of it.
func (s *Store) View(accountID int64) View { return View{s, accountID} }

// Everything tells whether the view is of all accounts.
func (v View) Everything() bool { return v.account == 0 }

// only restricts a query to what the view may see. What belongs to an account
// that is gone is nobody's.
func (v View) only(w *where, column string) {
	w.add("a.state <> 'gone'")
	if v.account != 0 {
		w.add(column+" = ?", v.account)
	}
}

// A where collects the conditions of a query. Left-out conditions are really
// left out, so that SQLite can choose its index by those that are there.
type where struct {
	conditions []string
	args       []any
}

func (w *where) add(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

func (w *where) text(condition, value string) {
	if value != "" {
		w.add(condition, value)
	}
}

func (w *where) number(condition string, value int64) {
	if value != 0 {
		w.add(condition, value)
	}
}

func (w *where) sql() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return "WHERE " + strings.Join(w.conditions, " AND ")
}

// containing is the LIKE pattern for a text somewhere, "" for none.
func containing(text string) string {
	if text == "" {
		return ""
	}
	return "%" + beginning(text)
}

// beginning is the LIKE pattern for a text at the start.
func beginning(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// limited is a LIMIT: SQLite takes a negative one for none.
func limited(n int) int {
	if n <= 0 {
		return -1
	}
	return n
}

// An AccountSummary is an account with what a list of them shows.
type AccountSummary struct {
	Account
	Photos     int // published
	Problems   int
	LastUpload time.Time // of a photo that is published; zero = none
}

// Accounts lists the accounts, by name, also removed ones whose photos are
// kept.
func (v View) Accounts(ctx context.Context) ([]AccountSummary, error) {
	var w where
	v.only(&w, "a.id")
	accounts, err := collect(ctx, v.s.read, func(r *sql.Rows) (Account, error) { return scanAccount(r) },
		accountColumns+`a `+w.sql()+` ORDER BY name`, w.args...)
	if err != nil {
		return nil, err
	}
	all := make([]AccountSummary, len(accounts))
	for i, a := range accounts {
		if all[i], err = v.summary(ctx, a); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// AccountSummary finds one account with its counts.
func (v View) AccountSummary(ctx context.Context, name string) (AccountSummary, error) {
	a, err := v.Account(ctx, name)
	if err != nil {
		return AccountSummary{}, err
	}
	return v.summary(ctx, a)
}

func (v View) summary(ctx context.Context, a Account) (AccountSummary, error) {
	s := AccountSummary{Account: a}
	var last int64
	err := v.s.read.QueryRowContext(ctx, `SELECT t.photos, t.problems,
		coalesce((SELECT max(ingested_at) FROM photo WHERE account_id = ?1 AND withdrawn_at IS NULL), 0)
		FROM tally t WHERE t.account_id = ?1`, a.ID).
		Scan(&s.Photos, &s.Problems, &last)
	if last != 0 {
		s.LastUpload = fromMillis(last)
	}
	return s, err
}

// AccountNames lists the accounts without counting anything.
func (v View) AccountNames(ctx context.Context) ([]string, error) {
	var w where
	v.only(&w, "a.id")
	return collect(ctx, v.s.read, func(r *sql.Rows) (name string, err error) {
		return name, r.Scan(&name)
	}, `SELECT a.name FROM account a `+w.sql()+` ORDER BY a.name`, w.args...)
}

// Account finds one account.
func (v View) Account(ctx context.Context, name string) (Account, error) {
	a, err := v.s.Account(ctx, name)
	if err == nil && v.account != 0 && a.ID != v.account {
		return Account{}, fmt.Errorf("account %q: %w", name, ErrNotFound)
	}
	return a, err
}

// A JobQuery says which jobs are wanted, by account and name; an empty field
// means any.
type JobQuery struct {
	Account string
	State   JobState
	Text    string // somewhere in the name
	// After continues behind that job.
	AfterAccount, AfterJob string
	Limit                  int
}

// Jobs lists jobs with their counts.
func (v View) Jobs(ctx context.Context, q JobQuery) ([]Job, error) {
	var w where
	v.only(&w, "j.account_id")
	w.text("a.name = ?", q.Account)
	w.text("j.state = ?", string(q.State))
	w.text(`j.name LIKE ? ESCAPE '\'`, containing(q.Text))
	if q.AfterAccount != "" {
		w.add("(a.name, j.name) > (?, ?)", q.AfterAccount, q.AfterJob)
	}
	return collect(ctx, v.s.read, scanJob, jobColumns+w.sql()+` ORDER BY a.name, j.name LIMIT ?`, append(w.args, limited(q.Limit))...)
}

// Job finds one job, with its counts.
func (v View) Job(ctx context.Context, account, name string) (Job, error) {
	var w where
	v.only(&w, "j.account_id")
	w.add("a.name = ?", account)
	w.add("j.name = ?", name)
	all, err := collect(ctx, v.s.read, scanJob, jobColumns+w.sql(), w.args...)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("job %q of account %q: %w", name, account, ErrNotFound)
	}
	if err != nil {
		return Job{}, err
	}
	return all[0], nil
}

// An Album is a folder inside a job, as far as it has published photos.
type Album struct {
	Account, Job, Name string
	Individuals, Group int
	Latest             time.Time // when a photo came in last, also one withdrawn since
}

// Albums lists the albums of one account or job, or (empty names) of all, by
// account, job and name.
func (v View) Albums(ctx context.Context, account, job string) ([]Album, error) {
	return v.AlbumPage(ctx, AlbumQuery{Account: account, Job: job})
}

// Album finds one album of a job of the view, with its counts.
func (v View) Album(ctx context.Context, j Job, name string) (Album, error) {
	al := Album{Account: j.Account, Job: j.Name, Name: name}
	var latest int64
	err := v.s.read.QueryRowContext(ctx, `SELECT individuals, groups, latest FROM album WHERE job_id = ? AND name = ?`, j.ID, name).
		Scan(&al.Individuals, &al.Group, &latest)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("album %q of job %q: %w", name, j.Name, ErrNotFound)
	}
	al.Latest = fromMillis(latest)
	return al, err
}

// Counts are the sizes of what the view shows.
func (v View) Counts(ctx context.Context) (c Counts, err error) {
	if v.account == 0 {
		return v.s.Counts(ctx)
	}
	err = v.s.read.QueryRowContext(ctx, `SELECT photos, problems, unusual FROM tally WHERE account_id = ?`, v.account).Scan(&c.Photos, &c.Problems, &c.Unusual)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return c, err
}

// HostKeys are the server's, which every uploader may know.
func (v View) HostKeys(ctx context.Context) ([]HostKey, error) { return v.s.HostKeys(ctx) }

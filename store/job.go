package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"picday/internal/names"
)

// A JobState says whether uploaders see the folder of a job.
type JobState string

// Only the photos of a planned job are withdrawn when their files go missing.
const (
	Planned    JobState = "planned"    // uploaders see the folder
	Activating JobState = "activating" // picday is moving the folder away, or was interrupted doing so
	Active     JobState = "active"     // the folder is gone, the photos stay
)

// A Job is a photo job of a jobs account.
type Job struct {
	ID        int64
	Account   string
	Name      string
	Key       string // the name as the row has it, for JobQuery.AfterJob; differs from Name if the row is flawed
	State     JobState
	ChangedAt time.Time
	Albums    int
	Photos    int
	Problems  int
	Expected  int   // how many photos are to come; 0 = nobody has said
	Latest    int64 // LatestAt, for JobQuery.AfterLatest
	Cards     CardRules
	LatestAt  time.Time // when a file was taken, or found to be a problem, last; zero = never

	flaw error // see Flawed
}

// A JobQuery selects jobs; an empty field selects all.
type JobQuery struct {
	Account string
	State   JobState
	Text    string // a part of the name
	// The After fields are the last job of the page before; empty = the first page.
	AfterAccount, AfterJob string
	ByLatest               bool  // the job with the latest upload first, not by account and name
	AfterLatest, AfterID   int64 // instead of the others, if ByLatest
	Backwards              bool  // the last jobs before that job, or of all; in the same order
	Limit                  int   // 0 = all
}

// Jobs lists jobs by account and name, both by names.Key, with their counts.
func (v View) Jobs(ctx context.Context, q JobQuery) ([]Job, error) {
	var w where
	v.only(&w, "j.account_id")
	w.text("a.name = ?", q.Account)
	w.text("j.state = ?", string(q.State))
	w.text(`j.name LIKE ? ESCAPE '\'`, containing(q.Text))
	beyond, down := ">", ""
	if q.Backwards != q.ByLatest {
		beyond, down = "<", " DESC"
	}
	order := "a.sort" + down + ", a.name" + down + ", a.id" + down + ", j.sort" + down + ", j.name" + down
	switch {
	case q.ByLatest:
		order = "j.latest" + down + ", j.id" + down
		if q.AfterID != 0 {
			w.add("(j.latest, j.id) "+beyond+" (?, ?)", q.AfterLatest, q.AfterID)
		}
	case q.AfterAccount != "":
		w.behind(beyond, q.AfterAccount, q.AfterJob)
	}
	all, err := collect(ctx, v.s.read, scanJob, jobColumns+w.sql()+` ORDER BY `+order+` LIMIT ?`, append(w.args, limited(q.Limit))...)
	if q.Backwards {
		slices.Reverse(all)
	}
	return all, err
}

// behind narrows a query to what is beyond a job, in the order of accounts and jobs. The
// rows say where they stand: they may be flawed, or gone meanwhile.
func (w *where) behind(beyond, account, job string) {
	w.add("(a.sort, a.name, j.sort, j.name) "+beyond+` (coalesce((SELECT o.sort FROM account o WHERE o.name = ? AND o.state <> 'gone'), ?), ?,
		coalesce((SELECT b.sort FROM job b JOIN account o ON o.id = b.account_id WHERE o.name = ? AND o.state <> 'gone' AND b.name = ?), ?), ?)`,
		account, names.Key(account), account, account, job, names.Key(job), job)
}

// Job finds one job, with its counts. Ask Flawed before changing it.
func (v View) Job(ctx context.Context, account, name string) (Job, error) {
	var w where
	v.only(&w, "j.account_id")
	w.add("a.name = ?", account)
	w.add("j.name = ?", name)
	all, err := collect(ctx, v.s.read, scanJob, jobColumns+w.sql(), w.args...)
	if err != nil {
		return Job{}, err
	}
	if len(all) == 0 {
		return Job{}, v.noJob(ctx, account, name)
	}
	return all[0], nil
}

// CheckJob returns ErrNotFound if no account, or not this one, has such a job. "" as
// account or name is any.
func (v View) CheckJob(ctx context.Context, account, name string) error {
	switch {
	case name == "":
		return nil
	case account != "":
		_, err := v.Job(ctx, account, name)
		return err
	}
	all, err := v.Jobs(ctx, JobQuery{Text: name})
	if err != nil || slices.ContainsFunc(all, func(j Job) bool { return j.Name == name }) {
		return err
	}
	return v.noJob(ctx, "", name)
}

// noJob is the error that says that there is no such job.
func (v View) noJob(ctx context.Context, account, name string) error {
	all, err := v.Jobs(ctx, JobQuery{Account: account})
	if err != nil {
		return err
	}
	known := make([]string, len(all))
	for i, j := range all {
		known[i] = j.Name
	}
	of := ""
	if account != "" {
		of = fmt.Sprintf(" of account %q", account)
	}
	return fmt.Errorf("job %q%s: %w%s", name, of, ErrNotFound, hint(name, known))
}

const jobColumns = `SELECT j.id, a.name, j.name, j.state, j.changed_at, j.albums, j.photos, j.problems, j.expected, j.latest, j.card_last <> 0, j.quiet, j.refuse_unknown <> 0
	FROM job j JOIN account a ON a.id = j.account_id `

func scanJob(r *sql.Rows) (j Job, err error) {
	var changed, latest, quiet int64
	err = r.Scan(&j.ID, &j.Account, &j.Name, &j.State, &changed, &j.Albums, &j.Photos, &j.Problems, &j.Expected, &latest, &j.Cards.Last, &quiet, &j.Cards.RefuseUnknown)
	j.Cards.Quiet = time.Duration(max(0, min(quiet, MaxQuiet.Milliseconds()))) * time.Millisecond
	if j.Latest = latest; latest != 0 {
		j.LatestAt = fromMillis(latest)
	}
	j.ChangedAt = fromMillis(changed)
	j.Key = j.Name
	if err == nil {
		if j.flaw = j.check(); j.flaw != nil {
			j.Name = brief(j.Name)
		}
	}
	return j, err
}

// JobStates maps the names of an account's jobs to their states. If rows are flawed it
// returns the other jobs and an ErrFlawed.
func (s *Store) JobStates(ctx context.Context, accountID int64) (map[string]JobState, error) {
	rows, err := collect(ctx, s.read, func(r *sql.Rows) (j Job, err error) {
		return j, r.Scan(&j.ID, &j.Name, &j.State)
	}, `SELECT id, name, state FROM job WHERE account_id = ?`, accountID)
	states := map[string]JobState{}
	for _, j := range rows {
		if flaw := j.check(); flaw != nil {
			err = errors.Join(err, flaw)
			continue
		}
		states[j.Name] = j.State
	}
	return states, err
}

// AddJob adds a planned job. It does not change an existing one.
func (tx *Tx) AddJob(a Account, name string) error {
	_, err := tx.addJob(a, name)
	return err
}

// AddJobBy is AddJob by an operator on the pages, with an activity.
func (tx *Tx) AddJobBy(a Account, name, operator string) error {
	n, err := tx.addJob(a, name)
	if err != nil || n == 0 {
		return err
	}
	return tx.addActivity(Activity{AccountID: a.ID, Event: EventJobAdded, Path: name, Operator: operator})
}

func (tx *Tx) addJob(a Account, name string) (int64, error) {
	added, err := tx.execCount(`INSERT INTO job (account_id, name, sort, state, changed_at) VALUES (?, ?, ?, 'planned', ?) ON CONFLICT DO NOTHING`,
		a.ID, name, names.Key(name), millis(tx.now))
	if err != nil || added == 0 {
		return added, err
	}
	for _, part := range names.Parts(name) {
		if _, err := tx.exec(`INSERT INTO name_part SELECT account_id, ?, id, '' FROM job WHERE account_id = ? AND name = ?`, part, a.ID, name); err != nil {
			return added, err
		}
	}
	return added, nil
}

// MostExpected bounds the number of photos that are expected in a job.
const MostExpected = 10_000_000

// SetExpected says how many photos are to come into the job; 0 = nobody knows. operator is
// who says so on the pages, "" = root's tool, which leaves no activity.
func (tx *Tx) SetExpected(j Job, n int, operator string) error {
	if err := j.Flawed(); err != nil {
		return err
	}
	if n < 0 || n > MostExpected {
		return fmt.Errorf("%d photos cannot be expected: give 0 to %d", n, MostExpected)
	}
	if err := tx.execOne(`UPDATE job SET expected = ? WHERE id = ?`, n, j.ID); err != nil || operator == "" {
		return err
	}
	_, err := tx.exec(`INSERT INTO activity (at, account_id, event, path_shown, detail, operator) SELECT ?, account_id, ?, name, ?, ? FROM job WHERE id = ?`,
		millis(tx.now), EventExpected, strconv.Itoa(n), operator, j.ID)
	return err
}

// ErrHadPhotos is returned by RemoveJob for a job of which there are, or were, photos
// or subjects.
var ErrHadPhotos = errors.New("has or had photos, files or a roster")

// RemoveJob removes a job of which the catalogue knows nothing: no photo, also none in the
// trash or moved elsewhere, and no file. Else it fails with ErrHadPhotos. operator is who
// did it on the pages, "" = root's tool, which leaves no activity.
func (tx *Tx) RemoveJob(a Account, j Job, operator string) error {
	if err := j.Flawed(); err != nil {
		return err
	}
	n, err := tx.execCount(`DELETE FROM job WHERE id = ?1 AND account_id = ?2 AND albums + photos + problems + files = 0
		AND NOT EXISTS (SELECT 1 FROM photo WHERE job_id = ?1) AND NOT EXISTS (SELECT 1 FROM departure WHERE job_id = ?1)
		AND NOT EXISTS (SELECT 1 FROM withheld WHERE account_id = ?2 AND job_id = ?1)
		AND NOT EXISTS (SELECT 1 FROM subject WHERE job_id = ?1) AND NOT EXISTS (SELECT 1 FROM roster WHERE job_id = ?1)`, j.ID, a.ID)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("the job %q of %s %w: it stays", j.Name, a.Name, ErrHadPhotos)
	}
	if _, err := tx.exec(`DELETE FROM arriving WHERE account_id = ? AND job_id = ?`, a.ID, j.ID); err != nil || operator == "" {
		return err
	}
	return tx.addActivity(Activity{AccountID: a.ID, Event: EventJobRemoved, Path: j.Name, Operator: operator})
}

// SetJobState changes the state of a job. An activity is added if the job became active, or
// planned again; operator is who did that on the pages, "" = nobody (root's tool).
func (tx *Tx) SetJobState(j Job, state JobState, operator string) error {
	if err := j.Flawed(); err != nil {
		return err
	}
	var accountID int64
	var was JobState
	if err := tx.queryRow(`SELECT account_id, state FROM job WHERE id = ?`, j.ID).Scan(&accountID, &was); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrNotFound
		}
		return fmt.Errorf("job %q of account %q: %w", j.Name, j.Account, err)
	}
	if err := tx.execOne(`UPDATE job SET state = ?, changed_at = ? WHERE id = ?`, state, millis(tx.now), j.ID); err != nil {
		return err
	}
	switch {
	case state == Active && was != Active:
		return tx.addActivity(Activity{AccountID: accountID, Event: EventActivated, Path: j.Name, Operator: operator})
	case state == Planned && was == Active:
		return tx.addActivity(Activity{AccountID: accountID, Event: EventPlanned, Path: j.Name, Operator: operator})
	}
	return nil
}

// MissingInJob counts the missing files of a job whose photos are not withdrawn yet.
func (s *Store) MissingInJob(ctx context.Context, j Job) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM upload WHERE job_id = ? AND gone_at IS NOT NULL`, j.ID).Scan(&n)
	return n, err
}

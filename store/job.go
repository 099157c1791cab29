package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Jobs lists the jobs of one account, or (empty name) of all, with counts.
func (s *Store) Jobs(ctx context.Context, account string) ([]Job, error) {
	return s.View(0).Jobs(ctx, JobQuery{Account: account})
}

const jobColumns = `SELECT j.id, a.name, j.name, j.state, j.changed_at, j.albums, j.photos, j.problems
	FROM job j JOIN account a ON a.id = j.account_id `

func scanJob(r *sql.Rows) (j Job, err error) {
	var changed int64
	err = r.Scan(&j.ID, &j.Account, &j.Name, &j.State, &changed, &j.Albums, &j.Photos, &j.Problems)
	j.ChangedAt = fromMillis(changed)
	j.Key = j.Name
	if err == nil && j.check() != nil { // shown as far as it can be; who acts asks Job or JobStates
		j.Name = brief(j.Name)
	}
	return j, err
}

// JobStates maps the names of an account's jobs to their states. With an ErrFlawed
// all but the jobs whose rows are flawed are in it.
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

// Job finds one job, without counts.
func (s *Store) Job(ctx context.Context, a Account, name string) (Job, error) {
	j := Job{Account: a.Name, Name: name}
	var changed int64
	err := s.read.QueryRowContext(ctx, `SELECT id, state, changed_at FROM job WHERE account_id = ? AND name = ?`, a.ID, name).
		Scan(&j.ID, &j.State, &changed)
	j.ChangedAt = fromMillis(changed)
	if errors.Is(err, sql.ErrNoRows) {
		return j, fmt.Errorf("job %q of account %q: %w", name, a.Name, ErrNotFound)
	}
	if err == nil {
		err = j.check()
	}
	return j, err
}

// AddJob enters a planned job; one that is there already is left as it is.
func (tx *Tx) AddJob(a Account, name string) error {
	_, err := tx.Exec(`INSERT INTO job (account_id, name, state, changed_at) VALUES (?, ?, 'planned', ?) ON CONFLICT DO NOTHING`,
		a.ID, name, millis(tx.now))
	return err
}

// SetJobState moves a job to another state.
func (tx *Tx) SetJobState(j Job, state JobState) error {
	return tx.change(`UPDATE job SET state = ?, changed_at = ? WHERE id = ?`, state, millis(tx.now), j.ID)
}

// MissingInJob counts the files of a job whose deletion is not settled yet.
func (s *Store) MissingInJob(ctx context.Context, j Job) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM upload WHERE job_id = ? AND gone_at IS NOT NULL`, j.ID).Scan(&n)
	return n, err
}

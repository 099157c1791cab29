package provision

import (
	"context"
	"errors"
	"fmt"

	"picday/internal/account"
	"picday/internal/failure"
	"picday/internal/layout"
	"picday/store"
)

// ChangeJobs is Change for an account that can have jobs.
func (x *Accounts) ChangeJobs(ctx context.Context, name string, change func(acct store.Account) ([]string, error)) ([]string, error) {
	return x.Change(ctx, name, func(acct store.Account, _ []store.Account) ([]string, error) {
		if acct.Layout != layout.Jobs {
			return nil, failure.Usagef("account %s has the layout %s: it has no jobs", acct.Name, acct.Layout)
		}
		return change(acct)
	})
}

// AddJobs adds planned jobs: their folders, then their rows. operator is who does it on
// the pages, "" = somebody at a shell.
func (x *Accounts) AddJobs(ctx context.Context, name, operator string, jobs ...string) ([]string, error) {
	for _, job := range jobs {
		if err := account.ValidJobName(job); err != nil {
			return nil, err
		}
	}
	return x.ChangeJobs(ctx, name, func(acct store.Account) (done []string, err error) {
		for _, job := range jobs {
			made, err := x.Machine.AddJob(acct.Name, job)
			done = append(done, made...)
			if err != nil {
				return done, err
			}
			err = x.Store.Update(ctx, func(tx *store.Tx) error {
				if operator == "" {
					return tx.AddJob(acct, job)
				}
				return tx.AddJobBy(acct, job, operator)
			})
			if err != nil {
				return done, err
			}
		}
		return done, nil
	})
}

// AddExpected is AddJobs by somebody at a shell, who says how many photos are to come into
// each of the jobs, also into those that are there already; less than 0: he does not say.
func (x *Accounts) AddExpected(ctx context.Context, name string, expected int, jobs ...string) ([]string, error) {
	if expected > store.MostExpected {
		return nil, failure.Usagef("--expected %d: give 0 to %d", expected, store.MostExpected)
	}
	done, err := x.AddJobs(ctx, name, "", jobs...)
	if err != nil || expected < 0 {
		return done, err
	}
	for _, job := range jobs {
		row, err := x.Store.All().Job(ctx, name, job)
		if err == nil {
			err = x.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetExpected(row, expected, "") })
		}
		if err != nil {
			return done, err
		}
		done = append(done, fmt.Sprintf("%d photos are expected in %s", expected, job))
	}
	return done, nil
}

// RemoveJob removes a job that never had a photo or a file, and its empty folder. Else it
// is a failure.Refusal, and nothing was changed. If it was interrupted between the two it
// can be run again.
func (x *Accounts) RemoveJob(ctx context.Context, name, operator, job string) ([]string, error) {
	return x.ChangeJobs(ctx, name, func(acct store.Account) ([]string, error) {
		row, err := x.Store.View(acct.ID).Job(ctx, acct.Name, job)
		if err == nil {
			err = row.Flawed()
		}
		if err != nil {
			return nil, err
		}
		if row.State != store.Planned {
			return nil, failure.Refusalf("the job %q of %s is %s: only a planned one can be removed", job, acct.Name, row.State)
		}
		// The folder first: as long as there is a row, what comes into it is not lost.
		done, err := x.Machine.RemoveJob(acct.Name, job)
		if err != nil {
			return done, err
		}
		err = x.Store.Update(ctx, func(tx *store.Tx) error { return tx.RemoveJob(acct, row, operator) })
		if err == nil {
			return append(done, "removed the job "+job), nil
		}
		if errors.Is(err, store.ErrHadPhotos) {
			err = failure.Refusal(err)
		}
		if len(done) == 0 {
			return nil, err
		}
		_, uerr := x.Machine.AddJob(acct.Name, job)
		return nil, errors.Join(err, uerr)
	})
}

package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"picday/account"
	"picday/contract"
	"picday/store"
)

func (a *app) jobCommand() *cobra.Command {
	return a.group("job", "Plan and activate photo jobs", a.jobAdd(), a.jobList(), a.jobActivate(), a.jobPlan())
}

func (a *app) jobAdd() *cobra.Command {
	return a.command("add ACCOUNT JOB...", "Add planned jobs: their folders appear over SFTP", cobra.MinimumNArgs(2), func(ctx context.Context, args []string) error {
		for _, name := range args[1:] {
			if err := account.ValidJobName(name); err != nil {
				return err
			}
		}
		return a.alterJobs(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account) (done []string, err error) {
			for _, name := range args[1:] {
				made, err := sys.AddJob(acct.Name, name)
				done = append(done, made...)
				if err != nil {
					return done, err
				}
				if err := s.Update(ctx, func(tx *store.Tx) error { return tx.AddJob(acct, name) }); err != nil {
					return done, err
				}
			}
			return done, nil
		})
	})
}

// alterJobs is alter for an account that can have jobs.
func (a *app) alterJobs(ctx context.Context, name string, change func(*account.System, *store.Store, store.Account) ([]string, error)) error {
	return a.alter(ctx, name, func(sys *account.System, s *store.Store, acct store.Account, _ []store.Account) ([]string, error) {
		if acct.Layout != store.Jobs {
			return nil, usagef("account %s has the layout %s: it has no jobs", acct.Name, acct.Layout)
		}
		return change(sys, s, acct)
	})
}

func (a *app) jobList() *cobra.Command {
	return a.list("list [ACCOUNT]", "List jobs", cobra.MaximumNArgs(1), func(ctx context.Context, args []string) error {
		s, name, err := a.known(ctx, args)
		if err != nil {
			return err
		}
		all, err := s.Jobs(ctx, name)
		if err != nil {
			return err
		}
		jobs := []contract.Job{}
		for _, j := range all {
			jobs = append(jobs, contract.NewJob(j))
		}
		return a.print(jobs, func(w io.Writer) {
			rows := [][]string{}
			for _, j := range jobs {
				rows = append(rows, []string{j.Account, j.Job, string(j.State), fmt.Sprint(j.Albums), fmt.Sprint(j.Photos), fmt.Sprint(j.Problems), when(j.ChangedAt)})
			}
			a.table(w, "No jobs yet. Add one: picday job add ACCOUNT JOB", "ACCOUNT\tJOB\tSTATE\tALBUMS\tPHOTOS\tPROBLEMS\tCHANGED", rows)
		})
	})
}

// defaultWait outlasts the grace in which a deleted photo is still published.
const defaultWait = 90 * time.Second

func (a *app) jobActivate() *cobra.Command {
	var wait time.Duration
	cmd := a.command("activate ACCOUNT JOB", "Take a job's folder out of SFTP once its uploads are through", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		if wait < 0 {
			return usagef("--wait %s: give zero or more", wait)
		}
		return a.alterJobs(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account) ([]string, error) {
			job, err := s.Job(ctx, acct, args[1])
			if err != nil {
				return nil, err
			}
			if job.State == store.Active {
				return nil, nil
			}
			return a.activate(ctx, activation{a, sys, s, acct, job}, wait)
		})
	})
	cmd.Flags().DurationVar(&wait, "wait", defaultWait, "how long to wait for running uploads, `DURATION` such as 10m")
	return cmd
}

func (a *app) jobPlan() *cobra.Command {
	return a.command("plan ACCOUNT JOB", "Make an active job take uploads again: its folder reappears as it was", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return a.alterJobs(ctx, args[0], func(sys *account.System, s *store.Store, acct store.Account) ([]string, error) {
			job, err := s.Job(ctx, acct, args[1])
			if err != nil || job.State == store.Planned {
				return nil, err
			}
			// The folder first: only a planned job's missing files count as
			// deleted, and until the folder is back all of them are missing.
			done, err := sys.ShowJob(acct.Name, job.Name)
			if err != nil {
				return done, err
			}
			return append(done, "the job takes uploads"), s.Update(ctx, func(tx *store.Tx) error { return tx.SetJobState(job, store.Planned) })
		})
	})
}

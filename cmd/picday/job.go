package main

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"picday/internal/activation"
	"picday/internal/contract"
	"picday/internal/control"
	"picday/internal/provision"
	"picday/internal/tables"
	"picday/internal/trees"
	"picday/store"
)

func (a *app) jobCommand() *cobra.Command {
	return a.group("job", "Plan and activate photo jobs", a.jobAdd(), a.jobList(), a.jobActivate(), a.jobPlan(), a.jobCards(), a.jobRemove())
}

func (a *app) jobAdd() *cobra.Command {
	var expected int
	cmd := a.command("add ACCOUNT JOB...", "Add planned jobs: their folders appear over SFTP", cobra.MinimumNArgs(2), func(ctx context.Context, args []string) error {
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) {
			return x.AddExpected(ctx, args[0], expected, args[1:]...)
		})
	})
	cmd.Flags().IntVar(&expected, "expected", -1, "how many photos are to come into each, `N`; also of jobs that are there already. 0 = nobody knows")
	return cmd
}

func (a *app) jobRemove() *cobra.Command {
	return a.command("remove ACCOUNT JOB", "Remove a job that never had a photo or a file", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return a.change(ctx, func(x *provision.Accounts) ([]string, error) { return x.RemoveJob(ctx, args[0], "", args[1]) })
	})
}

// alterJob activates or plans a job.
func (a *app) alterJob(ctx context.Context, args []string, alter func(activation.Activation) ([]string, error)) error {
	return a.change(ctx, func(x *provision.Accounts) ([]string, error) {
		return x.ChangeJobs(ctx, args[0], func(acct store.Account) ([]string, error) {
			job, err := x.Store.View(acct.ID).Job(ctx, acct.Name, args[1])
			if err = cmp.Or(err, job.Flawed()); err != nil {
				return nil, err
			}
			return alter(activation.Activation{
				Store: x.Store, Account: acct, Job: job, Trees: trees.Dir(a.cfg.UploadDir), Volumes: a.uploadVolumes(),
				Hide: func() ([]string, error) { return a.sys.HideJob(acct.Name, job.Name) },
				Show: func() ([]string, error) { return a.sys.ShowJob(acct.Name, job.Name) },
			})
		})
	})
}

func (a *app) jobList() *cobra.Command {
	return listCommand(a, "list [ACCOUNT]", "List jobs", "No jobs yet. Add one: picday job add ACCOUNT JOB", tables.Jobs, func(ctx context.Context, s *store.Store, account string) ([]contract.Job, error) {
		all, err := s.All().Jobs(ctx, store.JobQuery{Account: account})
		st, _ := control.Ask(ctx, a.cfg.RunDir) // without an answer the zero status, which knows nothing
		return each(all, contract.JobsWith(st)), err
	})
}

// defaultWait outlasts the grace in which a deleted photo is still published.
const defaultWait = 90 * time.Second

func (a *app) jobActivate() *cobra.Command {
	var wait time.Duration
	var withProblems bool
	cmd := a.command("activate ACCOUNT JOB", "Take a job's folder out of SFTP once its uploads are through", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return a.alterJob(ctx, args, func(act activation.Activation) ([]string, error) {
			act.WithProblems, act.Wait = withProblems, wait
			act.Waiting = func(busy activation.Busy) { a.say("waiting: " + busy.String()) }
			return act.RunFromShell(ctx, func(ctx context.Context) error {
				_, err := control.Ask(ctx, a.cfg.RunDir)
				return err
			})
		})
	})
	cmd.Flags().BoolVar(&withProblems, "with-problems", false, "also if files of the job could not become photos")
	cmd.Flags().DurationVar(&wait, "wait", defaultWait, "how long to wait for running uploads, `DURATION` such as 10m")
	return cmd
}

func (a *app) jobPlan() *cobra.Command {
	return a.command("plan ACCOUNT JOB", "Make an active job take uploads again: its folder reappears as it was", cobra.ExactArgs(2), func(ctx context.Context, args []string) error {
		return a.alterJob(ctx, args, func(act activation.Activation) ([]string, error) { return act.PlanFromShell(ctx) })
	})
}

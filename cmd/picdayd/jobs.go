package main

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"picday/internal/activation"
	"picday/internal/trees"
	"picday/internal/web"
	"picday/store"
)

// activateWait is how long an operator's browser waits for uploads that are about to be
// taken in.
const activateWait = 5 * time.Second

// jobs does with jobs what operators want on the pages.
type jobs struct{ s *service }

func (j jobs) activation(ctx context.Context, job store.Job, operator string) (a activation.Activation, err error) {
	acct, err := j.s.store.All().Account(ctx, job.Account)
	if err != nil {
		return a, err
	}
	dir := trees.Dir(j.s.cfg.UploadDir)
	move := func(move func(account, job string) (bool, error)) func() ([]string, error) {
		return func() ([]string, error) { _, err := move(acct.Name, job.Name); return nil, err }
	}
	return activation.Activation{
		Store: j.s.store, Account: acct, Job: job, Trees: dir, Volumes: j.s.volumes,
		Hide: move(dir.Hide), Show: move(dir.Show), Operator: operator, Wait: activateWait,
	}, nil
}

func (j jobs) Objections(ctx context.Context, job store.Job) (o web.Objections, err error) {
	a, err := j.activation(ctx, job, "")
	if err != nil {
		return o, err
	}
	found, err := a.Objections(ctx)
	for _, b := range found.Busy {
		o.Busy = append(o.Busy, b.String())
	}
	o.Problems, o.BusyCount, o.EmptyFolders = found.Problems, found.BusyCount, found.EmptyFolders
	return o, err
}

func (j jobs) Activate(ctx context.Context, job store.Job, operator string, withProblems bool) error {
	a, err := j.activation(ctx, job, operator)
	if err != nil {
		return err
	}
	a.WithProblems = withProblems
	_, err = a.Run(ctx)
	return j.refusal(err)
}

func (j jobs) Plan(ctx context.Context, job store.Job, operator string) error {
	a, err := j.activation(ctx, job, operator)
	if err != nil {
		return err
	}
	_, err = a.Plan(ctx)
	return j.refusal(err)
}

// refusal says to an operator why nothing was changed, if that is something he can do
// something about.
func (j jobs) refusal(err error) error {
	var busy *activation.BusyError
	var problems *activation.ProblemsError
	switch {
	case errors.As(err, &busy):
		return web.Refused("Nothing was changed: " + busy.Busy.String() + ". Try again when the upload is through.")
	case errors.As(err, &problems):
		return web.Refused("Nothing was changed: " + problems.Error() + ".")
	case errors.Is(err, activation.ErrLocked):
		return web.Refused("Nothing was changed: " + err.Error() + " at this moment. Try again in a minute.")
	case errors.Is(err, trees.ErrBoth), errors.Is(err, trees.ErrNeither), errors.Is(err, trees.ErrNotFolder), errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrNotExist):
		j.s.log.Error().Err(err).Msg("a job cannot be moved")
		return web.Refused("Nothing was changed: " + err.Error() + ". Tell the one who looks after the server.")
	}
	return err
}

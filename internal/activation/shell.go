package activation

import (
	"context"
	"errors"

	"picday/internal/control"
	"picday/internal/failure"
	"picday/internal/shell"
	"picday/store"
)

// RunFromShell is Run for somebody at a shell: nothing is done to a job that is active,
// and where Run changes nothing the error is a failure.Refusal that says what to type.
// askDaemon returns control.ErrNotRunning if there is no daemon.
func (a Activation) RunFromShell(ctx context.Context, askDaemon func(context.Context) error) ([]string, error) {
	if a.Wait < 0 {
		return nil, failure.Usagef("--wait %s: give zero or more", a.Wait)
	}
	if a.Job.State == store.Active {
		return nil, nil
	}
	done, err := a.Run(ctx)
	var busy *BusyError
	var problems *ProblemsError
	switch {
	case errors.As(err, &busy):
		hint := "" // if the wait could not have helped
		if err := askDaemon(ctx); errors.Is(err, control.ErrNotRunning) {
			hint = "\n" + err.Error() + ", so nothing is taken in: systemctl start picdayd"
		}
		return nil, failure.Refusalf("job %s is still receiving uploads, nothing was changed: %s\nTo wait longer: %s%s",
			a.Job.Name, busy.Busy, a.commandLine("--wait", "30m"), hint)
	case errors.As(err, &problems):
		return nil, failure.Refusalf("job %s: %s, and would be left behind; nothing was changed. To see them: %s\nTo activate it all the same: %s",
			a.Job.Name, problems, shell.Line("picday", "problems", a.Account.Name), a.commandLine("--with-problems"))
	case err != nil:
		return done, err
	}
	return append(done, "the job is active"), nil
}

// commandLine is the command that activates the job, with flags.
func (a Activation) commandLine(flags ...string) string {
	return shell.Line(append([]string{"picday", "job", "activate", a.Account.Name, a.Job.Name}, flags...)...)
}

// PlanFromShell is Plan for somebody at a shell: nothing is done to a planned job.
func (a Activation) PlanFromShell(ctx context.Context) ([]string, error) {
	if a.Job.State == store.Planned {
		return nil, nil
	}
	done, err := a.Plan(ctx)
	if err == nil {
		done = append(done, "the job takes uploads")
	}
	return done, err
}

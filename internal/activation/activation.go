// Package activation takes a planned job out of the SFTP view once nothing of it
// is being uploaded, and brings an active one back.
//
// The order is what keeps photos from being lost. Run waits until the job is
// quiet, moves its folder away, and looks once more: an upload that began in
// between has its file open or changed, and then the folder comes back. After the
// move no new upload can begin, so a job that is quiet then stays so. The state
// "activating", entered before the move, keeps the daemon from taking the absence
// of the folder for deletions, also if the process is killed in between; running
// it again finishes what was begun.
package activation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/trees"
	"picday/internal/upload"
	"picday/store"
)

// lookAgain is how often a job that is not quiet yet is looked at.
const lookAgain = 250 * time.Millisecond

// An Activation is one job and what is needed to activate it.
type Activation struct {
	Store   *store.Store
	Account store.Account
	Job     store.Job
	Trees   trees.Dir
	Volumes *upload.Volumes

	// Hide moves the job's folder from trees.Dir.Job to ActiveJob, and Show back; both
	// do nothing if that is so already, and return sentences that say what was done.
	Hide, Show func() (done []string, err error)

	Operator     string        // who does it on the pages, for the activity; "" = somebody at a shell
	WithProblems bool          // also with files that could not become photos
	Wait         time.Duration // how long to wait for a job that is not quiet
	Waiting      func(Busy)    // called once when the wait begins, unless nil
}

// Run activates the job, and returns sentences that say what was done. If the job
// is not quiet when Wait has passed, the error is a *BusyError; if it has problems,
// a *ProblemsError, unless WithProblems is set. Nothing was changed then.
func (a Activation) Run(ctx context.Context) (done []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.Wait+time.Minute)
	defer cancel()
	deadline := time.Now().Add(a.Wait)
	unlock, err := a.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if a.Job.State != store.Planned && a.shown() {
		// An activation was interrupted before the move.
		if err := a.setState(ctx, store.Planned); err != nil {
			return nil, err
		}
	}
	for {
		shown := a.shown() // if not, an activation was interrupted after the move
		busy, err := a.busy(ctx)
		if err != nil {
			return nil, err
		}
		if busy == (Busy{}) {
			// Not before: what is still waiting may become a problem.
			if err := a.checkProblems(ctx); err != nil {
				if !shown {
					err = errors.Join(err, a.undo(ctx))
				}
				return nil, err
			}
			if done, busy, err = a.move(ctx); err != nil || busy == (Busy{}) {
				return done, err
			}
		} else if !shown {
			if err := a.undo(ctx); err != nil {
				return nil, err
			}
		}
		if !time.Now().Before(deadline) {
			return nil, &BusyError{busy}
		}
		if a.Waiting != nil {
			a.Waiting(busy)
			a.Waiting = nil
		}
		select {
		case <-time.After(min(lookAgain, time.Until(deadline))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Plan makes the job take uploads again, and returns sentences that say what was
// done.
func (a Activation) Plan(ctx context.Context) (done []string, err error) {
	unlock, err := a.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	return a.plan(ctx)
}

func (a Activation) plan(ctx context.Context) (done []string, err error) {
	// The folder first: only a planned job's missing files count as deleted, and
	// until the folder is back all of them are missing.
	done, err = a.Show()
	if err != nil {
		return done, err
	}
	return done, a.setState(ctx, store.Planned)
}

// move moves the folder away. It brings it back if the job is not quiet after that.
func (a Activation) move(ctx context.Context) (done []string, busy Busy, err error) {
	if err := a.setState(ctx, store.Activating); err != nil {
		return nil, busy, err
	}
	if done, err = a.Hide(); err != nil {
		return done, busy, errors.Join(err, a.setState(ctx, store.Planned))
	}
	busy, err = a.busy(ctx)
	if err != nil || busy != (Busy{}) {
		return nil, busy, errors.Join(err, a.undo(ctx))
	}
	return done, busy, a.setState(ctx, store.Active)
}

func (a Activation) undo(ctx context.Context) error {
	_, err := a.plan(ctx)
	return err
}

func (a Activation) setState(ctx context.Context, state store.JobState) error {
	// Also after an interrupt: else the folder would not be where the catalogue
	// expects it.
	return a.Store.Update(context.WithoutCancel(ctx), func(tx *store.Tx) error { return tx.SetJobState(a.Job, state, a.Operator) })
}

func (a Activation) shown() bool {
	_, err := os.Lstat(a.Trees.Job(a.Account.Name, a.Job.Name))
	return !errors.Is(err, fs.ErrNotExist)
}

// lock keeps two activations of one account apart, the tool's and the daemon's. The
// lock is on the account's directory, which both can open, and the kernel gives it
// back when a process ends. The tool may hold it for as long as somebody told it to wait
// for uploads, so this one gives up before: ErrLocked.
func (a Activation) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, a.Wait+lockWait)
	defer cancel()
	dir, err := os.Open(a.Trees.Base(a.Account.Name))
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { _ = dir.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(&fs.PathError{Op: "lock", Path: dir.Name(), Err: err}, dir.Close())
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return nil, errors.Join(ErrLocked, dir.Close())
		}
	}
}

// lockWait is how long the lock is waited for besides Wait.
const lockWait = 5 * time.Second

// ErrLocked is returned when another process was changing jobs of the account all the
// time.
var ErrLocked = errors.New("somebody else is changing jobs of this account")

// A ProblemsError is returned for a job with files that could not become photos.
type ProblemsError struct{ Count int }

func (e *ProblemsError) Error() string {
	if e.Count == 1 {
		return "1 file of the job could not become a photo"
	}
	return fmt.Sprintf("%d files of the job could not become photos", e.Count)
}

func (a Activation) checkProblems(ctx context.Context) error {
	if a.WithProblems {
		return nil
	}
	job, err := a.Store.View(a.Account.ID).Job(ctx, a.Account.Name, a.Job.Name)
	if err == nil && job.Problems > 0 {
		err = &ProblemsError{job.Problems}
	}
	return err
}

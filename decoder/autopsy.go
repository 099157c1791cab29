package decoder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"picday/photo"
)

// errKilled is a child that somebody else killed.
var errKilled = errors.New("decoder was killed")

// autopsy ends a child after an exchange that failed with err, and says what that
// means: for the picture, or for us.
func (p *Pool) autopsy(ctx context.Context, c *child, err error) error {
	// A child that closed its socket is dead or dying, and how it died is what we
	// want to know; so it is not killed at once.
	if !errors.Is(err, errNonsense) && !errors.Is(err, errFailed) && !errors.Is(err, os.ErrDeadlineExceeded) {
		select {
		case <-c.done:
		case <-ctx.Done():
		case <-time.After(time.Second):
			err = fmt.Errorf("%w: silence", errNonsense)
		}
	}
	c.end()
	select {
	case <-p.ended:
		return errStopped
	default:
	}
	verdict := verdict(err, c.cmd.ProcessState.Sys().(syscall.WaitStatus), c.said.String(), p.Options)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.Log.Warn().Err(verdict).Int("pid", c.cmd.Process.Pid).Str("state", c.cmd.ProcessState.String()).
		Str("said", clean(c.said.String())).Msg("decoder replaced")
	return verdict
}

// verdict blames the picture, for what it is, or nobody.
func verdict(err error, status syscall.WaitStatus, said string, o Options) error {
	switch {
	case errors.Is(err, errFailed):
		return err
	case errors.Is(err, errNonsense):
		return fmt.Errorf("%w: %w", photo.ErrDamaged, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: not decoded within %s", photo.ErrTooComplex, o.Wall)
	case status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM):
		return errKilled
	case strings.HasPrefix(said, saidCPU):
		return fmt.Errorf("%w: more than %s of CPU time", photo.ErrTooComplex, o.Time)
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"):
		// These are the words of the Go runtime; whoever forges them gains nothing.
		return fmt.Errorf("%w: too much memory", photo.ErrTooComplex)
	}
	return fmt.Errorf("%w: decoder crashed", photo.ErrDamaged)
}

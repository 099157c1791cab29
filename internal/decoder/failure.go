package decoder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"picday/internal/photo"
)

// errKilled: the child was killed, and not by picdayd.
var errKilled = errors.New("decoder was killed")

// diagnose ends a child after an exchange that failed with err. The error it returns
// says whether the picture is at fault or the machine.
func (p *Pool) diagnose(ctx context.Context, c *child, err error) error {
	// A child that closed its socket is dead or dying. How it died is what has to be
	// found out, so it is not killed at once.
	if !errors.Is(err, errBadReply) && !errors.Is(err, errFailed) && !errors.Is(err, os.ErrDeadlineExceeded) {
		select {
		case <-c.done:
		case <-ctx.Done():
		case <-time.After(time.Second):
			err = fmt.Errorf("%w: silence", errBadReply)
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

// verdict is one of the errors of package photo if the picture is at fault.
func verdict(err error, status syscall.WaitStatus, said string, o Options) error {
	switch {
	case errors.Is(err, errFailed):
		return err
	case errors.Is(err, errBadReply):
		return fmt.Errorf("%w: %w", photo.ErrDamaged, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: not decoded within %s", photo.ErrTooComplex, o.Wall)
	case status.Signaled() && (status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGTERM):
		return errKilled
	case strings.HasPrefix(said, saidCPU):
		return fmt.Errorf("%w: more than %s of CPU time", photo.ErrTooComplex, o.Time)
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"):
		// The Go runtime writes this. A child that forges it gains nothing.
		return fmt.Errorf("%w: too much memory", photo.ErrTooComplex)
	}
	return fmt.Errorf("%w: decoder crashed", photo.ErrDamaged)
}

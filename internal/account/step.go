package account

import (
	"context"
	"errors"
	"fmt"
)

// A step makes one fact about the machine true.
type step struct {
	what      string                              // the sentence to report once it was done
	satisfied func(context.Context) (bool, error) // is the fact true already?
	do        func(context.Context) error
	// undo reverts whatever part of do happened, also if do failed in between. nil:
	// there is nothing to revert.
	undo func(context.Context) error
	// final marks a step that cannot be reverted: once it is done, a later failure
	// leaves everything as it is, and the same command continues from there.
	final bool
}

// apply makes all steps true, in order, and then checks all of them again.
func (s *System) apply(ctx context.Context, steps []step) (report []string, err error) {
	var begun []step
	for i, st := range steps {
		if err = s.applyOne(ctx, i, st, &begun); err != nil {
			break
		}
	}
	if err == nil {
		err = verify(ctx, steps)
	}
	if err == nil {
		return sentences(begun), nil
	}
	// Reverting must not be interrupted.
	ctx = context.WithoutCancel(ctx)
	for i := len(begun) - 1; i >= 0; i-- {
		st := begun[i]
		if st.final {
			if ok, _ := st.satisfied(ctx); ok {
				return sentences(begun[:i+1]), fmt.Errorf("%w\nIt cannot be taken back any more; mend this and run the same command again to finish", err)
			}
		}
		if st.undo == nil {
			continue
		}
		if uerr := st.undo(ctx); uerr != nil {
			err = errors.Join(err, fmt.Errorf("taking back %q failed too: %w", st.what, uerr))
		}
	}
	return nil, err
}

func (s *System) applyOne(ctx context.Context, i int, st step, begun *[]step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ok, err := st.satisfied(ctx)
	if ok || err != nil {
		return err
	}
	*begun = append(*begun, st)
	if s.fault != nil {
		if err := s.fault(i, st.what, false); err != nil {
			return err
		}
	}
	if err := st.do(ctx); err != nil {
		return err
	}
	if s.fault != nil {
		return s.fault(i, st.what, true)
	}
	return nil
}

func verify(ctx context.Context, steps []step) error {
	for _, st := range steps {
		ok, err := st.satisfied(ctx)
		if err != nil {
			return fmt.Errorf("looking again: %w", err)
		}
		if !ok {
			return fmt.Errorf("looking again: %q did not last; is something else changing the machine's accounts?", st.what)
		}
	}
	return nil
}

func sentences(steps []step) []string {
	var out []string
	for _, st := range steps {
		if st.what != "" {
			out = append(out, st.what)
		}
	}
	return out
}

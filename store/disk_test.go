package store

import (
	"context"
	"errors"
	"testing"
	"time"
)

// What one transaction asks the upload volume is bounded. A change that exceeds what is
// left of the budget gets a transaction of its own; one that exceeds a whole budget fails
// and changes nothing.
func TestATransactionsQuestionsToTheDiskAreBounded(t *testing.T) {
	s := bareStore(t)
	w := s.NewWriter()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	asks := func(key string, calls int, bytes int64) func(*Tx) error {
		return func(tx *Tx) error {
			b := tx.Budget()
			b.Begin()
			defer b.End()
			return errors.Join(note(key)(tx), b.Spend(calls, bytes))
		}
	}
	version := commits(t, s)
	changes := []func(*Tx) error{
		asks("little", 1, 0), asks("half of the calls", askCalls/2+1, 0), asks("half again", askCalls/2+1, 0),
		asks("too many calls", askCalls+1, 0), asks("too many bytes", 0, askBytes+1), asks("all bytes", 0, askBytes), asks("little too", 1, 1),
		func(tx *Tx) error {
			b := tx.Budget()
			b.began = time.Now().Add(-2 * askTime)
			return errors.Join(note("too long")(tx), b.Spend(1, 0))
		},
	}
	results := make([]error, len(changes))
	seen := map[int64]bool{}
	told := make(chan bool, len(changes))
	for i, apply := range changes {
		if err := w.Submit(ctx, Change{Apply: apply, Done: func(err error) { results[i] = err; seen[version()] = true; told <- true }}); err != nil {
			t.Fatal(err)
		}
	}
	go w.Run(ctx)
	for range changes {
		<-told
	}
	for i, want := range []bool{true, true, true, false, false, true, true, false} {
		if got := results[i]; (got == nil) != want || got != nil && (!errors.Is(got, ErrOverBudget) || !errors.Is(got, ErrUnsure)) {
			t.Errorf("change %d: %v", i, got)
		}
	}
	if n := s.noted(t); n != 5 {
		t.Errorf("%d were kept, want 5", n)
	}
	if len(seen) < 4 {
		t.Errorf("all in %d transactions", len(seen))
	}
	var none *Budget
	none.Begin()
	if err := none.Spend(1<<30, 1<<60); err != nil {
		t.Errorf("outside a transaction: %v", err)
	}
	none.End()
}

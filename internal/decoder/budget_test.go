package decoder

import (
	"context"
	"testing"
	"time"
)

// However much memory the pictures of one account need, and however many of them
// wait, another account's ordinary photo does not.
func TestTheBudgetIsShared(t *testing.T) {
	b := newBudget(1 << 30)
	first, err := b.acquire(t.Context(), "studio", 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error, 2)
	for range 2 {
		go func() {
			release, err := b.acquire(ctx, "studio", 1<<30)
			if err == nil {
				release()
			}
			waits <- err
		}()
	}
	limit, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	other, err := b.acquire(limit, "school", 100<<20)
	if err != nil {
		t.Fatalf("the school waits for the studio: %v", err)
	}
	other()
	select {
	case <-waits:
		t.Fatal("one account has more than its share")
	default:
	}
	first()
	if err := <-waits; err != nil {
		t.Error(err)
	}
	cancel()
	<-waits
	if len(b.shares) != 0 {
		t.Errorf("%d shares are left", len(b.shares))
	}
}

package decoder

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A budget is the memory that all requests at work may need together. One account
// never has all of it: a share that ordinary photos fit in is left, so that nobody
// waits for another account's pictures, however much they need and however long.
type budget struct {
	all  *semaphore.Weighted
	most int64 // for one account

	mu     sync.Mutex
	shares map[string]*share
}

type share struct {
	sem   *semaphore.Weighted
	users int // holding or waiting
}

func newBudget(bytes int64) *budget {
	return &budget{all: semaphore.NewWeighted(bytes), most: bytes - bytes/8, shares: map[string]*share{}}
}

// acquire waits until bytes are there; more than an account may have counts as all
// that it may. The account's own queue comes first, so that who waits for his own
// requests is not in the others' way.
func (b *budget) acquire(ctx context.Context, account string, bytes int64) (release func(), err error) {
	bytes = min(bytes, b.most)
	b.mu.Lock()
	s := b.shares[account]
	if s == nil {
		s = &share{sem: semaphore.NewWeighted(b.most)}
		b.shares[account] = s
	}
	s.users++
	b.mu.Unlock()
	leave := func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if s.users--; s.users == 0 {
			delete(b.shares, account)
		}
	}
	if err := s.sem.Acquire(ctx, bytes); err != nil {
		leave()
		return nil, err
	}
	if err := b.all.Acquire(ctx, bytes); err != nil {
		s.sem.Release(bytes)
		leave()
		return nil, err
	}
	return func() {
		b.all.Release(bytes)
		s.sem.Release(bytes)
		leave()
	}, nil
}

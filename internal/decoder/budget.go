package decoder

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// A budget bounds the memory that all running requests may need together. One account
// never gets all of it: a share that is enough for ordinary photos is left for the others,
// so that no account waits for another's pictures.
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

// acquire waits until so many bytes are free. More than one account may have counts as all
// that it may have. An account waits for its own requests first, so that it does not take
// a place in the queue of all meanwhile.
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

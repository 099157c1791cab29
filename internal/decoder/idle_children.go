package decoder

import (
	"sync"
	"time"
)

// idle holds the children without work, the one that has been idle longest first.
// There are never more of them than free places.
type idle struct {
	mu       sync.Mutex
	children []*child
}

// put takes back a child that is to go on living.
func (i *idle) put(c *child) {
	c.since = time.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.children = append(i.children, c)
}

// take gives out a child that has served this account, or no account yet. If c is nil a
// new child must be started. If no place without a child is left for it, the child that
// has been idle longest is surplus and must be ended first. free is the number of places
// besides the one just taken.
func (i *idle) take(account string, free int) (c, surplus *child) {
	i.mu.Lock()
	defer i.mu.Unlock()
	best := -1
	for k, c := range i.children {
		if c.account == account {
			best = k
			break
		}
		if c.account == "" {
			best = k
		}
	}
	switch {
	case best >= 0:
		c = i.remove(best)
	case len(i.children) > free:
		surplus = i.remove(0)
	}
	if c != nil && c.dead() {
		c, surplus = nil, c
	}
	return c, surplus
}

func (i *idle) remove(k int) *child {
	c := i.children[k]
	i.children = append(i.children[:k], i.children[k+1:]...)
	return c
}

// retire ends the children that have served an account, but not since then.
func (i *idle) retire(then time.Time) {
	var old []*child
	i.mu.Lock()
	for k := 0; k < len(i.children); {
		if c := i.children[k]; c.account != "" && c.since.Before(then) {
			old = append(old, i.remove(k))
		} else {
			k++
		}
	}
	i.mu.Unlock()
	for _, c := range old {
		c.end()
	}
}

package decoder

import (
	"sync"
	"time"
)

// idle is the children that have nothing to do, the one that waits longest first.
// There are never more than free places.
type idle struct {
	mu       sync.Mutex
	children []*child
}

// put takes back a child that is to live on.
func (i *idle) put(c *child) {
	c.since = time.Now()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.children = append(i.children, c)
}

// take gives out a child that has served this account, or none at all. Where there is
// none a new one must be started. Then, if no place without a child is left (free is
// how many places there are besides the one just taken), surplus must be ended for it,
// which has waited longest.
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

// retire ends the children that have served somebody, and nobody since then.
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

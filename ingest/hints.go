package ingest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"picday/layout"
	"picday/store"
)

// hints are the paths that are said to be missing, until it is known of each
// whether it is there. An answer that is not to be had (no descriptor left, a
// full disk, a volume that is not mounted) is asked for again: otherwise what was
// deleted would stay published until somebody scans everything.
type hints struct {
	mu  sync.Mutex
	all map[hint]*chase

	last   error // why what is overdue could not be withdrawn
	lastAt time.Time
}

// A hint is about a path and all that was known below it.
type hint struct{ account, path string }

// A chase is what has become of a hint so far.
type chase struct {
	since time.Time
	due   time.Time // zero: under way
	tries int
	again bool // hinted at once more meanwhile
	why   error
}

// An Unsure is a missing path of which nothing could be proven yet.
type Unsure struct {
	Account, Path string
	Since         time.Time
	Why           error
}

const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// maxHints of one account become one about everything it has.
	maxHints = 1000
)

// Gone follows up the hint that a file or folder is missing, until it is known
// whether it is.
func (in *Ingester) Gone(ctx context.Context, name, path string) {
	a, ok := in.account(name)
	if !ok {
		return
	}
	h := hint{name, path}
	if in.hints.begin(h) {
		in.follow(ctx, a, h, "", nil)
	}
}

// begin tells whether the hint is to be followed now.
func (k *hints) begin(h hint) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil {
		k.all = map[hint]*chase{}
	}
	c := k.all[h]
	if c == nil {
		c = &chase{since: time.Now()}
		k.all[h] = c
	} else if c.due.IsZero() {
		c.again = true
		return false
	}
	c.due = time.Time{}
	return true
}

// follow takes so many files of what is missing in one transaction, from the
// first one behind the path from, and goes on with the next.
func (in *Ingester) follow(ctx context.Context, a account, h hint, from string, doubt error) {
	var missing []string
	var next string
	err := in.Writer.Submit(ctx, store.Change{
		Apply: func(tx *store.Tx) error {
			unsure, err := in.askDisk(tx.Budget(), func(d store.Disk) (err error) {
				missing, next, err = tx.Missing(a.Account, h.path, from, sweepLimit, d)
				return err
			})
			if unsure != nil {
				doubt = unsure
			}
			return err
		},
		Done: func(err error) {
			if err != nil {
				in.notSure(ctx, h, err)
				return
			}
			if len(missing) > 0 {
				in.Log.Info().Str("account", a.Name).Str("path", layout.Shown(h.path)).Int("files", len(missing)).Msg("missing")
				// A file that came back before this was committed was seen
				// just as the catalogue knew it.
				for _, p := range missing {
					in.Look(a.Name, p)
				}
			}
			go in.followUp(ctx, a, h, next, doubt)
		},
	})
	if err != nil {
		in.notSure(ctx, h, err)
	}
}

// followUp is what comes after one transaction's worth.
func (in *Ingester) followUp(ctx context.Context, a account, h hint, next string, doubt error) {
	if next != "" {
		in.follow(ctx, a, h, next, doubt)
		return
	}
	if a.Layout == store.Portraits {
		doubt = errors.Join(doubt, in.secondChance(ctx, a, h.path))
	}
	if doubt != nil {
		in.notSure(ctx, h, doubt)
		return
	}
	in.hints.mu.Lock()
	c := in.hints.all[h]
	once := c != nil && c.again
	delete(in.hints.all, h)
	in.hints.mu.Unlock()
	if once {
		in.Gone(ctx, h.account, h.path)
	}
}

// notSure keeps a hint for later.
func (in *Ingester) notSure(ctx context.Context, h hint, why error) {
	if ctx.Err() != nil {
		return // the scan at the next start finds it
	}
	in.hints.mu.Lock()
	c := in.hints.all[h]
	if c == nil {
		in.hints.mu.Unlock()
		return
	}
	c.tries++
	c.why, c.again = why, false
	c.due = time.Now().Add(min(firstRetry<<min(c.tries-1, 10), lastRetry))
	first := c.tries == 1
	in.hints.mu.Unlock()
	if first {
		in.Log.Warn().Err(why).Str("account", h.account).Str("path", layout.Shown(h.path)).Msg("cannot tell whether it was deleted, will try again")
	}
}

// retryHints follows those whose time has come once more.
func (in *Ingester) retryHints(ctx context.Context, now time.Time) {
	for _, h := range in.hints.dueBy(now, in.whole) {
		a, ok := in.account(h.account)
		if !ok { // removed meanwhile
			in.hints.mu.Lock()
			delete(in.hints.all, h)
			in.hints.mu.Unlock()
			continue
		}
		in.follow(ctx, a, h, "", nil)
	}
}

// whole is the path that stands for everything near another, where an account
// has too many hints: its job, or lincoln/user-pictures.
func (in *Ingester) whole(h hint) hint {
	a, ok := in.account(h.account)
	parts := strings.SplitN(h.path, "/", 3)
	if ok && a.Layout == store.Portraits && len(parts) > 1 {
		return hint{h.account, parts[0] + "/" + parts[1]}
	}
	return hint{h.account, parts[0]}
}

func (k *hints) dueBy(now time.Time, whole func(hint) hint) (due []hint) {
	k.mu.Lock()
	defer k.mu.Unlock()
	count := map[string]int{}
	for h, c := range k.all {
		if !c.due.IsZero() {
			count[h.account]++
		}
	}
	for h, c := range k.all {
		if w := whole(h); count[h.account] > maxHints && w != h && !c.due.IsZero() {
			delete(k.all, h)
			if k.all[w] == nil {
				k.all[w] = c
			} else if k.all[w].due.IsZero() {
				k.all[w].again = true
			}
		}
	}
	for h, c := range k.all {
		if !c.due.IsZero() && !c.due.After(now) {
			c.due = time.Time{}
			due = append(due, h)
		}
	}
	return due
}

func (k *hints) unproven(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last, k.lastAt = why, time.Now()
}

// Unwithdrawn is why photos stay published whose files have been missing for
// longer than the grace, nil once a round has gone without.
func (in *Ingester) Unwithdrawn() error {
	in.hints.mu.Lock()
	defer in.hints.mu.Unlock()
	if time.Since(in.hints.lastAt) > 2*unprovenWait {
		return nil
	}
	return in.hints.last
}

// Unsure lists the missing paths of which nothing could be proven yet, the
// oldest first.
func (in *Ingester) Unsure() []Unsure {
	in.hints.mu.Lock()
	defer in.hints.mu.Unlock()
	var all []Unsure
	for h, c := range in.hints.all {
		if c.tries > 0 {
			all = append(all, Unsure{h.account, h.path, c.since, c.why})
		}
	}
	slices.SortFunc(all, func(a, b Unsure) int { return a.Since.Compare(b.Since) })
	return all
}

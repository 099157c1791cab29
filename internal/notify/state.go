package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"picday/store"
)

// warnAfter is how long delivery to a receiver must have failed for a warning.
const warnAfter = time.Hour

// Warnings returns a sentence, for picday status, for each receiver to which delivery has
// failed for an hour.
func Warnings(ctx context.Context, s *store.Store, now time.Time) ([]string, error) {
	lanes, err := s.FailingLanes(ctx)
	var all []string
	said := map[string]bool{}
	for _, l := range lanes {
		if to := l.Receiver.String(); now.Sub(l.FailingSince) >= warnAfter && !said[to] {
			said[to] = true
			all = append(all, fmt.Sprintf("events have not reached %s since %s, and are tried again: %s", to, l.FailingSince.Format(time.RFC3339), l.Error))
		}
	}
	return all, err
}

// Numbers are for metrics.
type Numbers struct {
	Waiting  map[string]int       // deliveries, by channel
	Oldest   map[string]time.Time // since when the first of them waits
	Failures map[string]int64     // attempts since the start
}

// Numbers reads the numbers of all channels that are configured.
func (n *Notifier) Numbers(ctx context.Context) (Numbers, error) {
	all := Numbers{Waiting: map[string]int{}, Oldest: map[string]time.Time{}}
	for channel := range n.senders {
		all.Waiting[channel] = 0
	}
	n.mu.Lock()
	all.Failures = maps.Clone(n.failures)
	n.mu.Unlock()
	backlogs, err := n.Store.Backlogs(ctx)
	for _, b := range backlogs {
		all.Waiting[b.Via], all.Oldest[b.Via] = b.Waiting, b.Oldest
	}
	return all, err
}

// Channels returns the configured channels, sorted.
func (n *Notifier) Channels() []string { return slices.Sorted(maps.Keys(n.senders)) }

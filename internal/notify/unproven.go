package notify

import (
	"context"
	"slices"
	"time"

	"picday/store"
)

// unprovenAfter is the time without proof that picdayd works after which a notice is sent,
// as long as in the alert PicdayNotAlive.
const unprovenAfter = 2 * time.Minute

// A silence is a time in which picdayd is not proven to work. Its notice does not need the
// catalogue, which may be the cause.
type silence struct {
	since    time.Time
	notice   store.Notice
	recorded bool // in the outbox, so that Deliver delivers it
	accepted map[store.Receiver]bool
	tries    map[store.Receiver]int
	due      map[store.Receiver]time.Time
}

// watch checks until ctx ends whether picdayd is proven to work.
func (n *Notifier) watch(ctx context.Context) {
	var s *silence
	n.repeat(ctx, lookEvery, func(ctx context.Context, now time.Time) error {
		var err error
		s, err = n.Watch(ctx, s, now)
		return err
	}, "tell that picdayd is not proven to work")
}

// Watch is one check at now; s is the result of the check before. It does not read the
// catalogue, because one that does not answer must not delay the notice.
func (n *Notifier) Watch(ctx context.Context, s *silence, now time.Time) (*silence, error) {
	failing, proven := n.Failing(), n.Proven()
	since := n.started
	if !proven.IsZero() {
		since = proven
	}
	if failing == nil && now.Sub(since) < unprovenAfter {
		if s == nil {
			return nil, nil
		}
		if err := n.endSilence(ctx, s, now); err != nil {
			return s, err
		}
		return nil, nil
	}
	if now.Sub(since) < unprovenAfter {
		return s, nil
	}
	if s == nil {
		why := "it has no proof of it"
		if failing != nil {
			why = failing.Error()
		}
		s = &silence{
			since: since.UTC(),
			notice: newNotice(now, DaemonUnproven, 0, "", Unproven{Since: since.UTC(), Why: why},
				"picdayd on %s has not been proven to work since %s: %s", hostName(), since.UTC().Format(time.RFC3339), why),
			accepted: map[store.Receiver]bool{}, tries: map[store.Receiver]int{}, due: map[store.Receiver]time.Time{},
		}
		n.Log.Warn().Str("id", s.notice.Key).Str("type", DaemonUnproven).Msg("event")
	}
	if s.recorded {
		return s, nil
	}
	if err := n.record(ctx, s); err == nil {
		return s, nil
	}
	n.sendDirectly(ctx, s, now)
	return s, nil
}

// record adds the notice of a silence to the outbox, for the receivers that do not have it
// yet, and then further notices.
func (n *Notifier) record(ctx context.Context, s *silence, also ...store.Notice) error {
	to := n.machineReceivers()
	rest := slices.Clone(to)
	for i, r := range rest {
		rest[i].Delivered = s.accepted[store.Receiver{Via: r.Via, Who: r.Who}]
	}
	err := n.write(ctx, "watch", func(tx *store.Tx) error {
		if !s.recorded {
			if _, err := tx.AddNotice(s.notice, rest); err != nil {
				return err
			}
		}
		for _, notice := range also {
			if _, err := tx.AddNotice(notice, to); err != nil {
				return err
			}
		}
		return nil
	})
	s.recorded = s.recorded || err == nil
	return err
}

// endSilence adds the notice that picdayd works again.
func (n *Notifier) endSilence(ctx context.Context, s *silence, now time.Time) error {
	return n.record(ctx, s, newNotice(now, DaemonProven, 0, "", Unproven{Since: s.since, Until: new(now.UTC())},
		"picdayd on %s is proven to work again", hostName()))
}

// machineReceivers returns the receivers of notices about the machine that were known last.
func (n *Notifier) machineReceivers() []store.Receiver {
	to := webhooksFor(n.Config, "")
	n.mu.Lock()
	defer n.mu.Unlock()
	for operator := range n.mailed {
		if n.Config.Mail.Server != "" {
			to = append(to, store.Receiver{Via: store.ViaMail, Who: operator, Interval: n.Config.Mail.Every.Std()})
		}
	}
	return to
}

// sendDirectly sends the notice of a silence without the catalogue, to each receiver until
// it has accepted it.
func (n *Notifier) sendDirectly(ctx context.Context, s *silence, now time.Time) {
	for _, r := range n.machineReceivers() {
		r.Interval = 0
		if s.accepted[r] || s.due[r].After(now) {
			continue
		}
		n.mu.Lock()
		to := n.mailed[r.Who]
		n.mu.Unlock()
		if err := n.senders[r.Via].send(ctx, to, []store.Notice{s.notice}); err != nil {
			s.tries[r]++
			s.due[r] = now.Add(delay(s.tries[r], n.jitter()))
			n.mu.Lock()
			n.failures[r.Via]++
			n.mu.Unlock()
			n.Log.Warn().Stringer("receiver", r).Int("tries", s.tries[r]).Err(err).Msg("not delivered")
			continue
		}
		s.accepted[r] = true
		n.Log.Info().Stringer("receiver", r).Str("last", s.notice.Key).Msg("delivered, without the catalogue")
	}
}

// reportDowntime adds a notice, at a start, if picdayd did not run for longer than
// notify.waiting and nobody was told of it yet.
func (n *Notifier) reportDowntime(ctx context.Context) error {
	last := n.LastProven
	if n.Told || last.IsZero() || n.started.Sub(last) < n.Config.Notify.Waiting.Std() {
		return nil
	}
	notice := newNotice(n.started, DaemonUnproven, 0, "", Unproven{Since: last, Until: new(n.started.UTC()), Why: "it did not run"},
		"picdayd on %s did not run from %s until %s, and took nothing in", hostName(), last.Format(time.RFC3339), n.started.UTC().Format(time.RFC3339))
	return n.addNotices(ctx, "look", []finding{{&notice, func(*store.Tx) error { return nil }}})
}

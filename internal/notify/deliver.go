package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"picday/store"
)

// delays are the times from each failure to the next try; the last one repeats.
var delays = []time.Duration{
	5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// giveUpAfter is how long a notice waits for a receiver that fails.
const giveUpAfter = 7 * 24 * time.Hour

// delay returns the time to the next try after a number of failures, varied by a fifth, so
// that many installations do not try a receiver in the same second.
func delay(failures int, jitter float64) time.Duration {
	d := delays[min(max(failures, 1), len(delays))-1]
	return time.Duration(float64(d) * (0.8 + 0.4*jitter))
}

// Deliver tries the first lane of a channel if it is due at now. It returns when the next
// one is due, or the zero time if nothing waits. A failure of the receiver is no error: it
// is recorded in the catalogue, and the lane is tried again.
func (n *Notifier) Deliver(ctx context.Context, channel string, now time.Time) (next time.Time, err error) {
	l, found, err := n.Store.NextLane(ctx, channel)
	if err != nil || !found {
		return time.Time{}, err
	}
	if l.Due.After(now) {
		return l.Due, nil
	}
	if channel == store.ViaMail {
		l.Interval = n.Config.Mail.Every.Std()
	}
	if last, done := n.sentBefore(l); done { // sent, but not recorded yet
		return now, n.endDelivery(ctx, l, last, store.Delivered, now)
	}
	to := n.senders[channel]
	notices, err := n.Store.WaitingNotices(ctx, l, to.maxNotices())
	if err != nil {
		return time.Time{}, err
	}
	if len(notices) == 0 { // they were pruned meanwhile
		return now, n.endDelivery(ctx, l, store.Notice{}, store.GivenUp, now)
	}
	last := notices[len(notices)-1]
	var box mailbox
	if l.Who != "" {
		address, speaks, ferr := n.Store.MailAddress(ctx, l.Who, l.AccountID)
		box, err = mailbox{address, n.languageOf(speaks)}, ferr
		if errors.Is(err, store.ErrNotFound) { // the operator gets these notices no longer
			return now, n.endDelivery(ctx, l, last, store.GivenUp, now)
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	if failed := to.send(ctx, box, notices); failed != nil {
		if ctx.Err() != nil {
			return time.Time{}, ctx.Err()
		}
		return now, n.deliveryFailed(ctx, l, failed, now)
	}
	n.Log.Info().Stringer("receiver", l.Receiver).Int("events", len(notices)).Str("last", last.Key).Msg("delivered")
	return now, n.endDelivery(ctx, l, last, store.Delivered, now)
}

// endDelivery records the end of a delivery. Until that is committed, n.sent keeps this
// process from sending it again.
func (n *Notifier) endDelivery(ctx context.Context, l store.Lane, last store.Notice, state store.DeliveryState, now time.Time) error {
	key := store.Receiver{Via: l.Via, Who: l.Who}
	n.mu.Lock()
	if n.sent[key] == nil {
		n.sent[key] = map[int64]store.Notice{}
	}
	if state == store.Delivered {
		n.sent[key][l.AccountID] = last
	}
	n.mu.Unlock()
	err := n.write(ctx, l.Via, func(tx *store.Tx) error { return tx.EndDelivery(l, last, state, now) })
	if err == nil {
		n.mu.Lock()
		delete(n.sent[key], l.AccountID)
		n.mu.Unlock()
	}
	return err
}

func (n *Notifier) sentBefore(l store.Lane) (store.Notice, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	last, done := n.sent[store.Receiver{Via: l.Via, Who: l.Who}][l.AccountID]
	return last, done
}

func (n *Notifier) deliveryFailed(ctx context.Context, l store.Lane, why error, now time.Time) error {
	n.mu.Lock()
	n.failures[l.Via]++
	n.mu.Unlock()
	next := now.Add(delay(l.Tries+1, n.jitter()))
	n.Log.Warn().Stringer("receiver", l.Receiver).Int("tries", l.Tries+1).Time("next", next).Err(why).Msg("not delivered")
	return n.write(ctx, l.Via, func(tx *store.Tx) error {
		return tx.DeliveryFailed(l, brief(why.Error()), next, now.Add(-giveUpAfter), now)
	})
}

func (n *Notifier) jitter() float64 {
	if n.Jitter != nil {
		return n.Jitter()
	}
	return rand.Float64()
}

// brief shortens a receiver's text for the catalogue.
func brief(text string) string {
	runes := []rune(text)
	if len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return text
}

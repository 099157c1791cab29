package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"picday/internal/config"
	"picday/internal/contract"
	"picday/store"
)

// List is what 'picday events list' shows, the latest first: of one account, or of all
// and the machine.
func List(ctx context.Context, s *store.Store, account string, undelivered bool) (all []contract.Notice, err error) {
	notices, err := s.Notices(ctx, store.NoticeQuery{Account: account, Undelivered: undelivered})
	if err != nil {
		return nil, err
	}
	for _, n := range notices {
		deliveries, err := s.Deliveries(ctx, n.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, contract.NewNotice(n, deliveries))
	}
	return all, nil
}

// Retry makes deliveries due now that wait or were given up: of the events with these
// ids, or, without, of all. It returns how many there are.
func Retry(ctx context.Context, s *store.Store, ids []string) (n int64, err error) {
	err = s.Update(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.RetryNotices(ids, time.Now())
		return err
	})
	return n, err
}

// testWithin is how long SendTest waits for picdayd.
const testWithin = 40 * time.Second

// SendTest has picdayd deliver a test event to every receiver of the machine's events, and
// to the operators who get those of an account, if one is named. It returns the event
// when each of them was tried, or when that takes too long.
func SendTest(ctx context.Context, c config.Config, s *store.Store, a store.Account) (contract.Notice, error) {
	to, err := Receivers(ctx, c, s, a.ID, a.Name)
	if err != nil {
		return contract.Notice{}, err
	}
	for i := range to {
		to[i].Interval = 0
	}
	n := TestNotice(time.Now(), hostName())
	n.AccountID, n.Account = a.ID, a.Name
	if err := s.Update(ctx, func(tx *store.Tx) (err error) { n, err = tx.AddNotice(n, to); return err }); err != nil {
		return contract.Notice{}, err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(testWithin); ; {
		deliveries, err := s.Deliveries(ctx, n.ID)
		e := contract.NewNotice(n, deliveries)
		if err != nil || e.Tried() {
			return e, err
		}
		select {
		case <-tick.C:
		case <-late:
			return e, nil
		case <-ctx.Done():
			return e, ctx.Err()
		}
	}
}

// Judge is an error if an event of SendTest has not arrived everywhere.
func Judge(e contract.Notice) error {
	switch n := e.Undelivered(); {
	case len(e.Deliveries) == 0:
		return errors.New("nobody is to be told: set [mail] or [[webhook]] in picday.toml and restart picdayd, and give operators an address with 'picday operator email'")
	case !e.Tried():
		return errors.New("picdayd has not tried it yet: does it run ('picday status'), with this configuration? Or earlier events still wait: 'picday events list --undelivered'")
	case n > 0:
		return fmt.Errorf("%d of %d receivers do not have it, and it is tried again: 'picday doctor' may say more", n, len(e.Deliveries))
	}
	return nil
}

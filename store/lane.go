package store

import (
	"context"
	"database/sql"
	"time"
)

// A Lane is the queue of the notices about one account for one receiver. They are
// delivered in order, so a failed delivery holds up those behind it.
type Lane struct {
	Receiver
	AccountID    int64 // 0 = about the machine
	Due          time.Time
	Tries        int       // failed tries since the last success
	FailingSince time.Time // zero = the last try succeeded
	Error        string
}

// NextLane finds the lane of a channel (ViaMail, or ViaWebhook and its name) that is due
// first; found is false if nothing waits.
func (s *Store) NextLane(ctx context.Context, via string) (l Lane, found bool, err error) {
	all, err := collect(ctx, s.read, scanLane, laneColumns+`WHERE via = ? AND due_at IS NOT NULL ORDER BY due_at LIMIT 1`, via)
	if err != nil || len(all) == 0 {
		return l, false, err
	}
	return all[0], true, nil
}

// FailingLanes lists the lanes whose last try failed, the one that has failed longest
// first.
func (s *Store) FailingLanes(ctx context.Context) ([]Lane, error) {
	return collect(ctx, s.read, scanLane, laneColumns+`WHERE failing_since IS NOT NULL AND due_at IS NOT NULL ORDER BY failing_since LIMIT 1000`)
}

const laneColumns = `SELECT via, who, account_id, coalesce(due_at, 0), tries, coalesce(failing_since, 0), error FROM lane `

func scanLane(r *sql.Rows) (l Lane, err error) {
	var due, failing int64
	err = r.Scan(&l.Via, &l.Who, &l.AccountID, &due, &l.Tries, &failing, &l.Error)
	l.Due, l.Error = fromMillis(due), oneLine(l.Error)
	if failing != 0 {
		l.FailingSince = fromMillis(failing)
	}
	return l, err
}

// WaitingNotices lists the first notices that wait in a lane, in order.
func (s *Store) WaitingNotices(ctx context.Context, l Lane, limit int) ([]Notice, error) {
	return collect(ctx, s.read, scanNotice, `SELECT n.id, n.key, n.at, n.kind, coalesce(n.account_id, 0), coalesce(a.name, ''), n.message, n.data
		FROM delivery d CROSS JOIN notice n ON n.id = d.notice_id LEFT JOIN account a ON a.id = n.account_id
		WHERE d.via = ? AND d.who = ? AND d.account_id = ? AND d.state = 'waiting' ORDER BY d.notice_id LIMIT ?`,
		l.Via, l.Who, l.AccountID, limit)
}

// CountWaiting counts the notices that wait in a lane, up to limit.
func (s *Store) CountWaiting(ctx context.Context, l Lane, limit int) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM delivery WHERE via = ? AND who = ? AND account_id = ? AND state = 'waiting' LIMIT ?)`,
		l.Via, l.Who, l.AccountID, limit).Scan(&n)
	return n, err
}

// EndDelivery sets the state, Delivered or GivenUp, of the waiting notices of a lane up
// to the given one. The notices behind them are due after the lane's interval.
func (tx *Tx) EndDelivery(l Lane, upto Notice, state DeliveryState, now time.Time) error {
	if _, err := tx.exec(`UPDATE delivery INDEXED BY delivery_waiting SET state = ?, at = ? WHERE via = ? AND who = ? AND account_id = ? AND notice_id <= ? AND state = 'waiting'`,
		state, millis(now), l.Via, l.Who, l.AccountID, upto.ID); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE lane SET sent_at = ?4, tries = 0, failing_since = NULL, error = '', due_at = CASE WHEN `+laneWaits+` THEN ?4 + ?5 END
		WHERE via = ?1 AND who = ?2 AND account_id = ?3`, l.Via, l.Who, l.AccountID, millis(now), l.Interval.Milliseconds())
	return err
}

const laneWaits = `EXISTS (SELECT 1 FROM delivery d WHERE d.via = lane.via AND d.who = lane.who AND d.account_id = lane.account_id AND d.state = 'waiting')`

// DeliveryFailed notes a failed try, and when the next is due. Notices that have waited
// since before giveUp are given up.
func (tx *Tx) DeliveryFailed(l Lane, why string, next, giveUp, now time.Time) error {
	if _, err := tx.exec(`UPDATE delivery INDEXED BY delivery_waiting SET state = 'given-up', at = ?4 WHERE via = ?1 AND who = ?2 AND account_id = ?3 AND state = 'waiting' AND at < ?5`,
		l.Via, l.Who, l.AccountID, millis(now), millis(giveUp)); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE lane SET tries = tries + 1, failing_since = coalesce(failing_since, ?4), error = ?5, due_at = CASE WHEN `+laneWaits+` THEN ?6 END
		WHERE via = ?1 AND who = ?2 AND account_id = ?3`, l.Via, l.Who, l.AccountID, millis(now), why, millis(next))
	return err
}

// A Backlog counts what waits to be delivered by one channel.
type Backlog struct {
	Via     string
	Waiting int       // deliveries
	Oldest  time.Time // since when the first of them waits
}

// Backlogs counts what waits, by channel.
func (s *Store) Backlogs(ctx context.Context) ([]Backlog, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (b Backlog, err error) {
		var oldest int64
		err = r.Scan(&b.Via, &b.Waiting, &oldest)
		b.Via, b.Oldest = oneLine(b.Via), fromMillis(oldest)
		return b, err
	}, `SELECT via, count(*), min(at) FROM delivery WHERE state = 'waiting' GROUP BY via`)
}

// EndLanes deletes the lanes of a receiver by one channel. What waits is given up.
func (tx *Tx) EndLanes(via, who string) error {
	if _, err := tx.exec(`UPDATE delivery INDEXED BY delivery_waiting SET state = 'given-up', at = ? WHERE via = ? AND who = ? AND state = 'waiting'`, millis(tx.now), via, who); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM lane WHERE via = ? AND who = ?`, via, who)
	return err
}

// EndChannel deletes the lanes of all receivers of a channel. What waits is given up.
func (tx *Tx) EndChannel(via string) error {
	if _, err := tx.exec(`UPDATE delivery SET state = 'given-up', at = ? WHERE via = ? AND state = 'waiting'`, millis(tx.now), via); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM lane WHERE via = ?`, via)
	return err
}

// Channels lists the channels by which something waits to be delivered.
func (s *Store) Channels(ctx context.Context) ([]string, error) {
	return column[string](ctx, s.read, `SELECT DISTINCT via FROM lane WHERE due_at IS NOT NULL`)
}

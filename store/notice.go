package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A Notice is a message for people or programs. Users call it an event; in the code an
// Event is a line of the activity.
type Notice struct {
	ID        int64
	Key       string // unique, and the same at every attempt to deliver it
	At        time.Time
	Kind      string
	AccountID int64  // 0 = about the machine
	Account   string // "" = about the machine
	Message   string // a sentence
	Data      json.RawMessage
}

// A Receiver of notices: an operator by mail, or a webhook.
type Receiver struct {
	Via string // ViaMail, or ViaWebhook and its name
	Who string // the operator; "" for a webhook
	// Interval is the least time between two deliveries of notices about one account.
	Interval time.Duration
	// Delivered is set if the notice was delivered before it got into the catalogue.
	Delivered bool
}

// The values of Receiver.Via.
const (
	ViaMail    = "mail"
	ViaWebhook = "webhook:" // its name follows
)

// String is what commands call the receiver: mail:eva, webhook:shop.
func (r Receiver) String() string {
	if r.Via == ViaMail {
		return "mail:" + r.Who
	}
	return r.Via
}

// NewNoticeKey makes a key: 128 random bits.
func NewNoticeKey() string { return "evt_" + strings.ToLower(rand.Text()) }

var noticeKeyRE = regexp.MustCompile(`^evt_[a-z0-9]{8,64}$`)

// AddNotice inserts a notice with a delivery for each receiver. It returns the notice with
// its ID, and with a new Key if it had none. Whoever reads the lanes delivers it.
func (tx *Tx) AddNotice(n Notice, to []Receiver) (Notice, error) {
	if n.Key == "" {
		n.Key = NewNoticeKey()
	}
	if n.Data == nil {
		n.Data = json.RawMessage("{}")
	}
	res, err := tx.exec(`INSERT INTO notice (key, at, kind, account_id, message, data) VALUES (?, ?, ?, nullif(?, 0), ?, ?)`,
		n.Key, millis(n.At), n.Kind, n.AccountID, n.Message, string(n.Data))
	if err != nil {
		return n, err
	}
	if n.ID, err = res.LastInsertId(); err != nil {
		return n, err
	}
	for _, r := range to {
		state := Waiting
		if r.Delivered {
			state = Delivered
		}
		if _, err := tx.exec(`INSERT INTO delivery (via, who, account_id, notice_id, state, at) VALUES (?, ?, ?, ?, ?, ?)`,
			r.Via, r.Who, n.AccountID, n.ID, state, millis(n.At)); err != nil {
			return n, err
		}
		if r.Delivered {
			continue
		}
		if _, err := tx.exec(`INSERT INTO lane (via, who, account_id, due_at, sent_at, tries, error) VALUES (?1, ?2, ?3, ?4, 0, 0, '')
			ON CONFLICT (via, who, account_id) DO UPDATE SET due_at = coalesce(due_at, max(excluded.due_at, sent_at + ?5))`,
			r.Via, r.Who, n.AccountID, millis(n.At), r.Interval.Milliseconds()); err != nil {
			return n, err
		}
	}
	return n, nil
}

// A DeliveryState is the state of the delivery of a notice to one receiver.
type DeliveryState string

// The delivery states.
const (
	Waiting   DeliveryState = "waiting"
	Delivered DeliveryState = "delivered"
	GivenUp   DeliveryState = "given-up" // it failed for days, or the receiver was removed
)

// A Delivery is the delivery of a notice to one receiver.
type Delivery struct {
	Receiver
	State DeliveryState
	At    time.Time // when it got into this state
	// The following are of its lane, and only set while it waits.
	Tries int
	Error string
	Due   time.Time // of the next attempt
}

// A NoticeQuery selects notices; an empty field means any.
type NoticeQuery struct {
	Account     string
	Undelivered bool // only those with a delivery that waits or was given up
	Limit       int
}

const noticeColumns = `SELECT n.id, n.key, n.at, n.kind, coalesce(n.account_id, 0), coalesce(a.name, ''), n.message, n.data
	FROM notice n LEFT JOIN account a ON a.id = n.account_id `

func scanNotice(r *sql.Rows) (n Notice, err error) {
	var at int64
	var data string
	err = r.Scan(&n.ID, &n.Key, &at, &n.Kind, &n.AccountID, &n.Account, &n.Message, &data)
	n.At, n.Message, n.Kind = fromMillis(at), oneLine(n.Message), oneLine(n.Kind)
	if n.Data = json.RawMessage(data); !json.Valid(n.Data) {
		n.Data = json.RawMessage("{}")
	}
	if err == nil && !noticeKeyRE.MatchString(n.Key) { // because it becomes an HTTP header
		err = flawed("the event number", n.ID, "key", n.Key)
	}
	return n, err
}

// Notices lists notices, the latest first.
func (s *Store) Notices(ctx context.Context, q NoticeQuery) ([]Notice, error) {
	var w where
	w.text("a.name = ?", q.Account)
	w.add("coalesce(a.state, '') <> 'gone'")
	if q.Undelivered {
		w.add(`EXISTS (SELECT 1 FROM delivery d WHERE d.notice_id = n.id AND d.state <> 'delivered')`)
	}
	return collect(ctx, s.read, scanNotice, noticeColumns+w.sql()+` ORDER BY n.id DESC LIMIT ?`, append(w.args, limited(q.Limit))...)
}

// Undelivered lists the notices in the view with a delivery that waits or was given up, the
// latest first. Those about the machine are in the view of all accounts only.
func (v View) Undelivered(ctx context.Context, limit int) ([]Notice, error) {
	var w where
	w.add("coalesce(a.state, '') <> 'gone'")
	if v.account != 0 {
		w.add("n.account_id = ?", v.account)
	}
	w.add(`n.id IN (SELECT notice_id FROM delivery WHERE state <> 'delivered')`)
	return collect(ctx, v.s.read, scanNotice, noticeColumns+w.sql()+` ORDER BY n.id DESC LIMIT ?`, append(w.args, limited(limit))...)
}

// Deliveries lists the deliveries of a notice.
func (s *Store) Deliveries(ctx context.Context, noticeID int64) ([]Delivery, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (d Delivery, err error) {
		var at, due int64
		err = r.Scan(&d.Via, &d.Who, &d.State, &at, &d.Tries, &d.Error, &due)
		d.Via, d.Who, d.Error, d.At = oneLine(d.Via), login(d.Who), oneLine(d.Error), fromMillis(at)
		if d.State != Waiting {
			d.Tries, d.Error, due = 0, "", 0
		}
		if due != 0 {
			d.Due = fromMillis(due)
		}
		return d, err
	}, `SELECT d.via, d.who, d.state, d.at, coalesce(l.tries, 0), coalesce(l.error, ''), coalesce(l.due_at, 0)
		FROM delivery d LEFT JOIN lane l ON l.via = d.via AND l.who = d.who AND l.account_id = d.account_id
		WHERE d.notice_id = ? ORDER BY d.via, d.who LIMIT 1000`, noticeID)
}

// Deliveries lists the deliveries of a notice in the view.
func (v View) Deliveries(ctx context.Context, n Notice) ([]Delivery, error) {
	if v.account != 0 && v.account != n.AccountID {
		return nil, nil
	}
	return v.s.Deliveries(ctx, n.ID)
}

// RetryNotices makes the waiting deliveries due at now, and those that were given up wait
// again: of the notices with these keys, or, without keys, of all. It returns how many
// deliveries wait now, or ErrNotFound for an unknown key.
func (tx *Tx) RetryNotices(keys []string, now time.Time) (n int64, err error) {
	ids := []int64{0} // 0 = all
	if len(keys) > 0 {
		ids = nil
	}
	for _, key := range keys {
		found, err := column[int64](tx.ctx, tx.t, `SELECT id FROM notice WHERE key = ? LIMIT 1`, key)
		if err != nil {
			return 0, err
		}
		if len(found) == 0 {
			return 0, fmt.Errorf("event %s: %w", brief(key), ErrNotFound)
		}
		ids = append(ids, found[0])
	}
	for _, id := range ids {
		again, err := tx.execCount(`UPDATE delivery SET state = 'waiting', at = ?1 WHERE state <> 'delivered' AND (?2 = 0 OR notice_id = ?2)`, millis(now), id)
		if err != nil {
			return 0, err
		}
		n += again
		// Insert the lane again, because it was deleted if its receiver was removed.
		if _, err := tx.exec(`INSERT INTO lane (via, who, account_id, due_at, sent_at, tries, error)
			SELECT DISTINCT via, who, account_id, ?1, 0, 0, '' FROM delivery WHERE state = 'waiting' AND (?2 = 0 OR notice_id = ?2)
			ON CONFLICT (via, who, account_id) DO UPDATE SET due_at = excluded.due_at, tries = 0, failing_since = NULL`, millis(now), id); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// PruneNotices deletes the notices from before a time, and all but the latest most. It
// deletes at most limit of each; more tells whether there are more to delete.
func (tx *Tx) PruneNotices(before time.Time, most, limit int) (n int64, more bool, err error) {
	for _, q := range []struct {
		query string
		arg   any
	}{
		{`DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE at < ? ORDER BY at LIMIT ?)`, millis(before)},
		{`DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE id <= (SELECT id FROM notice ORDER BY id DESC LIMIT 1 OFFSET ?) ORDER BY id LIMIT ?)`, most},
	} {
		gone, err := tx.execCount(q.query, q.arg, limit)
		if err != nil {
			return n, false, err
		}
		n, more = n+gone, more || gone == int64(limit)
	}
	return n, more, nil
}

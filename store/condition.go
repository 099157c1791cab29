package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Condition is something that lasts, and about which a notice was sent.
type Condition struct {
	What      string
	AccountID int64     // 0 = the machine
	At        time.Time // of the last notice
	Upto      time.Time // of old problems: the notice covers those that began until then; else when it began
}

// Conditions lists the conditions that last.
func (s *Store) Conditions(ctx context.Context) ([]Condition, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (c Condition, err error) {
		var at, upto int64
		err = r.Scan(&c.What, &c.AccountID, &at, &upto)
		c.At, c.Upto = fromMillis(at), fromMillis(upto)
		return c, err
	}, `SELECT what, account_id, at, upto FROM told`)
}

// SetCondition records a notice about a condition.
func (tx *Tx) SetCondition(c Condition) error {
	_, err := tx.exec(`INSERT INTO told (what, account_id, at, upto) VALUES (?, ?, ?, ?)
		ON CONFLICT (what, account_id) DO UPDATE SET at = excluded.at, upto = excluded.upto`, c.What, c.AccountID, millis(c.At), millis(c.Upto))
	return err
}

// EndCondition deletes a condition that is over.
func (tx *Tx) EndCondition(c Condition) error {
	_, err := tx.exec(`DELETE FROM told WHERE what = ? AND account_id = ?`, c.What, c.AccountID)
	return err
}

// OldProblems are the problems of one account that are older than some time.
type OldProblems struct {
	AccountID int64
	Account   string
	Count     int // up to the limit
	Oldest    time.Time
	All       int // all problems of the account, also younger ones
}

// OldProblems counts, for each account, the problems that began after the time that told
// returns and not after before, up to limit.
func (s *Store) OldProblems(ctx context.Context, told func(accountID int64) time.Time, before time.Time, limit int) ([]OldProblems, error) {
	all, err := collect(ctx, s.read, func(r *sql.Rows) (p OldProblems, err error) {
		return p, r.Scan(&p.AccountID, &p.Account, &p.All)
	}, `SELECT a.id, a.name, t.problems FROM tally t JOIN account a ON a.id = t.account_id WHERE t.problems > 0 AND a.state <> 'gone'`)
	if err != nil {
		return nil, err
	}
	var old []OldProblems
	for _, p := range all {
		var oldest int64
		err := s.read.QueryRowContext(ctx, `SELECT count(*), coalesce(min(since), 0) FROM (SELECT since FROM upload
			WHERE account_id = ? AND since > ? AND since <= ? AND reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NULL ORDER BY since LIMIT ?)`,
			p.AccountID, millis(told(p.AccountID)), millis(before), limit).Scan(&p.Count, &oldest)
		if err != nil {
			return nil, err
		}
		if p.Oldest = fromMillis(oldest); p.Count > 0 {
			old = append(old, p)
		}
	}
	return old, nil
}

// LastProven returns when a daemon was last proven to work, zero if never; see Tx.Prove.
func (s *Store) LastProven(ctx context.Context) (time.Time, error) {
	var at int64
	err := s.read.QueryRowContext(ctx, `SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'alive'`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromMillis(at), err
}

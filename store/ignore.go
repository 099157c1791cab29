package store

import (
	"strconv"
	"time"

	"picday/internal/layout"
)

// Ignorable tells whether a problem may be ignored. What waits for a limit may not: it
// stands for all that waits, and may be photos.
func Ignorable(r layout.Reason) bool { return r != layout.TooManyFiles && r != layout.TooManyFolders }

// IgnoreProblem notes that an operator says that a problem is no photo. It is not counted
// or listed as one until the file changes. seen is the problem's Since as the operator was
// shown it (for a group, its Latest): what has become a problem after that fails with
// ErrNotFound. Transactions have rising times.
func (tx *Tx) IgnoreProblem(p Problem, seen time.Time, operator string) error {
	n, err := tx.execCount(`UPDATE upload SET ignored_by = ? WHERE id = ? AND since <= ? AND reason = ? AND reason NOT IN (?, ?) AND gone_at IS NULL AND ignored_by IS NULL`,
		operator, p.ID, millis(seen), p.Reason, layout.TooManyFiles, layout.TooManyFolders)
	if err != nil {
		return err
	}
	return tx.ignoredOne(n, p, EventIgnored, operator)
}

// UnignoreProblem makes an ignored file a problem again.
func (tx *Tx) UnignoreProblem(p Problem, operator string) error {
	n, err := tx.execCount(`UPDATE upload SET ignored_by = NULL WHERE id = ? AND reason IS NOT NULL AND gone_at IS NULL AND ignored_by IS NOT NULL`, p.ID)
	if err != nil {
		return err
	}
	return tx.ignoredOne(n, p, EventUnignored, operator)
}

func (tx *Tx) ignoredOne(n int64, p Problem, event Event, operator string) error {
	if n == 0 {
		return ErrNotFound
	}
	_, err := tx.exec(`INSERT INTO activity (at, account_id, event, path_shown, detail, operator)
		SELECT ?, account_id, ?, ?, ?, ? FROM upload WHERE id = ?`, millis(tx.now), event, layout.Shown(p.RawPath), p.Reason, operator, p.ID)
	return err
}

// IgnoreGroup is IgnoreProblem for at most limit files of a group, which bounds the
// transaction. It returns how many it has changed.
func (tx *Tx) IgnoreGroup(g ProblemGroup, seen time.Time, operator string, limit int) (int, error) {
	if !Ignorable(g.Reason) {
		return 0, ErrNotFound
	}
	n, err := tx.execCount(`UPDATE upload SET ignored_by = ? WHERE id IN (SELECT id FROM upload WHERE account_id = ? AND dir = ? AND reason = ? AND reason IS NOT NULL
		AND gone_at IS NULL AND ignored_by IS NULL AND +since <= ? LIMIT ?)`, operator, g.accountID, []byte(g.RawDir), g.Reason, millis(seen), limit)
	return int(n), tx.ignoredMany(n, err, g, EventIgnored, operator)
}

// UnignoreGroup is UnignoreProblem for at most limit files of a group.
func (tx *Tx) UnignoreGroup(g ProblemGroup, operator string, limit int) (int, error) {
	n, err := tx.execCount(`UPDATE upload SET ignored_by = NULL WHERE id IN (SELECT id FROM upload WHERE account_id = ? AND dir = ? AND reason = ? AND reason IS NOT NULL
		AND gone_at IS NULL AND ignored_by IS NOT NULL LIMIT ?)`, g.accountID, []byte(g.RawDir), g.Reason, limit)
	return int(n), tx.ignoredMany(n, err, g, EventUnignored, operator)
}

func (tx *Tx) ignoredMany(n int64, err error, g ProblemGroup, event Event, operator string) error {
	if err != nil || n == 0 {
		return err
	}
	return tx.addActivity(Activity{AccountID: g.accountID, Event: event, Path: layout.Shown(g.RawDir), Detail: strconv.FormatInt(n, 10), Operator: operator})
}

package store

import (
	"context"
	"database/sql"
	"time"
)

// An Event is what an entry of the activity says.
type Event string

// The events.
const (
	EventAdded     Event = "added"
	EventReplaced  Event = "replaced"
	EventMoved     Event = "moved"
	EventRestored  Event = "restored"
	EventWithdrawn Event = "withdrawn"
	EventReverted  Event = "reverted" // an earlier picture is shown again
	EventAccepted  Event = "accepted" // that the picture is another shot than before
	EventRotated   Event = "rotated"  // the link
	EventProblem   Event = "problem"
	EventDeleted   Event = "deleted" // a badly named file, after its days
)

// Events are all of them.
var Events = []Event{EventAdded, EventReplaced, EventMoved, EventRestored, EventWithdrawn, EventReverted, EventAccepted, EventRotated, EventProblem, EventDeleted}

// activityKeep is how long the activity is kept: a school year and what comes
// after it.
const activityKeep = 400 * 24 * time.Hour

// An Activity is one thing that happened.
type Activity struct {
	ID        int64
	At        time.Time
	AccountID int64
	Account   string
	Event     Event
	Path      string // for people
	Detail    string // moved: from where; problem: the Reason
	Operator  string // "" = the uploader, or picday by itself
	PhotoID   int64  // 0 = none, or ended by now
}

// happened enters it, in the transaction in which it happens.
func (tx *Tx) happened(a Activity) error {
	_, err := tx.Exec(`INSERT INTO activity (at, account_id, event, path_shown, detail, operator, photo_id) VALUES (?, ?, ?, ?, ?, ?, nullif(?, 0))`,
		millis(tx.now), a.AccountID, a.Event, a.Path, a.Detail, a.Operator, a.PhotoID)
	return err
}

// photoEvent enters what happened to a photo where it is now.
func (tx *Tx) photoEvent(photoID int64, event Event, detail, operator string) error {
	_, err := tx.Exec(`INSERT INTO activity (at, account_id, event, path_shown, detail, operator, photo_id)
		SELECT ?, account_id, ?, path_shown, ?, ?, id FROM photo WHERE id = ?`, millis(tx.now), event, detail, operator, photoID)
	return err
}

// Deleted enters that a badly named file was deleted after its days.
func (tx *Tx) Deleted(a Account, shown string) error {
	return tx.happened(Activity{AccountID: a.ID, Event: EventDeleted, Path: shown, Detail: string(BadName)})
}

// An ActivityQuery says which entries are wanted, newest first; an empty field
// means any.
type ActivityQuery struct {
	Account string
	Event   Event
	Text    string // somewhere in the path
	PhotoID int64
	Before  int64 // id: only older ones
	Limit   int
}

// Activity lists what happened.
func (v View) Activity(ctx context.Context, q ActivityQuery) ([]Activity, error) {
	var w where
	v.only(&w, "x.account_id")
	w.text("a.name = ?", q.Account)
	w.text("x.event = ?", string(q.Event))
	w.text(`x.path_shown LIKE ? ESCAPE '\'`, containing(q.Text))
	w.number("x.photo_id = ?", q.PhotoID)
	w.number("x.id < ?", q.Before)
	// CROSS JOIN fixes the order of the loops: newest first needs no sorting.
	return collect(ctx, v.s.read, func(r *sql.Rows) (a Activity, err error) {
		var at int64
		err = r.Scan(&a.ID, &at, &a.AccountID, &a.Account, &a.Event, &a.Path, &a.Detail, &a.Operator, &a.PhotoID)
		a.At = fromMillis(at)
		a.Path, a.Detail, a.Operator = oneLine(a.Path), oneLine(a.Detail), login(a.Operator)
		return a, err
	}, `SELECT x.id, x.at, x.account_id, a.name, x.event, x.path_shown, x.detail, x.operator, coalesce(x.photo_id, 0)
		FROM activity x CROSS JOIN account a ON a.id = x.account_id `+w.sql()+` ORDER BY x.id DESC LIMIT ?`, append(w.args, limited(q.Limit))...)
}

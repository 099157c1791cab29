package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"picday/internal/layout"
)

// An Event is the kind of an activity entry.
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
	EventIgnored   Event = "ignored"   // a problem, or (Detail is their number) those of a folder
	EventUnignored Event = "unignored" // they are problems again
	EventCard      Event = "card"      // a person said whose card a photo is; Detail is the codes, or no
	EventProposal  Event = "proposal"  // a person decided about one; Path is the job and album, Detail its state
	EventDeleted   Event = "deleted"   // a badly named file, after its days
	EventActivated Event = "activated" // a job; Path is its name
	EventPlanned   Event = "planned"   // an active job takes uploads again; Path is its name

	EventExpected   Event = "expected"    // so many photos are to come into a job; Path is its name, Detail the number
	EventDownloaded Event = "downloaded"  // many photos at once; Path is the job or album, Detail how many
	EventJobAdded   Event = "job-added"   // on the pages; Path is its name
	EventJobRemoved Event = "job-removed" // one without photos, on the pages; Path is its name
	EventRoster     Event = "roster"      // a list of people was taken; Path is the job and its file, Detail what it changed
	EventAccount    Event = "account"     // it was changed on the pages; Detail is the helper's verb, Path a log-in of it
	EventRefused    Event = "refused"     // root's helper did not do it; Detail is the verb, a blank and why, Path what it was for
)

// Events lists all events.
var Events = []Event{EventAdded, EventReplaced, EventMoved, EventRestored, EventWithdrawn, EventReverted, EventAccepted, EventRotated, EventCard, EventProposal, EventProblem, EventIgnored, EventUnignored, EventDeleted, EventActivated, EventPlanned, EventExpected, EventJobAdded, EventJobRemoved, EventRoster, EventAccount, EventRefused, EventDownloaded}

// activityKeep is how long the activity is kept: a school year and what comes
// after it.
const activityKeep = 400 * 24 * time.Hour

// An Activity is one entry of the activity.
type Activity struct {
	ID        int64
	At        time.Time
	AccountID int64
	Account   string
	Event     Event
	Path      string // in printable form
	Detail    string // moved: from where; problem: the Reason
	Operator  string // "" = the uploader, or picday by itself
	PhotoID   int64  // 0 = none, or ended by now
}

// addActivity adds an entry, in the transaction that makes the change.
func (tx *Tx) addActivity(a Activity) error {
	_, err := tx.exec(`INSERT INTO activity (at, account_id, event, path_shown, detail, operator, photo_id) VALUES (?, ?, ?, ?, ?, ?, nullif(?, 0))`,
		millis(tx.now), a.AccountID, a.Event, a.Path, a.Detail, a.Operator, a.PhotoID)
	return err
}

// AccountChanged adds the entry that an operator has changed the account or a log-in of it
// ("" = none). verb is what was asked of root's helper.
func (tx *Tx) AccountChanged(a Account, verb, login, operator string) error {
	return tx.addActivity(Activity{AccountID: a.ID, Event: EventAccount, Path: login, Detail: verb, Operator: operator})
}

// mostDetail is far more than any sentence that is kept has, in bytes.
const mostDetail = 500

// Refused adds the entry that root's helper has refused what an operator has asked for. what
// is the job or log-in that it was for.
func (tx *Tx) Refused(a Account, verb, what, why, operator string) error {
	detail := verb + " " + why
	return tx.addActivity(Activity{AccountID: a.ID, Event: EventRefused, Path: oneLine(what), Detail: strings.ToValidUTF8(detail[:min(len(detail), mostDetail)], ""), Operator: operator})
}

// photoEvent adds an entry about a photo, with its current path.
func (tx *Tx) photoEvent(photoID int64, event Event, detail, operator string) error {
	_, err := tx.exec(`INSERT INTO activity (at, account_id, event, path_shown, detail, operator, photo_id)
		SELECT ?, account_id, ?, path_shown, ?, ?, id FROM photo WHERE id = ?`, millis(tx.now), event, detail, operator, photoID)
	return err
}

// Deleted adds the entry that a badly named file was deleted after upload.stray_keep.
func (tx *Tx) Deleted(a Account, shown string) error {
	return tx.addActivity(Activity{AccountID: a.ID, Event: EventDeleted, Path: shown, Detail: string(layout.BadName)})
}

// Downloaded adds the entry that an operator has downloaded many photos of an account at
// once. what is the job or album, detail how many there were.
func (tx *Tx) Downloaded(a Account, what, detail, operator string) error {
	return tx.addActivity(Activity{AccountID: a.ID, Event: EventDownloaded, Path: what, Detail: detail, Operator: operator})
}

// An ActivityQuery selects entries; an empty field means any.
type ActivityQuery struct {
	Account string
	Event   Event
	Text    string // somewhere in the path
	PhotoID int64
	Beyond  int64 // the ID of the last entry of the page before
	// Backwards: the entries before that one, or the oldest of all; in the same order.
	Backwards bool
	Limit     int
}

// Activity lists entries, newest first.
func (v View) Activity(ctx context.Context, q ActivityQuery) ([]Activity, error) {
	var w where
	v.only(&w, "x.account_id")
	w.text("a.name = ?", q.Account)
	w.text("x.event = ?", string(q.Event))
	w.text(`x.path_shown LIKE ? ESCAPE '\'`, containing(q.Text))
	w.number("x.photo_id = ?", q.PhotoID)
	beyond, order := "x.id < ?", " DESC"
	if q.Backwards {
		beyond, order = "x.id > ?", ""
	}
	w.number(beyond, q.Beyond)
	// CROSS JOIN fixes the order of the loops: newest first needs no sorting.
	all, err := collect(ctx, v.s.read, func(r *sql.Rows) (a Activity, err error) {
		var at int64
		err = r.Scan(&a.ID, &at, &a.AccountID, &a.Account, &a.Event, &a.Path, &a.Detail, &a.Operator, &a.PhotoID)
		a.At = fromMillis(at)
		a.Path, a.Detail, a.Operator = oneLine(a.Path), oneLine(a.Detail), login(a.Operator)
		return a, err
	}, `SELECT x.id, x.at, x.account_id, a.name, x.event, x.path_shown, x.detail, x.operator, coalesce(x.photo_id, 0)
		FROM activity x CROSS JOIN account a ON a.id = x.account_id `+w.sql()+` ORDER BY x.id`+order+` LIMIT ?`, append(w.args, limited(q.Limit))...)
	if q.Backwards {
		slices.Reverse(all)
	}
	return all, err
}

// MovedTo returns the path to which the last file at a path was moved, and when; "" if no
// move is known. Both paths are in printable form.
func (v View) MovedTo(ctx context.Context, a Account, shown string) (path string, at time.Time, err error) {
	if v.account != 0 && v.account != a.ID {
		return "", at, nil
	}
	var ms int64
	err = v.s.read.QueryRowContext(ctx, `SELECT path_shown, at FROM activity WHERE account_id = ? AND event = ? AND detail = ? ORDER BY id DESC LIMIT 1`,
		a.ID, EventMoved, shown).Scan(&path, &ms)
	if errors.Is(err, sql.ErrNoRows) {
		return "", at, nil
	}
	return path, fromMillis(ms), err
}

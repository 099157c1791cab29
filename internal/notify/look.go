package notify

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"picday/internal/control"
	"picday/store"
)

// A finding is a notice to send, and the change that keeps it from being sent again. Both
// are committed in one transaction.
type finding struct {
	notice *store.Notice // nil = no notice, only the change
	noted  func(*store.Tx) error
}

// remindEvery is how often a notice about a condition that lasts is repeated.
const remindEvery = 24 * time.Hour

// The values of store.Condition.What.
const (
	oldProblems = "problems"
	waitingLong = "waiting"
	diskLow     = "disk:" // and the name of the disk
)

// quietAnyway is the number of times notify.quiet after which an upload counts as quiet
// although files of its account still wait. Otherwise one unfinished file would hide it.
const quietAnyway = 6

// Look finds the notices to send at now, and adds them to the outbox. It costs a few
// queries for each account that has some.
func (n *Notifier) Look(ctx context.Context, now time.Time) error {
	n.rememberMailed(ctx)
	told, err := n.Store.Conditions(ctx)
	if err != nil {
		return err
	}
	known := map[store.Condition]store.Condition{}
	for _, c := range told {
		known[store.Condition{What: c.What, AccountID: c.AccountID}] = c
	}
	var all []finding
	for _, find := range []func(context.Context, time.Time, conditions) ([]finding, error){n.quiet, n.oldProblems, n.stuck, n.lowDisks} {
		found, err := find(ctx, now, known)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	return n.addNotices(ctx, "look", all)
}

// conditions are keyed by What and AccountID alone.
type conditions map[store.Condition]store.Condition

func (c conditions) of(what string, accountID int64) (store.Condition, bool) {
	found, ok := c[store.Condition{What: what, AccountID: accountID}]
	return found, ok
}

// addNotices commits the findings that are still true.
func (n *Notifier) addNotices(ctx context.Context, writer string, all []finding) error {
	if len(all) == 0 {
		return nil
	}
	to := make([][]store.Receiver, len(all))
	for i, f := range all {
		if f.notice == nil {
			continue
		}
		var err error
		if to[i], err = Receivers(ctx, n.Config, n.Store, f.notice.AccountID, f.notice.Account); err != nil {
			return err
		}
	}
	err := n.write(ctx, writer, func(tx *store.Tx) error {
		for i, f := range all {
			err := f.noted(tx)
			if errors.Is(err, store.ErrNotFound) {
				continue // no longer true: more came in meanwhile
			}
			if err == nil && f.notice != nil {
				_, err = tx.AddNotice(*f.notice, to[i])
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	for _, f := range all {
		if err == nil && f.notice != nil {
			n.Log.Info().Str("id", f.notice.Key).Str("type", f.notice.Kind).Str("account", f.notice.Account).Msg("event")
		}
	}
	return err
}

// quiet finds uploads that are over.
func (n *Notifier) quiet(ctx context.Context, now time.Time, _ conditions) (all []finding, err error) {
	backlog, known := n.Backlog()
	if !known {
		return nil, nil // before the first scan ends nobody knows what waits
	}
	arriving, err := n.Store.Arriving(ctx)
	for _, u := range arriving {
		still, quiet := now.Sub(u.Last), n.Config.Notify.Quiet.Std()
		waiting := backlog[u.Account].Files
		if still < quiet || waiting > 0 && still < quietAnyway*quiet {
			continue
		}
		f := finding{noted: func(tx *store.Tx) error { return tx.EndArriving(u) }}
		if u.Added+u.Replaced > 0 || u.Problems > 0 && u.Open > 0 {
			f.notice = new(quietNotice(now, u, waiting))
		}
		all = append(all, f)
	}
	return all, err
}

// oldProblems finds accounts with problems that have become too old since the last notice.
func (n *Notifier) oldProblems(ctx context.Context, now time.Time, known conditions) (all []finding, err error) {
	age := n.Config.Notify.ProblemAge.Std()
	before := now.Add(-age)
	old, err := n.Store.OldProblems(ctx, func(accountID int64) time.Time {
		c, ok := known.of(oldProblems, accountID)
		if ok && now.Sub(c.At) < remindEvery {
			return before // too early for a reminder, so that none is counted
		}
		return c.Upto
	}, before, manyProblems)
	for _, p := range old {
		c := store.Condition{What: oldProblems, AccountID: p.AccountID, At: now, Upto: before}
		all = append(all, finding{new(oldNotice(now, p, age)), func(tx *store.Tx) error { return tx.SetCondition(c) }})
	}
	return all, err
}

// TakenIn notes that a file of an account was processed.
func (n *Notifier) TakenIn(account string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.waiting, account)
	n.takenIn[account] = n.Now()
}

// stuck finds accounts of which nothing is taken in although whole files are there.
func (n *Notifier) stuck(ctx context.Context, now time.Time, known conditions) (all []finding, err error) {
	backlog, looked := n.Backlog()
	if !looked {
		return nil, nil
	}
	since, taken := n.noteWaiting(backlog, now)
	accounts, err := n.Store.All().Accounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range accounts {
		c, told := known.of(waitingLong, a.ID)
		began, waits := since[a.Name]
		b := backlog[a.Name]
		data := Stuck{b.Files - b.Uploading, began.UTC()}
		switch {
		case waits && now.Sub(began) >= n.Config.Notify.Waiting.Std() && (!told || now.Sub(c.At) >= remindEvery):
			c = store.Condition{What: waitingLong, AccountID: a.ID, At: now, Upto: began}
			all = append(all, finding{
				new(newNotice(now, WaitingLong, a.ID, a.Name, data, "%s of %s have waited since %s, and none was taken in: look at picday status",
					plural(data.Files, "file"), a.Name, began.UTC().Format(time.RFC3339))),
				func(tx *store.Tx) error { return tx.SetCondition(c) },
			})
		case told && (!waits || taken[a.Name].After(c.At)):
			data.Since = c.Upto
			all = append(all, finding{
				new(newNotice(now, WaitingOver, a.ID, a.Name, data, "files of %s are taken in again", a.Name)),
				func(tx *store.Tx) error { return tx.EndCondition(c) },
			})
		}
	}
	return all, nil
}

// noteWaiting records which accounts have files that wait. It returns, by account, since
// when, and when a file was taken in last.
func (n *Notifier) noteWaiting(backlog map[string]Backlog, now time.Time) (since, taken map[string]time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for account := range n.waiting {
		if b := backlog[account]; b.Files <= b.Uploading {
			delete(n.waiting, account)
		}
	}
	for account, b := range backlog {
		if _, there := n.waiting[account]; !there && b.Files > b.Uploading {
			n.waiting[account] = now
		}
	}
	return maps.Clone(n.waiting), maps.Clone(n.takenIn)
}

// lowDisks finds disks that are below the floor, or above it again by a tenth.
func (n *Notifier) lowDisks(_ context.Context, now time.Time, known conditions) (all []finding, err error) {
	floor := int64(n.Config.Notify.DiskFloor) * 1_000_000
	for _, d := range n.Disks() {
		c, told := known.of(diskLow+d.What, 0)
		switch {
		case d.Free < floor && (!told || now.Sub(c.At) >= remindEvery):
			if !told {
				c.Upto = now
			}
			c = store.Condition{What: diskLow + d.What, At: now, Upto: c.Upto}
			all = append(all, finding{new(roomNotice(now, DiskLow, d, floor)), func(tx *store.Tx) error { return tx.SetCondition(c) }})
		case told && d.Free >= floor+floor/10:
			all = append(all, finding{new(roomNotice(now, DiskEnough, d, floor)), func(tx *store.Tx) error { return tx.EndCondition(c) }})
		}
	}
	return all, nil
}

// rememberMailed reads who gets the machine's notices by mail.
func (n *Notifier) rememberMailed(ctx context.Context) {
	boxes, err := n.Store.Mailboxes(ctx)
	operators, merr := n.Store.MailReceivers(ctx, 0)
	if err != nil || merr != nil {
		return // keep those that were read last
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mailed = map[string]mailbox{}
	for _, b := range boxes {
		if slices.Contains(operators, b.Operator) {
			n.mailed[b.Operator] = mailbox{b.Address, n.languageOf(b.Language)}
		}
	}
}

// Mailed returns the mailboxes of the operators who get the machine's notices by mail, by
// name; nil if they were not read yet.
func (n *Notifier) Mailed() map[string]control.Mailbox {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mailed == nil {
		return nil
	}
	all := map[string]control.Mailbox{}
	for operator, b := range n.mailed {
		all[operator] = control.Mailbox{Address: b.address, Language: string(b.language)}
	}
	return all
}

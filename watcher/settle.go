package watcher

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/layout"
	"picday/internal/turns"
	"picday/internal/upload"
)

// touch starts the quiet time of a path, unless a walker found it unchanged.
func (l *loop) touch(t *tree, path string, ev pathEvents) {
	e := l.entries[path]
	id, regular := ev.stat.Identity, ev.stat.Regular()
	if e != nil && ev.op == 0 && id == e.id {
		return
	}
	if e == nil {
		e = &entry{tree: t, path: path, since: ev.at, index: -1}
		l.entries[path] = e
	} else if e.state == inFlight {
		e.recheck = true
		return
	}
	l.removeReady(e)
	if e.quiet == 0 {
		e.quiet = l.firstQuiet(e, regular)
	}
	changed := id != e.id
	e.tree = t // SetRoots may have removed the tree and added it again
	e.id, e.regular, e.dir, e.held = id, regular, ev.stat.IsDir(), false
	// The quiet time lies between two stats, of which this is the first. If the event
	// is old, count from about now: else both stats would be at the end of the quiet time.
	late := e.quiet / 8
	if e.quiet < l.opt.Settle {
		late = e.quiet / 2
	}
	if e.changed = ev.at; l.now.Sub(ev.at) > late {
		e.changed = l.now.Add(-late)
	}
	l.waiting.schedule(e, e.changed.Add(e.quiet))
	l.noteEvent(e)
	if changed && len(e.waiters) > 0 && l.isBusy(e) {
		e.release() // Rescan does not wait for a running upload
	}
}

// minFirstQuiet is the shortest quiet time. Half of it, the least time between the two
// stats, is more than the resolution of ctime, so that a change after the first one shows.
const minFirstQuiet = 30 * time.Millisecond

// firstQuiet returns the quiet time of a new entry. A file that may become a photo is
// looked at early, because the lease and its content decide and not the time. What cannot
// is reported after the whole quiet time, because clients use names that last for a moment.
func (l *loop) firstQuiet(e *entry, regular bool) time.Duration {
	if l.walker.ledger.Unread(e.tree.account, e.tree.rel(e.path), regular) {
		return l.opt.Settle
	}
	return min(max(l.opt.Settle/20, minFirstQuiet), l.opt.Settle)
}

// lengthen doubles the quiet time of an entry that was looked at too early, so that a slow
// writer costs a few looks more, and not one after each packet.
func (l *loop) lengthen(e *entry) { e.quiet = min(2*e.quiet, l.opt.Settle) }

// settle decides on all entries that are due.
func (l *loop) settle() {
	for len(l.waiting) > 0 && !l.waiting[0].due.After(l.now) {
		l.decide(l.waiting[0])
	}
}

func (l *loop) decide(e *entry) {
	st, held, err := e.tree.examine(e.path)
	if before, quiet := e.id, l.now.Sub(e.changed); st != nil {
		defer func() { l.noteLook(e, before, quiet, held, err) }()
	}
	switch {
	case isGone(err):
		l.vanished(e.tree, e.path)
	case errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM):
		if l.now.Sub(l.resourceErrorAt) > time.Minute { // log once, not for each file
			l.opt.Log.Warn().Err(err).Msg("cannot look at uploads")
		}
		l.resourceErrorAt = l.now
		l.waiting.schedule(e, l.now.Add(l.opt.Settle))
	case st != nil && st.IsDir() && !l.sentUnlisted(e.tree, e.path):
		l.forget(e)
		l.check(e.path, pathEvents{op: opLook, at: l.now})
	case st != nil && st.Identity != e.id:
		e.id, e.regular, e.dir, e.changed, e.held = st.Identity, st.Regular(), st.IsDir(), l.now, false
		l.lengthen(e)
		l.waiting.schedule(e, l.now.Add(e.quiet))
	case held:
		// Nothing tells that the lease can be had, so ask again; after longer if it
		// was held before.
		wait := e.quiet
		if e.held {
			wait *= 2
		}
		l.lengthen(e)
		e.held = true
		e.release()
		l.waiting.schedule(e, l.now.Add(wait))
	case err != nil && l.now.Sub(e.changed) < l.opt.SettleUnsure:
		l.logExamineError(e, err)
		e.release()
		l.waiting.schedule(e, e.changed.Add(l.opt.SettleUnsure))
	default:
		if err == nil && e.regular {
			e.tree.leaseRefused.Store(false)
		}
		l.waiting.cancel(e)
		e.state = ready
		unread := l.walker.ledger.Unread(e.tree.account, e.tree.rel(e.path), e.regular)
		e.place = l.ready.Put(lane{e.tree.account, unread}, e)
	}
}

func (l *loop) logExamineError(e *entry, err error) {
	if errors.Is(err, upload.ErrNoLeases) {
		e.tree.leaseless.Store(true)
		return
	}
	if errors.Is(err, upload.ErrLeaseRefused) && e.tree.leaseRefused.Swap(true) {
		return // logged once for the tree
	}
	if !e.warned {
		l.opt.Log.Warn().Err(err).Str("root", e.tree.account).Str("path", layout.Shown(e.tree.rel(e.path))).Msg("cannot tell who has it open")
		e.warned = true
	}
}

// isBusy tells whether e will not be settled after the quiet time: it is open for
// writing, or cannot be examined.
func (l *loop) isBusy(e *entry) bool {
	_, held, err := e.tree.examine(e.path)
	return held || err != nil && !isGone(err)
}

// forget removes an entry and releases its waiters.
func (l *loop) forget(e *entry) {
	l.waiting.cancel(e)
	l.removeReady(e)
	e.state = waiting
	e.release()
	delete(l.entries, e.path)
}

// removeReady removes e from the queue for Settled, if it is in it.
func (l *loop) removeReady(e *entry) {
	if e.state == ready {
		l.ready.Remove(e.place)
	}
}

// nextFile returns the channel to send on and the next file; the channel is nil if
// there is none.
func (l *loop) nextFile() (chan<- upload.File, upload.File, *turns.Place[lane, *entry]) {
	p := l.ready.Next()
	if p == nil {
		return nil, upload.File{}, nil
	}
	e := p.Value
	return l.settled, upload.File{
		Account: e.tree.account, Path: e.tree.rel(e.path), Identity: e.id, Regular: e.regular, Dir: e.dir,
		Early: l.now.Sub(e.changed) < l.opt.Settle,
	}, p
}

// markInFlight records that the file that nextFile returned was received.
func (l *loop) markInFlight(p *turns.Place[lane, *entry]) {
	l.ready.Give(p)
	e := p.Value
	e.state, e.recheck = inFlight, false
	l.inFlight[fileKey{e.tree.account, e.tree.rel(e.path)}] = e
}

func (l *loop) done(f upload.File, again bool) {
	key := fileKey{f.Account, f.Path}
	e := l.inFlight[key]
	if e == nil {
		return
	}
	delete(l.inFlight, key)
	l.ready.Back(e.place.Owner)
	e.state = waiting
	// Always stat: if the parent directory was replaced before the ledger knew this
	// file, no scan has noticed that the file is missing.
	st, err := e.tree.look(e.path)
	changed := e.recheck || err != nil || st.Identity != e.id
	switch {
	case !changed && !again, l.treeOf(e.path) == nil:
		l.forget(e)
	case !changed && f.Early:
		e.quiet = l.opt.Settle
		l.waiting.schedule(e, e.changed.Add(e.quiet))
	default:
		l.lengthen(e)
		l.check(e.path, pathEvents{op: opLook, at: l.now})
	}
}

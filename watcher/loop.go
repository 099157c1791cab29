package watcher

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"picday/internal/turns"
	"picday/internal/upload"
)

// loop is the event loop, which decides which files are settled. Its fields belong to
// the goroutine in run. It makes only quick system calls (lstat, leases); the walkers list directories.
type loop struct {
	*Watcher
	walker *walker

	roots    map[string]Root
	trees    map[string]*tree  // by absolute path
	entries  map[string]*entry // by absolute path
	waiting  delayQueue
	ready    *turns.Queue[lane, *entry]
	inFlight map[fileKey]*entry // the entries in that state
	missing  missingQueue

	now          time.Time
	healthy      map[*tree]bool // results of isHealthy in this turn
	beingScanned map[*tree]bool // trees that are not healthy and are being scanned

	collectUntil    time.Time // when to read the events in the inbox; zero: there are none
	lastRead        time.Time // when events were last read
	nextScan        time.Time
	nextPoll        time.Time // zero: nothing to poll
	polling         bool
	auditAt         time.Time // zero: no directory appeared or disappeared
	limitCheckAt    time.Time // zero: no root has too many directories
	resourceErrorAt time.Time // when opening a file last failed for want of descriptors or memory

	looks          looksOf
	canary         canary
	startReader    func(*fsnotify.Watcher)
	rebuilt        int
	watchesMissing int       // by the last census
	censusAt       time.Time // of the next census; zero: none is due

	scanning     bool
	scanRequests map[string]bool // accounts to scan next; "" is all of them
	scanWaiters  []*waiter       // for the next scan
	entryWaiters []*waiter       // their scan is over, some of their entries are not
	lastScan     Scan
	overflows    int64
}

func newLoop(w *Watcher, ledger Ledger) *loop {
	l := &loop{
		Watcher: w,
		walker:  &walker{in: w.in, dirs: w.dirs, ledger: ledger, ignore: w.opt.Ignore, log: w.opt.Log},
		roots:   map[string]Root{}, trees: map[string]*tree{}, entries: map[string]*entry{},
		ready: turns.New[lane, *entry](maxInFlight), inFlight: map[fileKey]*entry{}, missing: missingQueue{has: map[string]bool{}}, scanRequests: map[string]bool{},
		healthy: map[*tree]bool{}, beingScanned: map[*tree]bool{},
	}
	l.canary = newCanary(w.opt.Canary, w.canaryEvery, w.canaryPatient)
	l.walker.cond = sync.NewCond(&l.walker.mu)
	return l
}

func (l *loop) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	l.nextScan = time.Now().Add(l.opt.Rescan)
	urgent := false
	for {
		l.turn(urgent)
		urgent = false
		settled, file, next := l.nextFile()
		gone, hint := l.nextMissing()
		timer.Reset(time.Until(l.wake()))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-l.in.urgent:
			urgent = true
		case <-l.in.hasEvents:
			// Collect events, so that a fast writer costs at most 15 turns per quiet time.
			// The first after a pause are read sooner.
			if l.collectUntil.IsZero() {
				l.collectUntil = time.Now().Add(l.opt.Settle / 100)
				if next := l.lastRead.Add(l.opt.Settle / 15); next.After(l.collectUntil) {
					l.collectUntil = next
				}
			}
		case settled <- file:
			l.markInFlight(next)
		case gone <- hint:
			l.missing.pop()
		}
	}
}

// wake returns the time of the next action that no event asks for.
func (l *loop) wake() time.Time {
	at := l.nextScan
	for _, t := range []time.Time{l.collectUntil, l.nextPoll, l.auditAt, l.limitCheckAt, l.canary.wake(), l.censusAt} {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if len(l.waiting) > 0 && l.waiting[0].due.Before(at) {
		at = l.waiting[0].due
	}
	return at
}

func (l *loop) turn(urgent bool) {
	l.now = time.Now()
	clear(l.healthy)
	if urgent || !l.wake().After(l.now) {
		l.readInbox() // before settle, because an event may say that a file has changed
		l.settle()
	}
	if !l.nextScan.After(l.now) {
		l.nextScan = l.now.Add(l.opt.Rescan)
		l.rescan("", nil)
	}
	l.poll()
	l.audit()
	l.retryRefused()
	l.runCanary()
	l.runCensus()
	l.endWaiters()
}

// readInbox processes the inbox. It first drops the watches of all directories that
// may have moved, because a renamed directory has events under two paths, in any order.
func (l *loop) readInbox() {
	events, calls, overflows := l.in.take()
	l.collectUntil = time.Time{}
	if len(events) > 0 {
		l.lastRead = l.now
	}
	for path, ev := range events {
		if ev.op&opMoved != 0 && l.dirs.Drop(path) {
			l.auditSoon()
		}
	}
	for path, ev := range events {
		l.check(path, ev)
	}
	for _, call := range calls {
		call(l)
	}
	if overflows > 0 {
		l.overflows += overflows
		l.canary.made, l.canary.next = time.Time{}, l.now // its event may be among the lost ones
		l.opt.Log.Warn().Msg("inotify queue overflow, scanning everything")
		l.rescan("", nil)
	}
}

// treeOf returns the tree that path is in, nil for ignored names and paths too deep.
func (l *loop) treeOf(path string) *tree {
	for dir := path; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if l.opt.Ignore(filepath.Base(dir)) && l.trees[dir] == nil {
			return nil
		}
		if t := l.trees[dir]; t != nil {
			if t.deepest(filepath.Dir(path)) {
				return nil
			}
			return t
		}
	}
	return nil
}

// check looks at what is at a path now, and starts its quiet time, a scan or a hint.
func (l *loop) check(path string, ev pathEvents) {
	t := l.treeOf(path)
	if t == nil {
		return
	}
	if path == t.abs {
		if ev.op&(opMoved|opLook) != 0 {
			l.scanTrees(t)
		}
		return
	}
	if ev.op == 0 && ev.stat != nil {
		l.touch(t, path, ev)
		return
	}
	st, err := t.look(path)
	if err == nil && ev.op&(fsnotify.Remove|fsnotify.Rename|opVanished) != 0 {
		l.missing.push(t, path) // a directory of that name may have been here
	}
	switch {
	case isGone(err):
		l.vanished(t, path)
	case err != nil: // settle meets the same error and logs it
		ev.stat = &upload.Stat{Mode: unix.S_IFREG}
		l.touch(t, path, ev)
	case st.IsDir() && !l.sentUnlisted(t, path):
		if ev.op&opMoved != 0 {
			l.auditSoon()
		}
		if e := l.entries[path]; e != nil && e.state != inFlight {
			l.forget(e)
		}
		if ev.op&opLook != 0 || !l.dirs.has(path) {
			l.startScan(&scan{}, map[string]*tree{path: t})
		}
	default:
		ev.stat = st
		l.touch(t, path, ev)
	}
}

// vanished queues a Gone hint. If the tree's own directory is missing or replaced
// (an unmounted volume), missing files prove nothing: the tree is scanned instead.
func (l *loop) vanished(t *tree, path string) {
	if e := l.entries[path]; e != nil {
		if e.state == inFlight {
			e.recheck = true
			return
		}
		l.forget(e)
	}
	if l.isHealthy(t) {
		l.missing.push(t, path)
	} else if !l.beingScanned[t] && !l.dirs.failed(t.abs) {
		l.beingScanned[t] = true
		l.scanThen([]*tree{t}, func() { delete(l.beingScanned, t) })
	}
}

func (l *loop) isHealthy(t *tree) bool {
	if ok, asked := l.healthy[t]; asked {
		return ok
	}
	st, err := t.look(t.abs)
	ok := err == nil && l.dirs.hasInode(t.abs, inodeOf(st))
	l.healthy[t] = ok
	return ok
}

func (l *loop) status() Status {
	s := Status{
		Pending: len(l.entries) - len(l.inFlight), InFlight: len(l.inFlight),
		LastScan: l.lastScan, Overflows: l.overflows, Accounts: map[string]Backlog{}, Trees: map[Tree]Backlog{},
		Rebuilt: l.rebuilt, WatchesMissing: l.watchesMissing,
	}
	if l.canary.dir != "" && l.dirs.hasInotify() {
		s.EventsProven = l.canary.proven
	}
	now := time.Now()
	s.OutOfResources = now.Sub(l.resourceErrorAt) < time.Minute
	for _, e := range l.entries {
		if e.state != inFlight && (s.OldestPending.IsZero() || e.since.Before(s.OldestPending)) {
			s.OldestPending = e.since
		}
		in := Tree{e.tree.account, e.tree.rel(e.tree.abs)}
		b, t := s.Accounts[in.Account], s.Trees[in]
		b.Files++
		t.Files++
		if e.state == waiting && (e.held || now.Sub(e.changed) < time.Minute) {
			s.Uploading++
			b.Uploading++
			t.Uploading++
		}
		s.Accounts[in.Account], s.Trees[in] = b, t
		if e.state == waiting && s.Pending <= maxArriving {
			s.Arriving = append(s.Arriving, Arriving{e.tree.account, e.tree.rel(e.path), e.since})
		}
	}
	for _, t := range l.trees {
		if t.leaseless.Load() && !slices.Contains(s.Leaseless, t.account) {
			s.Leaseless = append(s.Leaseless, t.account)
		}
		if t.leaseRefused.Load() && !slices.Contains(s.LeaseRefused, t.account) {
			s.LeaseRefused = append(s.LeaseRefused, t.account)
		}
	}
	l.dirs.report(&s)
	l.dirs.reportLimits(&s)
	return s
}

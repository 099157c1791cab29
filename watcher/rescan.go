package watcher

import (
	"maps"
	"slices"
	"time"
)

// waiter is a call of Rescan.
type waiter struct {
	account string // "" is all of them
	left    int    // entries still to be answered
	missing int    // the value of missingQueue.sent to wait for
	done    chan struct{}
}

func (w *waiter) covers(t *tree) bool { return w.account == "" || w.account == t.account }

func (l *loop) startScan(s *scan, dirs map[string]*tree) {
	if s.done == nil {
		s.done = func(*loop, *scan) {}
	}
	l.walker.begin(s, dirs)
}

// scanTrees starts a scan of whole trees. Several may run at once.
func (l *loop) scanTrees(trees ...*tree) { l.scanThen(trees, func() {}) }

func (l *loop) scanThen(trees []*tree, then func()) {
	if len(trees) == 0 {
		then()
		return
	}
	dirs := map[string]*tree{}
	for _, t := range trees {
		dirs[t.abs] = t
	}
	l.startScan(&scan{whole: true, trees: trees, done: func(l *loop, s *scan) {
		l.lastScan = Scan{At: s.start, Took: l.now.Sub(s.start), Files: s.files}
		then()
	}}, dirs)
}

// rescan requests a scan that starts after this call. Requests that come while a
// scan runs are merged into one, so that many overflows cost two scans.
func (l *loop) rescan(account string, wt *waiter) {
	l.scanRequests[account] = true
	if wt != nil {
		l.scanWaiters = append(l.scanWaiters, wt)
	}
	if !l.scanning {
		l.nextRescan()
	}
}

func (l *loop) nextRescan() {
	var trees []*tree
	for _, t := range l.trees {
		if l.scanRequests[""] || l.scanRequests[t.account] {
			trees = append(trees, t)
		}
	}
	for account, path := range l.dirs.refusedDirs() {
		if l.scanRequests[""] || l.scanRequests[account] {
			l.clearRefused(account, path)
		}
	}
	waiters, everything := l.scanWaiters, l.scanRequests[""]
	l.scanWaiters, l.scanning = nil, true
	clear(l.scanRequests)
	l.scanThen(trees, func() {
		l.scanning = false
		if everything {
			l.censusAt = l.now
		}
		for _, w := range waiters {
			l.addWaiter(w)
		}
		if len(l.scanRequests) > 0 {
			l.nextRescan()
		}
	})
}

// addWaiter makes w wait for all entries that are about to settle. These include all
// that its scan found.
func (l *loop) addWaiter(w *waiter) {
	for _, e := range l.entries {
		if w.covers(e.tree) && (e.state != waiting || !l.isBusy(e)) {
			e.waiters = append(e.waiters, w)
			w.left++
		}
	}
	w.missing = l.missing.sent + len(l.missing.list)
	l.entryWaiters = append(l.entryWaiters, w)
}

func (l *loop) endWaiters() {
	var still []*waiter
	for _, w := range l.entryWaiters {
		if w.left == 0 && l.missing.sent >= w.missing {
			close(w.done)
		} else {
			still = append(still, w)
		}
	}
	l.entryWaiters = still
}

// poll lists the directories without a watch. For a missing tree it only checks
// whether it is there again, and then scans it like a new one.
func (l *loop) poll() {
	switch {
	case l.polling:
	case !l.dirs.hasPolled():
		l.nextPoll = time.Time{}
	case l.nextPoll.IsZero():
		l.nextPoll = l.now.Add(l.opt.Poll)
	case !l.nextPoll.After(l.now):
		l.nextPoll, l.polling = time.Time{}, true
		var returned []*tree
		dirs := l.dirs.toPoll()
		for path, t := range dirs {
			if path == t.abs && l.dirs.failed(path) {
				delete(dirs, path)
				if _, err := t.look(path); err == nil {
					returned = append(returned, t)
				}
			}
		}
		l.startScan(&scan{done: func(l *loop, _ *scan) { l.polling = false }}, dirs)
		l.scanTrees(returned...)
	}
}

// auditSoon plans an audit after a directory appeared or disappeared. It waits, so
// that one audit serves many directories.
func (l *loop) auditSoon() {
	if l.auditAt.IsZero() {
		l.auditAt = l.now.Add(l.opt.Settle)
	}
}

// auditLater plans an audit again after the ledger returned an error.
func (l *loop) auditLater() {
	if l.auditAt.IsZero() {
		l.auditAt = l.now.Add(l.opt.Poll)
	}
}

func (l *loop) audit() {
	if !l.auditAt.IsZero() && !l.auditAt.After(l.now) {
		l.auditAt = time.Time{}
		l.startScan(&scan{trees: slices.Collect(maps.Values(l.trees))}, map[string]*tree{"": nil})
	}
}

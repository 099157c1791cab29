package watcher

import (
	"maps"
	"slices"
	"time"
)

// waiter is a call of Rescan.
type waiter struct {
	root string // "" is all of them
	left int    // entries not answered
	gone int    // hints to be received: this many ever
	done chan struct{}
}

func (w *waiter) covers(t *tree) bool { return w.root == "" || w.root == t.root }

func (k *keeper) begin(s *scan, dirs map[string]*tree) {
	if s.done == nil {
		s.done = func(*keeper, *scan) {}
	}
	k.walker.begin(s, dirs)
}

// scanTrees starts a scan of whole trees. Several may run at once.
func (k *keeper) scanTrees(trees ...*tree) { k.scanThen(trees, func() {}) }

func (k *keeper) scanThen(trees []*tree, then func()) {
	if len(trees) == 0 {
		then()
		return
	}
	dirs := map[string]*tree{}
	for _, t := range trees {
		dirs[t.abs] = t
	}
	k.begin(&scan{whole: true, trees: trees, done: func(k *keeper, s *scan) {
		k.lastScan = Scan{At: s.start, Took: k.now.Sub(s.start), Files: s.files}
		then()
	}}, dirs)
}

// rescan asks for a scan that begins from now on. Those asked for while one runs
// become one, so a storm of overflows is two scans.
func (k *keeper) rescan(root string, w *waiter) {
	k.wanted[root] = true
	if w != nil {
		k.waiters = append(k.waiters, w)
	}
	if !k.scanning {
		k.nextRescan()
	}
}

func (k *keeper) nextRescan() {
	var trees []*tree
	for _, t := range k.trees {
		if k.wanted[""] || k.wanted[t.root] {
			trees = append(trees, t)
		}
	}
	for root, path := range k.dirs.full() {
		if k.wanted[""] || k.wanted[root] {
			k.forgive(root, path)
		}
	}
	waiters := k.waiters
	k.waiters, k.scanning = nil, true
	clear(k.wanted)
	k.scanThen(trees, func() {
		k.scanning = false
		for _, w := range waiters {
			k.await(w)
		}
		if len(k.wanted) > 0 {
			k.nextRescan()
		}
	})
}

// await lets a waiter wait for all that is about to settle, which is at least
// what its scan found.
func (k *keeper) await(w *waiter) {
	for _, e := range k.entries {
		if w.covers(e.tree) && (e.state != waiting || !k.isBusy(e)) {
			e.waiters = append(e.waiters, w)
			w.left++
		}
	}
	w.gone = k.lost.sent + len(k.lost.list)
	k.answering = append(k.answering, w)
}

func (k *keeper) answer() {
	var still []*waiter
	for _, w := range k.answering {
		if w.left == 0 && k.lost.sent >= w.gone {
			close(w.done)
		} else {
			still = append(still, w)
		}
	}
	k.answering = still
}

// poll lists the directories that no watch tells of. A tree that is missing is only
// looked for; once it is there it is scanned like a new one.
func (k *keeper) poll() {
	switch {
	case k.polling:
	case !k.dirs.polls():
		k.nextPoll = time.Time{}
	case k.nextPoll.IsZero():
		k.nextPoll = k.now.Add(k.opt.Poll)
	case !k.nextPoll.After(k.now):
		k.nextPoll, k.polling = time.Time{}, true
		var back []*tree
		dirs := k.dirs.toPoll()
		for path, t := range dirs {
			if path == t.abs && k.dirs.failed(path) {
				delete(dirs, path)
				if _, err := t.look(path); err == nil {
					back = append(back, t)
				}
			}
		}
		k.begin(&scan{done: func(k *keeper, _ *scan) { k.polling = false }}, dirs)
		k.scanTrees(back...)
	}
}

// auditSoon: a directory came or went. Many go together.
func (k *keeper) auditSoon() {
	if k.auditAt.IsZero() {
		k.auditAt = k.now.Add(k.opt.Settle)
	}
}

// auditLater: the ledger could not be asked.
func (k *keeper) auditLater() {
	if k.auditAt.IsZero() {
		k.auditAt = k.now.Add(k.opt.Poll)
	}
}

func (k *keeper) audit() {
	if !k.auditAt.IsZero() && !k.auditAt.After(k.now) {
		k.auditAt = time.Time{}
		k.begin(&scan{trees: slices.Collect(maps.Values(k.trees))}, map[string]*tree{"": nil})
	}
}

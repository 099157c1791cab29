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
)

// keeper decides. Everything in it belongs to the goroutine in run. It calls lstat
// and asks for leases, both quick; listing directories is left to the walkers.
type keeper struct {
	*Watcher
	walker *walker

	roots   map[string]Root
	trees   map[string]*tree  // by absolute path
	entries map[string]*entry // by absolute path
	queue   queue
	ready   *turns.Queue[lane, *entry]
	out     map[name]*entry // handed, by the name they were given out under
	lost    goneList

	now     time.Time
	healthy map[*tree]bool // asked once per turn
	suspect map[*tree]bool // not healthy, being scanned

	gather   time.Time // notes come together until then; zero: none there
	nextScan time.Time
	nextPoll time.Time // zero: nothing to poll
	polling  bool
	auditAt  time.Time // zero: no directory came or went
	roomAt   time.Time // zero: no root has too many directories
	starved  time.Time // when we were last refused to open a file for want of descriptors

	scanning  bool
	wanted    map[string]bool // roots to scan next; "" is all of them
	waiters   []*waiter       // for the next scan
	answering []*waiter       // scanned, not yet all answered
	lastScan  Scan
	overflows int64
}

func newKeeper(w *Watcher) *keeper {
	k := &keeper{
		Watcher: w,
		walker:  &walker{in: w.in, dirs: w.dirs, ledger: w.opt.Ledger, ignore: w.opt.Ignore, skip: w.opt.Skip, log: w.opt.Log},
		roots:   map[string]Root{}, trees: map[string]*tree{}, entries: map[string]*entry{},
		ready: turns.New[lane, *entry](maxHanded), out: map[name]*entry{}, lost: goneList{has: map[string]bool{}}, wanted: map[string]bool{},
		healthy: map[*tree]bool{}, suspect: map[*tree]bool{},
	}
	k.walker.cond = sync.NewCond(&k.walker.mu)
	return k
}

func (k *keeper) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	k.nextScan = time.Now().Add(k.opt.Rescan)
	urgent := false
	for {
		k.turn(urgent)
		urgent = false
		settled, file, next := k.nextFile()
		gone, hint := k.nextGone()
		timer.Reset(time.Until(k.wake()))
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-k.in.hard:
			urgent = true
		case <-k.in.soft:
			// A writer is 20 turns per quiet time, however fast he writes.
			if k.gather.IsZero() {
				k.gather = time.Now().Add(k.opt.Settle / 20)
			}
		case settled <- file:
			k.hand(next)
		case gone <- hint:
			k.lost.pop()
		}
	}
}

// wake is when the keeper has something to do without being asked.
func (k *keeper) wake() time.Time {
	at := k.nextScan
	for _, t := range []time.Time{k.gather, k.nextPoll, k.auditAt, k.roomAt} {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if len(k.queue) > 0 && k.queue[0].due.Before(at) {
		at = k.queue[0].due
	}
	return at
}

func (k *keeper) turn(urgent bool) {
	k.now = time.Now()
	clear(k.healthy)
	if urgent || !k.wake().After(k.now) {
		k.sortInbox() // before anything settles: the inbox may know that it has not
		k.settle()
	}
	if !k.nextScan.After(k.now) {
		k.nextScan = k.now.Add(k.opt.Rescan)
		k.rescan("", nil)
	}
	k.poll()
	k.audit()
	k.makeRoom()
	k.answer()
}

// sortInbox drops the watches of all directories that may have moved before it
// looks at any path, so the order of the notes does not matter: a directory
// renamed is two notes, and either may come first.
func (k *keeper) sortInbox() {
	notes, calls, overflows := k.in.take()
	k.gather = time.Time{}
	for path, n := range notes {
		if n.op&opMoved != 0 && k.dirs.Drop(path) {
			k.auditSoon()
		}
	}
	for path, n := range notes {
		k.attend(path, n)
	}
	for _, call := range calls {
		call(k)
	}
	if overflows > 0 {
		k.overflows += overflows
		k.opt.Log.Warn().Msg("inotify queue overflow, scanning everything")
		k.rescan("", nil)
	}
}

// treeOf finds the tree a path is in, and nil for noise and what is too deep.
func (k *keeper) treeOf(path string) *tree {
	for dir := path; dir != "/" && dir != "."; dir = filepath.Dir(dir) {
		if k.opt.Ignore(filepath.Base(dir)) && k.trees[dir] == nil {
			return nil
		}
		if t := k.trees[dir]; t != nil {
			if t.deepest(filepath.Dir(path)) {
				return nil
			}
			return t
		}
	}
	return nil
}

// attend finds out what is at a path now.
func (k *keeper) attend(path string, n note) {
	t := k.treeOf(path)
	if t == nil {
		return
	}
	if path == t.abs {
		if n.op&(opMoved|opLook) != 0 {
			k.scanTrees(t)
		}
		return
	}
	if n.op == 0 && n.found != nil {
		k.touch(t, path, n)
		return
	}
	st, err := t.look(path)
	if err == nil && n.op&(fsnotify.Remove|fsnotify.Rename|opVanished) != 0 {
		k.lost.push(t, path) // what was here may have been another thing: a directory
	}
	switch {
	case isGone(err):
		k.vanished(t, path)
	case err != nil: // settling will find the same error, and tell
		n.found = &stat{mode: unix.S_IFREG}
		k.touch(t, path, n)
	case st.isDir() && !k.shut(t, path):
		if n.op&opMoved != 0 {
			k.auditSoon()
		}
		if e := k.entries[path]; e != nil && e.state != handed {
			k.forget(e)
		}
		if n.op&opLook != 0 || !k.dirs.has(path) {
			k.begin(&scan{}, map[string]*tree{path: t})
		}
	default:
		n.found = st
		k.touch(t, path, n)
	}
}

// vanished gives a hint out, unless the whole tree is not what it was: then
// what is missing below it says nothing.
func (k *keeper) vanished(t *tree, path string) {
	if e := k.entries[path]; e != nil {
		if e.state == handed {
			e.touched = true
			return
		}
		k.forget(e)
	}
	if k.isHealthy(t) {
		k.lost.push(t, path)
	} else if !k.suspect[t] && !k.dirs.failed(t.abs) {
		k.suspect[t] = true
		k.scanThen([]*tree{t}, func() { delete(k.suspect, t) })
	}
}

func (k *keeper) isHealthy(t *tree) bool {
	if ok, asked := k.healthy[t]; asked {
		return ok
	}
	st, err := t.look(t.abs)
	ok := err == nil && k.dirs.shows(t.abs, st.inode())
	k.healthy[t] = ok
	return ok
}

func (k *keeper) status() Status {
	s := Status{
		Pending: len(k.entries) - len(k.out), Handed: len(k.out),
		LastScan: k.lastScan, Overflows: k.overflows,
	}
	now := time.Now()
	s.Starved = now.Sub(k.starved) < time.Minute
	for _, e := range k.entries {
		if e.state != handed && (s.OldestPending.IsZero() || e.since.Before(s.OldestPending)) {
			s.OldestPending = e.since
		}
		if e.state == waiting && (e.held || now.Sub(e.changed) < time.Minute) {
			s.Uploading++
		}
		if e.state == waiting && s.Pending <= maxArriving {
			s.Arriving = append(s.Arriving, Arriving{e.tree.root, e.tree.rel(e.path), e.since})
		}
	}
	for _, t := range k.trees {
		if t.leaseless.Load() && !slices.Contains(s.Unsure, t.root) {
			s.Unsure = append(s.Unsure, t.root)
		}
		if t.refused.Load() && !slices.Contains(s.Refused, t.root) {
			s.Refused = append(s.Refused, t.root)
		}
	}
	k.dirs.report(&s)
	k.dirs.reportFull(&s)
	return s
}

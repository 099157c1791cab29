package watcher

import (
	"container/heap"
	"time"

	"picday/internal/turns"
	"picday/internal/upload"
)

// fileKey identifies a file in the exported API; path is relative to Root.Dir.
type fileKey struct{ account, path string }

type state int

const (
	waiting  state = iota // in the delay queue until it is due
	ready                 // settled, to be sent on Settled
	inFlight              // sent on Settled, Done not yet called
)

// lane is a queue that takes turns on Settled. Each account has two, so that files
// that are not read do not wait behind those whose processing takes long.
type lane struct {
	account string
	unread  bool
}

// entry is a path that waits to be sent on Settled or for its Done. The event loop owns it.
type entry struct {
	tree    *tree
	path    string // absolute
	state   state
	id      upload.Identity // at the last stat
	regular bool
	dir     bool
	since   time.Time     // of the first event
	changed time.Time     // of the last event, or of the stat that found a new id
	due     time.Time     // of the next stat
	quiet   time.Duration // its quiet time: Options.Settle, or less at first
	held    bool          // open for writing at the last stat, so that the next may come later
	warned  bool          // it was logged that it cannot be examined

	place   *turns.Place[lane, *entry] // set when it becomes ready
	recheck bool                       // changed while in flight: check it again after Done
	waiters []*waiter
	index   int // in the heap, -1 outside
}

// release ends the wait of all waiters for this entry.
func (e *entry) release() {
	for _, w := range e.waiters {
		w.left--
	}
	e.waiters = nil
}

// delayQueue is a heap of waiting entries, ordered by due.
type delayQueue []*entry

func (q delayQueue) Len() int           { return len(q) }
func (q delayQueue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q delayQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *delayQueue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *delayQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.index = -1
	return e
}

// schedule makes e wait until due, whether or not it is in the heap.
func (q *delayQueue) schedule(e *entry, due time.Time) {
	e.state, e.due = waiting, due
	if e.index < 0 {
		heap.Push(q, e)
	} else {
		heap.Fix(q, e.index)
	}
}

func (q *delayQueue) cancel(e *entry) {
	if e.index >= 0 {
		heap.Remove(q, e.index)
	}
}

// missingQueue is a FIFO queue of paths without duplicates, to be sent on Gone.
type missingQueue struct {
	list []missingPath
	has  map[string]bool
	sent int // number of paths popped since the start
}

type missingPath struct {
	tree *tree
	path string
}

func (g *missingQueue) push(t *tree, path string) {
	if !g.has[path] {
		g.has[path] = true
		g.list = append(g.list, missingPath{t, path})
	}
}

func (g *missingQueue) pop() {
	delete(g.has, g.list[0].path)
	g.list = g.list[1:]
	g.sent++
}

// nextMissing returns the channel to send on and the next hint; the channel is nil if
// there is none. It skips trees that are no longer in use.
func (l *loop) nextMissing() (chan<- upload.Gone, upload.Gone) {
	for len(l.missing.list) > 0 {
		head := l.missing.list[0]
		if !head.tree.removed.Load() {
			return l.gone, upload.Gone{Account: head.tree.account, Path: head.tree.rel(head.path)}
		}
		l.missing.pop()
	}
	return nil, upload.Gone{}
}

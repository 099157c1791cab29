package watcher

import (
	"container/heap"
	"time"

	"picday/internal/turns"
)

// name is what a path is called outside.
type name struct{ root, path string }

type state int

const (
	waiting state = iota // for its time to come; in the heap
	ready                // settled; waits for its turn on Settled
	handed               // given out, not yet answered
)

// lane is who has a turn on Settled: each root two, so that what is dealt with in
// no time does not wait behind what takes long.
type lane struct {
	root  string
	quick bool
}

// entry is a path that is not dealt with yet. The keeper owns it.
type entry struct {
	tree    *tree
	path    string // absolute
	state   state
	id      Identity // at the last look
	regular bool
	dir     bool
	since   time.Time // first heard of
	changed time.Time // last heard of, or seen to be another
	due     time.Time
	held    bool // by a writer at the last look, so the next one may come later
	warned  bool // that it cannot be examined

	place   *turns.Place[lane, *entry] // once it was ready
	touched bool                       // while handed: look again after Done
	waiters []*waiter
	index   int // in the heap, -1 outside
}

// release lets the scans go that wait for this entry.
func (e *entry) release() {
	for _, w := range e.waiters {
		w.left--
	}
	e.waiters = nil
}

// queue is a heap of waiting entries, the next one due first.
type queue []*entry

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.index = -1
	return e
}

// put makes e wait until due, wherever it was before.
func (q *queue) put(e *entry, due time.Time) {
	e.state, e.due = waiting, due
	if e.index < 0 {
		heap.Push(q, e)
	} else {
		heap.Fix(q, e.index)
	}
}

func (q *queue) take(e *entry) {
	if e.index >= 0 {
		heap.Remove(q, e.index)
	}
}

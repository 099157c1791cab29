// Package turns shares something scarce between owners: who has a thousand
// things waiting gets no more turns than who has one.
package turns

import "container/list"

// A Queue gives out what waits, one thing of each owner after the other, and
// the things of one owner in the order in which they came. What was given out
// counts against its owner until it is back, and nobody has more than the limit
// out. It holds nothing for an owner who has nothing waiting and nothing out.
//
// Each method takes the same time, however much waits. A Queue belongs to one
// goroutine. The zero value is not ready.
type Queue[K comparable, V any] struct {
	limit  int
	owners map[K]*owner[K, V]
	ring   list.List // of *owner: those who have something waiting and may have it; whose turn it is first
}

type owner[K comparable, V any] struct {
	key     K
	waiting list.List     // of *Place
	out     int           // given and not back
	turn    *list.Element // in the ring, nil outside
}

// A Place is a thing that waits.
type Place[K comparable, V any] struct {
	Owner K
	Value V

	owner *owner[K, V]
	at    *list.Element // nil once it does not wait any more
}

// New makes a queue in which an owner has at most limit things out; 0 = as many
// as he likes.
func New[K comparable, V any](limit int) *Queue[K, V] {
	return &Queue[K, V]{limit: limit, owners: map[K]*owner[K, V]{}}
}

// Put adds a thing behind all that its owner has waiting.
func (q *Queue[K, V]) Put(key K, v V) *Place[K, V] {
	o := q.owners[key]
	if o == nil {
		o = &owner[K, V]{key: key}
		q.owners[key] = o
	}
	p := &Place[K, V]{Owner: key, Value: v, owner: o}
	p.at = o.waiting.PushBack(p)
	q.arrange(o)
	return p
}

// Next is the thing whose turn it is, nil if nothing may be given out. It goes
// on waiting until Give.
func (q *Queue[K, V]) Next() *Place[K, V] {
	first := q.ring.Front()
	if first == nil {
		return nil
	}
	return first.Value.(*owner[K, V]).waiting.Front().Value.(*Place[K, V])
}

// Give takes a thing that waits out of the queue, for its owner to have. The
// next turn is another owner's.
func (q *Queue[K, V]) Give(p *Place[K, V]) {
	o := p.owner
	o.out++
	if o.turn != nil {
		q.ring.MoveToBack(o.turn)
	}
	q.Remove(p)
}

// Back says that a thing given to an owner is back.
func (q *Queue[K, V]) Back(key K) {
	if o := q.owners[key]; o != nil && o.out > 0 {
		o.out--
		q.arrange(o)
	}
}

// Remove takes a thing out of the queue that nobody shall have any more. One
// that does not wait is left alone.
func (q *Queue[K, V]) Remove(p *Place[K, V]) {
	if p.at != nil {
		p.owner.waiting.Remove(p.at)
		p.at = nil
		q.arrange(p.owner)
	}
}

// arrange puts an owner into the ring or takes him out of it, as he may.
func (q *Queue[K, V]) arrange(o *owner[K, V]) {
	may := o.waiting.Len() > 0 && (q.limit == 0 || o.out < q.limit)
	switch {
	case may && o.turn == nil:
		o.turn = q.ring.PushBack(o)
	case !may && o.turn != nil:
		q.ring.Remove(o.turn)
		o.turn = nil
	}
	if o.waiting.Len() == 0 && o.out == 0 {
		delete(q.owners, o.key)
	}
}

// Package turns shares a scarce resource fairly between owners: an owner with a thousand
// waiting values gets no more turns than one with a single value.
package turns

import "container/list"

// A Queue returns one value of each owner in turn, and the values of one owner in the
// order of Put. A value counts against its owner's limit from Give until Back. An owner
// without such values and without waiting ones takes no memory.
//
// Each method takes constant time. A Queue is not safe for concurrent use. Use New.
type Queue[K comparable, V any] struct {
	limit  int
	owners map[K]*owner[K, V]
	ring   list.List // of *owner: the owners below the limit with waiting values, the next one in front
}

type owner[K comparable, V any] struct {
	key     K
	waiting list.List     // of *Place
	out     int           // number of values between Give and Back
	turn    *list.Element // in the ring, nil outside
}

// A Place is a value in a Queue.
type Place[K comparable, V any] struct {
	Owner K
	Value V

	owner *owner[K, V]
	at    *list.Element // nil once it no longer waits
}

// New makes a queue in which an owner has at most limit values between Give and Back;
// 0 means no limit.
func New[K comparable, V any](limit int) *Queue[K, V] {
	return &Queue[K, V]{limit: limit, owners: map[K]*owner[K, V]{}}
}

// Put adds a value after all waiting values of its owner.
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

// Next returns the value whose turn it is, nil if there is none. It stays in the queue
// until Give.
func (q *Queue[K, V]) Next() *Place[K, V] {
	first := q.ring.Front()
	if first == nil {
		return nil
	}
	return first.Value.(*owner[K, V]).waiting.Front().Value.(*Place[K, V])
}

// Give removes a waiting value from the queue and counts it for its owner. The next turn
// is another owner's.
func (q *Queue[K, V]) Give(p *Place[K, V]) {
	o := p.owner
	o.out++
	if o.turn != nil {
		q.ring.MoveToBack(o.turn)
	}
	q.Remove(p)
}

// Back ends the count of one value that Give has counted for an owner.
func (q *Queue[K, V]) Back(key K) {
	if o := q.owners[key]; o != nil && o.out > 0 {
		o.out--
		q.arrange(o)
	}
}

// Remove removes a value from the queue without counting it. It does nothing if the
// value is not waiting.
func (q *Queue[K, V]) Remove(p *Place[K, V]) {
	if p.at != nil {
		p.owner.waiting.Remove(p.at)
		p.at = nil
		q.arrange(p.owner)
	}
}

// arrange adds an owner to the ring or removes it, depending on whether it may have a
// turn.
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

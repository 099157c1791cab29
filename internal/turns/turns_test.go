package turns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func drain(q *Queue[string, int]) (order []string) {
	for p := q.Next(); p != nil; p = q.Next() {
		q.Give(p)
		q.Back(p.Owner)
		order = append(order, fmt.Sprint(p.Owner, p.Value))
	}
	return order
}

func TestALongQueueDelaysNobodyElse(t *testing.T) {
	q := New[string, int](0)
	for i := range 3000 {
		q.Put("studio", i)
	}
	q.Put("school", 0)
	q.Put("kindergarten", 0)
	q.Put("school", 1)
	order := drain(q)
	if want := []string{"studio0", "school0", "kindergarten0", "studio1", "school1", "studio2"}; !slices.Equal(order[:6], want) {
		t.Errorf("%v, not %v", order[:6], want)
	}
	if len(order) != 3003 || order[3002] != "studio2999" || len(q.owners) != 0 {
		t.Errorf("%d given, %d owners left", len(order), len(q.owners))
	}
}

func TestNobodyHasMoreThanTheLimit(t *testing.T) {
	q := New[string, int](2)
	for i := range 5 {
		q.Put("studio", i)
	}
	q.Give(q.Next())
	q.Give(q.Next())
	if p := q.Next(); p != nil {
		t.Fatalf("the third of a limit of two: %v", p.Value)
	}
	q.Put("school", 0)
	if p := q.Next(); p == nil || p.Owner != "school" {
		t.Fatalf("not the other's turn: %v", p)
	}
	q.Back("studio")
	q.Give(q.Next())
	if p := q.Next(); p == nil || p.Owner != "studio" || p.Value != 2 {
		t.Fatalf("%v", p)
	}
}

// Against a model that counts: order within an owner, the limit, and that
// between two turns of one owner everybody else who could has had one.
func TestTurnsModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 0))
	for limit := range 4 {
		q := New[int, int](limit)
		waiting, out, passed := map[int][]*Place[int, int]{}, map[int]int{}, map[int]int{}
		may := func(o int) bool { return len(waiting[o]) > 0 && (limit == 0 || out[o] < limit) }
		for n := range 20_000 {
			o := r.IntN(6)
			switch r.IntN(8) {
			case 0, 1, 2:
				waiting[o] = append(waiting[o], q.Put(o, n))
			case 3:
				if out[o] > 0 {
					out[o]--
				}
				q.Back(o)
			case 4:
				if len(waiting[o]) > 0 {
					i := r.IntN(len(waiting[o]))
					q.Remove(waiting[o][i])
					q.Remove(waiting[o][i]) // harmless
					waiting[o] = slices.Delete(waiting[o], i, i+1)
				}
			default:
				p := q.Next()
				if p == nil {
					for o := range 6 {
						if may(o) {
							t.Fatalf("seed %d, limit %d: %d gets nothing", seed, limit, o)
						}
					}
					continue
				}
				if !may(p.Owner) || waiting[p.Owner][0] != p {
					t.Fatalf("seed %d, limit %d: out of order: %+v", seed, limit, p)
				}
				q.Give(p)
				waiting[p.Owner] = waiting[p.Owner][1:]
				out[p.Owner]++
				passed[p.Owner] = 0
				for o := range 6 {
					if o != p.Owner && may(o) {
						if passed[o]++; passed[o] > 5 {
							t.Fatalf("seed %d, limit %d: %d was passed over %d times", seed, limit, o, passed[o])
						}
					}
				}
			}
			for o := range 6 {
				if !may(o) {
					passed[o] = 0
				}
			}
		}
	}
}

package store

import (
	"testing"

	"picday/internal/layout"
)

// How many photos are expected in a job is kept, and the operator who says so is known.
func TestHowManyPhotosAreExpected(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	job := func() Job {
		t.Helper()
		j, err := w.s.All().Job(t.Context(), "acme", "job1")
		w.must(err)
		return j
	}
	w.tx(func(tx *Tx) error { return tx.SetExpected(job(), 900, "") })
	w.tx(func(tx *Tx) error { return tx.SetExpected(job(), 812, "ann") })
	for _, n := range []int{-1, MostExpected + 1} {
		if err := w.s.Update(t.Context(), func(tx *Tx) error { return tx.SetExpected(job(), n, "") }); err == nil {
			t.Errorf("%d are expected", n)
		}
	}
	all, err := w.s.All().Activity(t.Context(), ActivityQuery{Event: EventExpected})
	if w.must(err); job().Expected != 812 || len(all) != 1 || all[0].Path != "job1" || all[0].Detail != "812" || all[0].Operator != "ann" {
		t.Errorf("%d; %+v", job().Expected, all)
	}
}

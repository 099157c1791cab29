package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"picday/store"
)

// withdrawSpent withdraws what is overdue in a transaction that may ask the volume
// for no more than left calls.
func (b *bed) withdrawSpent(left int) (doubt error) {
	b.Helper()
	b.must(b.Store.Update(b.Context(), func(tx *store.Tx) (err error) {
		probe, calls := &store.Budget{}, -1
		for probe.Begin(); err == nil; calls++ {
			err = probe.Spend(1, 0)
		}
		tx.Budget().Begin()
		b.must(tx.Budget().Spend(calls-left, 0))
		tx.Budget().End()
		doubt, err = b.askDisk(tx.Budget(), func(d store.Disk) error {
			_, _, err := tx.Withdraw(-1, store.Cursor{}, 10, d)
			return err
		})
		return err
	}))
	return doubt
}

// Whether a missing file was moved could not be found out: it is not withdrawn.
func TestDoubtWithdrawsNothing(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.write(path, whole)
	b.settle(path)
	for i := range 50 {
		b.must(os.Mkdir(b.at(fmt.Sprintf("acme/job1/y%d", i)), 0o755))
	}
	b.must(os.Rename(b.at(path), b.at("acme/job1/x/b.jpg"))) // not looked at yet
	b.gone(path)
	if doubt := b.withdrawSpent(100); !errors.Is(doubt, store.ErrOverBudget) {
		t.Fatal(doubt)
	}
	if b.photo(path) == nil {
		t.Error("withdrawn in doubt")
	}
	if doubt := b.withdrawSpent(10_000); doubt != nil || b.photo(path) == nil {
		t.Errorf("%v, withdrawn although it was moved: %v", doubt, b.photo(path) == nil)
	}
	b.must(os.Remove(b.at("acme/job1/x/b.jpg")))
	if doubt := b.withdrawSpent(10_000); doubt != nil || b.photo(path) != nil {
		t.Errorf("%v, %+v", doubt, b.photo(path))
	}
}

// A job may have so many folders that no transaction can look into all of them. What
// was deleted in it stays published, and that is told.
func TestTooManyFoldersAreTold(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.Config.Upload.DeleteGrace = 0
	b.write(path, whole)
	b.settle(path)
	b.must(os.Remove(b.at(path)))
	b.gone(path)
	for i := range 10_500 {
		b.must(os.Mkdir(b.at(fmt.Sprintf("acme/job1/x/%d", i)), 0o755))
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b.running(func(chan<- File, <-chan bool) {
		var sweeps sync.WaitGroup
		sweeps.Go(func() { b.must(b.Sweep(ctx, nil)) })
		b.until("it is told", func() bool { return errors.Is(b.Unwithdrawn(), store.ErrOverBudget) })
		if b.photo(path) == nil {
			t.Error("withdrawn in doubt")
		}
		stop()
		sweeps.Wait()
	})
}

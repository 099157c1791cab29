package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"picday/internal/upload"
	"picday/store"
)

// withdrawSpent withdraws the overdue photos in a transaction that has left system calls in
// its budget.
func (b *bed) withdrawSpent(left int) (diskErr error) {
	b.Helper()
	b.must(b.Store.Update(b.Context(), func(tx *store.Tx) (err error) {
		probe, calls := &store.Budget{}, -1
		for probe.Begin(); err == nil; calls++ {
			err = probe.Spend(1, 0)
		}
		tx.Budget().Begin()
		b.must(tx.Budget().Spend(calls-left, 0))
		tx.Budget().End()
		diskErr, err = b.askDisk(tx.Budget(), func(d store.Disk) error {
			_, _, err := tx.Withdraw(-1, store.SweepPosition{}, 10, d)
			return err
		})
		return err
	}))
	return diskErr
}

// A photo is not withdrawn while it is unknown whether its missing file was moved.
func TestUnknownWithdrawsNothing(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.write(path, whole)
	b.settle(path)
	for i := range 50 {
		b.must(os.Mkdir(b.at(fmt.Sprintf("acme/job1/y%d", i)), 0o755))
	}
	b.must(os.Rename(b.at(path), b.at("acme/job1/x/b.jpg"))) // the watcher has not reported it yet
	b.gone(path)
	if diskErr := b.withdrawSpent(100); !errors.Is(diskErr, store.ErrOverBudget) {
		t.Fatal(diskErr)
	}
	if b.photo(path) == nil {
		t.Error("withdrawn without proof")
	}
	if diskErr := b.withdrawSpent(10_000); diskErr != nil || b.photo(path) == nil {
		t.Errorf("%v, withdrawn although it was moved: %v", diskErr, b.photo(path) == nil)
	}
	b.must(os.Remove(b.at("acme/job1/x/b.jpg")))
	if diskErr := b.withdrawSpent(10_000); diskErr != nil || b.photo(path) != nil {
		t.Errorf("%v, %+v", diskErr, b.photo(path))
	}
}

// In a job with more folders than a transaction can check, photos of deleted files stay
// published, and that is reported.
func TestTooManyFoldersToCheckAreReported(t *testing.T) {
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
	b.running(func(chan<- upload.File, <-chan bool) {
		var sweeps sync.WaitGroup
		sweeps.Go(func() { b.must(b.Sweep(ctx, nil)) })
		b.until("it is reported", func() bool { return errors.Is(b.WithdrawFailure(), store.ErrOverBudget) })
		if b.photo(path) == nil {
			t.Error("withdrawn without proof")
		}
		stop()
		sweeps.Wait()
	})
}

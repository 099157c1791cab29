package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"picday/store/pictures"
)

// commits returns a function whose result changes when another connection has committed.
func commits(t *testing.T, s *Store) func() int64 {
	conn, err := s.read.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	version := func() (v int64) {
		if err := conn.QueryRowContext(t.Context(), `PRAGMA data_version`).Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	version()
	return version
}

func note(key string) func(*Tx) error {
	return func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO meta VALUES (?, 'x')`, key)
		return err
	}
}

func (s *Store) noted(t *testing.T) int {
	n, err := column[int](t.Context(), s.read, `SELECT count(*) FROM meta WHERE key <> 'changed'`)
	if err != nil {
		t.Fatal(err)
	}
	return n[0]
}

// Waiting changes are committed in one transaction, and a change that fails is rolled back
// alone.
func TestWaitingChangesShareACommit(t *testing.T) {
	s := bareStore(t)
	w := s.NewWriter()
	version := commits(t, s)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	bad := errors.New("bad")
	seen := map[int64]bool{}
	var results [100]error
	var done [100]int
	for i := range 100 {
		apply := note(fmt.Sprint(i))
		if i%10 == 3 {
			apply = func(tx *Tx) error { return errors.Join(note(fmt.Sprint(i))(tx), bad) }
		}
		if err := w.Submit(ctx, Change{Apply: apply, Done: func(err error) {
			results[i] = err
			done[i]++
			seen[version()] = true
			if i == 99 {
				stop()
			}
		}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 {
		t.Errorf("%d commits for what waited together", len(seen))
	}
	for i := range results {
		if done[i] != 1 || errors.Is(results[i], bad) != (i%10 == 3) || results[i] != nil && i%10 != 3 {
			t.Errorf("change %d: told %d times, %v", i, done[i], results[i])
		}
	}
	if n := s.noted(t); n != 90 {
		t.Errorf("%d of 90 are there", n)
	}
}

// If Submit returns nil, the callback is called, even if the writer ends at that moment,
// and the error that it gets is true.
func TestEveryoneIsAnsweredWhenTheWriterEnds(t *testing.T) {
	s := bareStore(t)
	if _, err := s.write.Exec(`PRAGMA synchronous = OFF`); err != nil {
		t.Fatal(err)
	}
	for round := range 20 {
		w := s.NewWriter()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		var taken, answered, kept atomic.Int64
		var group sync.WaitGroup
		before := s.noted(t)
		for g := range 8 {
			group.Go(func() {
				for i := 0; ; i++ {
					err := w.Submit(context.Background(), Change{
						Apply: note(fmt.Sprint(round, g, i)),
						Done: func(err error) {
							answered.Add(1)
							if err == nil {
								kept.Add(1)
							}
							if answered.Load() == 100 {
								stop()
							}
						},
					})
					if err != nil {
						return
					}
					taken.Add(1)
				}
			})
		}
		group.Wait()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if taken.Load() != answered.Load() || int64(s.noted(t)-before) != kept.Load() {
			t.Fatalf("taken %d, answered %d, told kept %d, kept %d", taken.Load(), answered.Load(), kept.Load(), s.noted(t)-before)
		}
		if err := w.Submit(context.Background(), Change{}); !errors.Is(err, errEnded) {
			t.Errorf("after the end: %v", err)
		}
	}
}

// When the disk is full SQLite may roll back the whole transaction. Then every change of
// it fails, and the writer works again when there is room.
func TestFullDiskKeepsNothingOfTheGroup(t *testing.T) {
	s := bareStore(t)
	w := s.NewWriter()
	pages := func(n int) {
		if _, err := s.write.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, n)); err != nil {
			t.Fatal(err)
		}
	}
	pages(1) // limits the file to its size
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	told := make(chan error, 3)
	big := func(tx *Tx) error {
		_, err := tx.exec(`INSERT INTO meta VALUES ('big', hex(randomblob(1000000)))`)
		return err
	}
	for _, apply := range []func(*Tx) error{note("before"), big, note("after")} {
		if err := w.Submit(ctx, Change{Apply: apply, Done: func(err error) { told <- err }}); err != nil {
			t.Fatal(err)
		}
	}
	go w.Run(ctx)
	kept := 0
	for range 3 {
		if <-told == nil {
			kept++
		}
	}
	if n := s.noted(t); n != kept || n == 3 {
		t.Errorf("told that %d were kept, %d were", kept, n)
	}
	pages(1 << 30)
	if err := w.Do(ctx, big); err != nil || s.noted(t) != kept+1 {
		t.Errorf("with room again: %v", err)
	}
}

// The directories of new files are synced before the rows that point to them are
// committed; if a sync fails, nothing is committed.
func TestDirectoryThatCannotBeSyncedKeepsNothing(t *testing.T) {
	s := bareStore(t)
	w := s.NewWriter()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	told := make(chan error, 1)
	if err := w.Submit(ctx, Change{Files: []pictures.Name{"nowhere/x.jpg"}, Apply: note("x"), Done: func(err error) { told <- err; stop() }}); err != nil {
		t.Fatal(err)
	}
	w.Run(ctx)
	if err := <-told; err == nil || s.noted(t) != 0 {
		t.Errorf("%v", err)
	}
}

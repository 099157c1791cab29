package accountlist

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/layout"
	"picday/store"
	"picday/watcher"
)

// A reader that is overtaken by another does not apply older accounts after newer
// ones: nothing would repair that before the next change.
func TestOlderAccountsDoNotReplaceNewerOnes(t *testing.T) {
	old := []store.Account{{ID: 1, Name: "acme", Layout: layout.Portraits}}
	now := append(old[:1:1], store.Account{ID: 2, Name: "lincoln", Layout: layout.Portraits})
	var reads atomic.Int32
	read, goOn := make(chan bool), make(chan bool)
	var applied []watcher.Root
	l := New(Options{
		Accounts: func(context.Context) ([]store.Account, error) {
			if reads.Add(1) > 1 {
				return now, nil
			}
			close(read) // the first reader has seen the old accounts, and is slow from here on
			<-goOn
			return old, nil
		},
		Apply: func(_ context.Context, _ []store.Account, roots []watcher.Root) error { applied = roots; return nil },
		Log:   zerolog.Nop(),
	})
	var group sync.WaitGroup
	load := func(loaded chan<- bool) {
		if err := l.Load(t.Context()); err != nil {
			t.Error(err)
		}
		close(loaded)
	}
	first, second := make(chan bool), make(chan bool)
	group.Go(func() { load(first) })
	<-read
	group.Go(func() { load(second) })
	select {
	case <-second: // overtakes the first
	case <-time.After(200 * time.Millisecond): // waits for it
	}
	close(goOn)
	group.Wait()
	if len(applied) != 2 {
		t.Errorf("the account added last is forgotten: %+v", applied)
	}
}

// Who waits for a reader that does not come back gives up with his context.
func TestLoadEndsWithItsContext(t *testing.T) {
	l := New(Options{Log: zerolog.Nop()})
	l.loading <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRoots(t *testing.T) {
	var roots []watcher.Root
	l := New(Options{
		UploadDir: "/srv",
		Accounts: func(context.Context) ([]store.Account, error) {
			return []store.Account{{ID: 1, Name: "acme", Layout: layout.Jobs}, {ID: 7, Name: "lincoln", Layout: layout.Portraits, IDPattern: "[0-9]+"}}, nil
		},
		JobStates: func(_ context.Context, id int64) (map[string]store.JobState, error) {
			if id != 1 {
				t.Errorf("jobs of %d", id)
			}
			return map[string]store.JobState{"job2": store.Planned, "job1": store.Planned, "sold": store.Active}, nil
		},
		Apply: func(_ context.Context, _ []store.Account, r []watcher.Root) error { roots = r; return nil },
		Log:   zerolog.Nop(),
	})
	if err := l.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []watcher.Root{
		{Account: "acme", Dir: "/srv/acme", Generation: "1 ", Trees: []string{"job1", "job2"}},
		{Account: "lincoln", Dir: "/srv/lincoln", Generation: "7 [0-9]+", Trees: []string{"lincoln/user-pictures"}},
	}
	if !reflect.DeepEqual(roots, want) {
		t.Errorf("%+v", roots)
	}
}

// Accounts are loaded at once, and again when another process has committed.
func TestFollow(t *testing.T) {
	var version, loads atomic.Int64
	version.Store(1)
	l := New(Options{
		Accounts: func(context.Context) ([]store.Account, error) { loads.Add(1); return nil, nil },
		Version:  func(context.Context) (int64, error) { return version.Load(), nil },
		Apply:    func(context.Context, []store.Account, []watcher.Root) error { return nil },
		Log:      zerolog.Nop(),
	})
	ctx, stop := context.WithCancel(t.Context())
	changed := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() { ended <- l.Follow(ctx, changed) }()
	<-changed
	version.Store(2)
	<-changed
	stop()
	if err := <-ended; err != nil || loads.Load() != 2 {
		t.Errorf("%v, %d loads", err, loads.Load())
	}
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"picday/internal/durable"
)

// A Change is one thing to be committed, together with others that wait.
type Change struct {
	Dirs  []string        // directories whose new names must be durable before Apply
	Apply func(*Tx) error // may be run once only; its error undoes this change alone
	Done  func(error)     // called after the commit, from the writer's goroutine; must not block
}

// A Writer commits changes in groups: while one transaction is being made
// durable others gather, and the next takes them all. So many waiting photos
// share one fsync, and one photo waits for nobody.
type Writer struct {
	s     *Store
	queue chan Change

	// Held for reading by who is submitting, so that Run knows the last one.
	submit sync.RWMutex
	ended  bool
}

var errEnded = errors.New("the catalogue's writer has ended")

// maxGroup bounds a transaction, so that the tool gets its turn between two.
const maxGroup = 256

// NewWriter makes a writer; Run must be called for it to write.
func (s *Store) NewWriter() *Writer {
	return &Writer{s: s, queue: make(chan Change, maxGroup)}
}

// Submit hands a change over. Done is called exactly once if Submit returns
// nil, also when Run ends first.
func (w *Writer) Submit(ctx context.Context, c Change) error {
	w.submit.RLock()
	defer w.submit.RUnlock()
	if w.ended {
		return errEnded
	}
	select {
	case w.queue <- c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Do submits a change and waits for it.
func (w *Writer) Do(ctx context.Context, apply func(*Tx) error) error {
	done := make(chan error, 1)
	if err := w.Submit(ctx, Change{Apply: apply, Done: func(err error) { done <- err }}); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run commits until ctx ends, and then what was already submitted.
func (w *Writer) Run(ctx context.Context) error {
	for {
		select {
		case c := <-w.queue:
			w.commit(w.gather(c))
		case <-ctx.Done():
			w.end()
			return nil
		}
	}
}

// end commits until the last one who is submitting is through.
func (w *Writer) end() {
	go func() {
		w.submit.Lock()
		defer w.submit.Unlock()
		w.ended = true
		close(w.queue)
	}()
	for c := range w.queue {
		w.commit(w.gather(c))
	}
}

func (w *Writer) gather(c Change) []Change {
	group := []Change{c}
	for len(group) < maxGroup {
		select {
		case c, ok := <-w.queue:
			if !ok {
				return group
			}
			group = append(group, c)
		default:
			return group
		}
	}
	return group
}

func (w *Writer) commit(group []Change) {
	var dirs []string
	for _, c := range group {
		dirs = append(dirs, c.Dirs...)
	}
	slices.Sort(dirs)
	var err error
	for _, d := range slices.Compact(dirs) {
		if err = durable.SyncDir(d); err != nil {
			break
		}
	}
	for len(group) > 0 {
		results := make([]error, len(group))
		if err == nil {
			results, err = w.transact(group)
		}
		for i := range results {
			if err != nil {
				results[i] = err
			}
			if group[i].Done != nil {
				group[i].Done(results[i])
			}
		}
		group, err = group[len(results):], nil
	}
}

// transact commits the first changes of a group: those that ask the upload
// volume for no more than one transaction may. They are one at least.
func (w *Writer) transact(group []Change) (results []error, err error) {
	// Not the caller's context: half a group must not be cut off.
	err = w.s.Update(context.Background(), func(tx *Tx) error {
		for _, c := range group {
			err := tx.nested(c.Apply)
			if errors.Is(err, ErrOverBudget) && len(results) > 0 {
				return nil // undone; it gets a budget of its own
			}
			results = append(results, err)
			if errors.Is(err, errBroken) {
				return err
			}
			if tx.budget.beyond(5) {
				return nil
			}
		}
		return nil
	})
	if errors.Is(err, errBroken) || len(results) == 0 {
		return make([]error, len(group)), err
	}
	return results, err
}

// errBroken: SQLite gave up the whole transaction by itself, as it does when
// the disk is full. Then nothing of the group was kept.
var errBroken = errors.New("transaction lost")

// nested runs fn so that its failure undoes only what it did.
func (tx *Tx) nested(fn func(*Tx) error) error {
	if _, err := tx.Exec(`SAVEPOINT one`); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	err := fn(tx)
	if err != nil {
		// The savepoint is gone exactly if the transaction is.
		if _, lost := tx.Exec(`ROLLBACK TO one`); lost != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		tx.changed = 0 // undone too
	}
	if _, lost := tx.Exec(`RELEASE one`); lost != nil {
		return fmt.Errorf("%w: %w", errBroken, lost)
	}
	return err
}

package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"picday/store/pictures"
)

// A Change is committed by a Writer, together with other waiting changes.
type Change struct {
	Files []pictures.Name // files already written; their names are made durable before Apply
	Apply func(*Tx) error // its error rolls back this change alone; called again in a new transaction if the budget of a shared one did not suffice
	Done  func(error)     // called after the commit, from the writer's goroutine; must not block
}

// A Writer commits changes in groups: while one transaction is made durable, further
// changes wait, and the next transaction takes them all. So many waiting photos share
// one fsync, and a single photo is committed at once.
type Writer struct {
	s     *Store
	queue chan Change

	// Submit holds it for reading, so that Run can wait for the last one.
	submit sync.RWMutex
	ended  bool
}

var errEnded = errors.New("the catalogue's writer has ended")

// maxGroup is the number of changes in one transaction. It is bounded so that the tool
// can write in between.
const maxGroup = 256

// NewWriter makes a writer. It writes while Run runs.
func (s *Store) NewWriter() *Writer {
	return &Writer{s: s, queue: make(chan Change, maxGroup)}
}

// Submit queues a change. If it returns nil, Done is called once, also if Run ends
// first.
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

// Run commits changes until ctx ends, and then those that were already submitted.
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

// end commits until the last running Submit has returned.
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
	var files []pictures.Name
	for _, c := range group {
		files = append(files, c.Files...)
	}
	err := w.s.files.Sync(files...)
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

// transact commits the first changes of a group, at least one, until the budget for the
// upload volume is used up. It returns one result for each of these.
func (w *Writer) transact(group []Change) (results []error, err error) {
	// No caller's context is used, because SQLite rolls back the whole transaction, with
	// the changes of other callers, if a statement is interrupted.
	err = w.s.Update(context.Background(), func(tx *Tx) error {
		for _, c := range group {
			err := tx.nested(c.Apply)
			if errors.Is(err, ErrOverBudget) && len(results) > 0 {
				return nil // rolled back; the next transaction starts with it, with a full budget
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

// errBroken means that SQLite has rolled back the whole transaction by itself, as it
// does when the disk is full. Then no change of the group is kept.
var errBroken = errors.New("transaction lost")

// nested runs fn in a savepoint, so that an error of fn rolls back only its changes.
func (tx *Tx) nested(fn func(*Tx) error) error {
	if _, err := tx.exec(`SAVEPOINT one`); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	err := fn(tx)
	if err != nil {
		// This fails if and only if SQLite has rolled back the transaction.
		if _, lost := tx.exec(`ROLLBACK TO one`); lost != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		tx.changed = 0 // its stamp was rolled back too
	}
	if _, lost := tx.exec(`RELEASE one`); lost != nil {
		return fmt.Errorf("%w: %w", errBroken, lost)
	}
	return err
}

package store

import (
	"errors"
	"fmt"
	"time"
)

// ErrUnsure is returned when the upload volume could not be asked something that
// a change depends on. Nothing was changed; it must be tried again.
var ErrUnsure = errors.New("the upload volume could not be asked")

// ErrOverBudget is the ErrUnsure of who has asked for more than one transaction
// may. What is asked must be found out beforehand, outside.
var ErrOverBudget = fmt.Errorf("%w: that takes longer than others may wait", ErrUnsure)

// What one transaction may ask of the upload volume, all of its changes
// together. Whoever wants to write waits for it, the watchdog included, so
// nothing that an uploader has put there may decide how long it takes.
const (
	askCalls = 50_000   // system calls, a microsecond each
	askBytes = 32 << 20 // read and hashed
	askTime  = 100 * time.Millisecond
)

// A Budget is what is left of that. Every question of a Disk begins with Begin
// and ends with End; before each call and each piece it reads it asks Spend.
// A nil Budget has no bounds, for who asks outside a transaction.
type Budget struct {
	calls int
	bytes int64
	took  time.Duration
	began time.Time
}

// Begin starts the clock.
func (b *Budget) Begin() {
	if b != nil {
		b.began = time.Now()
	}
}

// End stops the clock.
func (b *Budget) End() {
	if b != nil {
		b.took += time.Since(b.began)
	}
}

// Spend takes so much, or tells with ErrOverBudget that there is not so much left.
func (b *Budget) Spend(calls int, bytes int64) error {
	if b == nil {
		return nil
	}
	if b.calls+calls > askCalls || b.bytes+bytes > askBytes || b.took+time.Since(b.began) > askTime {
		return ErrOverBudget
	}
	b.calls += calls
	b.bytes += bytes
	return nil
}

// beyond tells whether so many tenths are spent. Who has more to ask than one
// question goes on in another transaction then.
func (b *Budget) beyond(tenths int) bool {
	return b.calls > askCalls/10*tenths || b.bytes > askBytes/10*int64(tenths) || b.took > askTime/10*time.Duration(tenths)
}

// Budget is what this transaction may still ask of the upload volume.
func (tx *Tx) Budget() *Budget { return &tx.budget }

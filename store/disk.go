package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"picday/internal/upload"
)

// A Presence tells whether a path of the upload volume exists.
type Presence int

// Unknown is the answer if absence cannot be proven: the volume is not the known one,
// a parent directory cannot be read, or the job is not planned.
const (
	Unknown Presence = iota
	There
	Absent
	Changed // of Find: the file is elsewhere, with another picture in it
)

// A Disk answers questions about the upload volume. The store calls it inside the
// transaction that depends on the answer, so that no other change comes in between; all
// other writers wait meanwhile. An implementation therefore takes each system call and
// each byte that it reads from the Budget of the transaction, and answers Unknown where
// the budget does not suffice. The caller that passed the Disk to Publish or Problem
// must then roll the change back, find the answer outside of a transaction, and try
// again: an Unknown taken for an Absent may give a picture another child's link.
type Disk interface {
	// Look tells whether something is at the path of the account, and its identity
	// if it is There. It costs one call of the kernel for each element of the path.
	Look(ctx context.Context, account, path string) (Presence, upload.Identity)
	// Find looks for that file, with that picture in it, under another path of the
	// same job: There, at that path. Changed is a file that was moved and then written
	// again; a new file that got the inode of a deleted one is Absent. It costs two
	// listings of the job's directories in a transaction, one if the job was listed
	// before, and the reading of each file that has the inode now.
	Find(ctx context.Context, account, path string, id upload.Identity, sha SHA) (p Presence, at string)
	// Verify fails if the answers given so far cannot be trusted, because the
	// upload volume is not the one that the catalogue knows.
	Verify(ctx context.Context) error
}

// ErrUnsure means that a change depends on an answer about the upload volume that could
// not be had. Nothing was changed; the change must be tried again.
var ErrUnsure = errors.New("the upload volume could not be asked")

// ErrOverBudget is an ErrUnsure: the answer costs more than the Budget of a transaction.
// It must be found outside of a transaction before the next try.
var ErrOverBudget = fmt.Errorf("%w: that takes longer than others may wait", ErrUnsure)

// The limits of the calls of a Disk in one transaction, of all its changes together. All
// writers wait for a transaction, the watchdog included, so its duration must not depend
// on what an uploader has put on the volume.
const (
	askCalls = 50_000   // system calls, a microsecond each
	askBytes = 32 << 20 // bytes read and hashed
	askTime  = 100 * time.Millisecond
)

// BenchmarkPublishLock of package ingest measures what comes of it: a new file, about
// which nothing is asked, holds the others up for 1 ms; a question of the volume for
// some 100 ms, also where it is refused, and for twice as long on a busy machine.

// A Budget is what is left of these limits. A Disk calls Begin and End around each
// answer, and Spend before each system call and each piece that it reads. A nil Budget
// has no limits, for use outside of a transaction.
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

// Spend takes system calls and bytes from the budget. It fails with ErrOverBudget if
// less is left.
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

// beyond tells whether so many tenths of a limit are spent. A loop over many files then
// continues in another transaction.
func (b *Budget) beyond(tenths int) bool {
	return b.calls > askCalls/10*tenths || b.bytes > askBytes/10*int64(tenths) || b.took > askTime/10*time.Duration(tenths)
}

// Budget returns the transaction's budget for the calls of a Disk.
func (tx *Tx) Budget() *Budget { return &tx.budget }

package watcher

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"

	"picday/internal/upload"
)

// Files below Options.Depth are ignored. The folder that is too deep is sent instead, and
// is not watched.
func TestDepth(t *testing.T) {
	w := open(t, t.TempDir())
	w.opt.Depth = 3
	w.run()
	w.mkdir("job/a/b/c")
	w.write("job/a/1.jpg")
	w.write("job/a/b/c/2.jpg")
	sent := func(path string) func() bool { return func() bool { return w.times(path) > 0 } }
	w.until("the file is sent", sent("job/a/1.jpg"))
	w.until("the folder is sent", sent("job/a/b"))
	w.write("job/a/b/3.jpg")
	w.scan()
	w.must(os.RemoveAll(w.path("job/a/b")))
	w.until("the folder is gone", func() bool { return w.hinted("job/a/b") > 0 })
	for _, path := range []string{"job/a/b/c/2.jpg", "job/a/b/3.jpg", "job/a/b/c"} {
		if w.times(path)+w.hinted(path) > 0 {
			t.Errorf("%s was looked at", path)
		}
	}
	if n := w.Status().WatchedDirs; n != 2 {
		t.Errorf("%d folders are watched", n)
	}
}

// failingLedger fails the next calls of Dirs.
type failingLedger struct {
	*ledger
	failures atomic.Int32 // number of calls that still fail
}

func (f *failingLedger) Dirs(ctx context.Context, account string) ([]string, error) {
	if f.failures.Add(-1) >= 0 {
		return nil, errors.New("database is locked")
	}
	return f.ledger.Dirs(ctx, account)
}

// The audit is retried after an error of the ledger. It finds folders that only the
// ledger knows before the next scan.
func TestTheAuditIsTriedAgain(t *testing.T) {
	w := open(t, t.TempDir())
	failing := &failingLedger{ledger: w.ledger}
	failing.failures.Store(3)
	w.asked = failing
	w.ledger.put("job/phantom/x.jpg", upload.Identity{Ino: 1})
	w.run()
	w.until("it is noticed", func() bool { return w.hinted("job/phantom") > 0 })
}

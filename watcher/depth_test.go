package watcher

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"testing"
)

// What is deeper than it may be is not there; the folder that is too deep is
// given out instead, and never watched.
func TestDepth(t *testing.T) {
	w := open(t, t.TempDir())
	w.opt.Depth = 3
	w.run()
	w.mkdir("job/a/b/c")
	w.write("job/a/1.jpg")
	w.write("job/a/b/c/2.jpg")
	given := func(path string) func() bool { return func() bool { return w.times(path) > 0 } }
	w.until("the file is given out", given("job/a/1.jpg"))
	w.until("the folder is given out", given("job/a/b"))
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

type deafLedger struct {
	*ledger
	deaf atomic.Int32 // so often
}

func (d *deafLedger) Dirs(ctx context.Context, root string) ([]string, error) {
	if d.deaf.Add(-1) >= 0 {
		return nil, errors.New("database is locked")
	}
	return d.ledger.Dirs(ctx, root)
}

// Folders that only the ledger knows are found when it can be asked again, not
// with the next scan.
func TestTheAuditIsTriedAgain(t *testing.T) {
	w := open(t, t.TempDir())
	deaf := &deafLedger{ledger: w.ledger}
	deaf.deaf.Store(3)
	w.opt.Ledger = deaf
	w.ledger.put("job/phantom/x.jpg", Identity{Ino: 1})
	w.run()
	w.until("it is noticed", func() bool { return w.hinted("job/phantom") > 0 })
}

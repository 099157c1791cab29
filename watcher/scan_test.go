package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"picday/internal/upload"

	"golang.org/x/sys/unix"
)

// No file is missed after an overflow. 20,000 files cause more events than the kernel
// queues while the reader is stalled.
func TestOverflowMissesNothing(t *testing.T) {
	w := open(t, t.TempDir())
	stall := make(chan struct{})
	w.beforeEvent = func() { <-stall }
	w.mkdir("job/before/deep")
	for i := range 20 {
		w.mkdir(fmt.Sprintf("job/a%d/deep", i))
	}
	w.run()
	w.scan()
	for i := range 20 {
		for n := range 1000 {
			w.write(fmt.Sprintf("job/a%d/deep/%d.jpg", i, n))
		}
	}
	// These events are lost too. The watches keep paths that name other directories now.
	w.rename("job/before", "job/after")
	w.rename("job/a3", "job/before")
	close(stall)
	w.until("the overflow is noticed", func() bool { return w.Status().Overflows > 0 })
	w.caughtUp()
	w.scan()
	w.watchesAreRight()
	w.write("job/after/deep/x.jpg")
	w.write("job/before/deep/x.jpg")
	w.caughtUp()
}

func TestStartFindsWhatChangedMeanwhile(t *testing.T) {
	w := open(t, t.TempDir())
	w.mkdir("job/a/b")
	w.write("job/a/same.jpg")
	w.write("job/a/new.jpg")
	fi, err := os.Lstat(w.path("job/a/same.jpg"))
	w.must(err)
	w.ledger.put("job/a/same.jpg", identityOf(fi))
	w.ledger.put("job/a/gone.jpg", upload.Identity{Ino: 1})
	w.ledger.put("job/lost/dir/x.jpg", upload.Identity{Ino: 2})
	w.ledger.put("active/x.jpg", upload.Identity{Ino: 3}) // in a tree that is not watched
	w.run()
	w.scan()
	if w.times("job/a/same.jpg") != 0 || w.times("job/a/new.jpg") != 1 {
		t.Errorf("sent: %v", w.sent)
	}
	w.until("the hints came", func() bool { return w.hinted("job/a/gone.jpg") > 0 && w.hinted("job/lost/dir") > 0 })
	if w.hinted("active") > 0 || w.hinted("active/x.jpg") > 0 {
		t.Error("a hint about a tree that is not watched")
	}
	if s := w.Status(); s.WatchedDirs != 3 || s.LastScan.Files != 2 {
		t.Errorf("%+v", s)
	}
}

// The audit finds a directory that only the ledger knows, because it appeared and
// disappeared without being listed.
func TestLedgerIsAuditedWhenDirectoriesMove(t *testing.T) {
	w := start(t)
	w.ledger.put("job/phantom/x.jpg", upload.Identity{Ino: 1})
	w.mkdir("job/any")
	w.until("it is noticed", func() bool { return w.hinted("job/phantom") > 0 })
	w.caughtUp()
}

func TestRemovalsAreHinted(t *testing.T) {
	w := start(t)
	w.mkdir("job/a/b")
	w.write("job/a/b/1.jpg")
	w.write("job/2.jpg")
	w.caughtUp()
	w.must(os.RemoveAll(w.path("job/a")))
	w.must(os.Remove(w.path("job/2.jpg")))
	w.caughtUp()
}

// A missing tree causes no hints, because it does not prove that its files were deleted.
func TestVanishedTreeGivesNoHints(t *testing.T) {
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/1.jpg")
	w.caughtUp()
	w.write("job/a/2.jpg") // pending
	w.rename("job", "elsewhere")
	w.until("the tree is missing", func() bool { return len(w.Status().Missing) == 1 })
	w.scan()
	w.until("the pending file is dropped", func() bool { return w.Status().Pending == 0 })
	w.scan()
	if w.hintCount() != 0 {
		t.Errorf("hints: %v", w.hints)
	}
	w.rename("elsewhere", "job")
	w.write("job/a/3.jpg")
	w.caughtUp()
	w.until("the tree is back", func() bool { return len(w.Status().Missing) == 0 })
	w.watchesAreRight()
}

// Mounting and unmounting are noticed without an event. The mount point of a volume that
// is not mounted looks like an empty directory.
func TestMountIsNoticed(t *testing.T) {
	w := start(t)
	w.write("job/below.jpg")
	w.caughtUp()
	if err := unix.Mount("none", w.path("job"), "tmpfs", 0, ""); err != nil {
		t.Skip("mounting: ", err)
	}
	defer func() { _ = unix.Unmount(w.path("job"), unix.MNT_DETACH) }()
	w.write("job/above.jpg")
	w.caughtUp()
	w.write("job/later.jpg")
	w.caughtUp()
	w.must(unix.Unmount(w.path("job"), unix.MNT_DETACH))
	w.caughtUp()
	w.write("job/again.jpg")
	w.caughtUp()
}

func TestRemovedRootIsDropped(t *testing.T) {
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/done.jpg")
	w.caughtUp()
	f, err := os.Create(w.path("job/a/held.jpg"))
	w.must(err)
	w.until("it is pending", func() bool { return w.Status().Pending == 1 })
	w.SetRoots(nil)
	f.Close()
	w.must(os.Remove(w.path("job/a/done.jpg")))
	if s := w.Status(); s.Pending != 0 || s.WatchedDirs != 0 {
		t.Errorf("%+v", s)
	}
	w.scan()
	if w.hintCount() != 0 || w.times("job/a/held.jpg") != 0 {
		t.Errorf("hints %v, sent %v", w.hints, w.sent)
	}
	w.mkdir("job2/x")
	w.write("job2/x/1.jpg")
	w.SetRoots([]Root{{Account: "acme", Dir: w.dir, Trees: []string{"job", "job2"}}})
	w.until("both trees are processed", func() bool {
		return w.times("job2/x/1.jpg") == 1 && w.times("job/a/held.jpg") == 1 && w.hinted("job/a/done.jpg") > 0
	})
}

func TestRescan(t *testing.T) {
	w := open(t, t.TempDir())
	received, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.reader = func(upload.File) bool {
		once.Do(func() { close(received); <-answer })
		return false
	}
	w.run()
	w.write("job/x.jpg")
	<-received
	done := make(chan error, 1)
	go func() { done <- w.Rescan(t.Context(), "acme") }()
	w.until("the scan is over", func() bool { return w.Status().LastScan.Files == 1 })
	w.must(w.Alive(t.Context()))
	select {
	case err := <-done:
		t.Fatalf("returned before the answer: %v", err)
	default:
	}
	close(answer)
	w.must(<-done)
	if w.ledger.all()["job/x.jpg"] == (upload.Identity{}) {
		t.Error("returned before the answer")
	}
	if err := w.Rescan(t.Context(), "nobody"); err == nil {
		t.Error("scanned an unknown root")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Alive(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestLookAgain(t *testing.T) {
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/x.jpg")
	w.caughtUp()
	n := w.times("job/a/x.jpg")
	w.Look("acme", "job/a/x.jpg")
	w.until("it is sent again", func() bool { return w.times("job/a/x.jpg") == n+1 })
	w.Look("acme", "job/a/nothing.jpg")
	w.until("it is reported as missing", func() bool { return w.hinted("job/a/nothing.jpg") == 1 })
	w.Look("nobody", "x")
	w.Look("acme", "../../etc/passwd")
	w.must(w.Alive(t.Context()))
}

func TestAfterTheEnd(t *testing.T) {
	w := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.must(w.Run(ctx, w.ledger))
	if err := w.Alive(t.Context()); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if err := w.Rescan(t.Context(), ""); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	w.SetRoots(nil)
	w.Done(upload.File{}, true)
	w.Status()
	if err := w.Run(t.Context(), w.ledger); err == nil {
		t.Error("ran twice")
	}
}

// brokenLedger fails each call of Known until broken is closed.
type brokenLedger struct {
	*ledger
	broken chan struct{}
}

func (b *brokenLedger) Known(ctx context.Context, account, dir string) (map[string]upload.Identity, error) {
	select {
	case <-b.broken:
		return b.ledger.Known(ctx, account, dir)
	default:
		return nil, errors.New("database is locked")
	}
}

// A directory that cannot be compared with the ledger is polled; none of its files counts as
// new or missing until it can.
func TestLedgerErrorsAreWaitedOut(t *testing.T) {
	l := &brokenLedger{&ledger{dirs: map[string]map[string]upload.Identity{}}, make(chan struct{})}
	w := open(t, t.TempDir())
	w.asked = l
	w.write("job/x.jpg")
	w.run()
	w.until("it is polled", func() bool { return len(w.Status().PolledDirs) == 1 })
	if w.times("job/x.jpg") != 0 {
		t.Error("sent without asking the ledger")
	}
	close(l.broken)
	w.caughtUp()
	w.until("it is no longer polled", func() bool { return len(w.Status().PolledDirs) == 0 })
}

// BenchmarkPending measures three events for each of 20,000 pending files.
func BenchmarkPending(b *testing.B) {
	for range b.N {
		l := newLoop(&Watcher{opt: Options{Settle: time.Second}}, nil)
		t := &tree{}
		for i := range 20000 {
			path := fmt.Sprint(i)
			for range 3 {
				l.now = time.Now()
				l.touch(t, path, pathEvents{op: opLook, at: l.now, stat: &upload.Stat{Identity: upload.Identity{Ino: uint64(i)}}})
			}
		}
	}
}

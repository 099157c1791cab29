package watcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// 20,000 files are more events than the kernel queues. Nobody reads meanwhile.
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
	// These are lost too, and leave watches under paths that are others' now.
	w.rename("job/before", "job/after")
	w.rename("job/a3", "job/before")
	close(stall)
	w.until("the overflow is seen", func() bool { return w.Status().Overflows > 0 })
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
	w.ledger.put("job/a/gone.jpg", Identity{Ino: 1})
	w.ledger.put("job/lost/dir/x.jpg", Identity{Ino: 2})
	w.ledger.put("active/x.jpg", Identity{Ino: 3}) // of a tree that is not watched
	w.run()
	w.scan()
	if w.times("job/a/same.jpg") != 0 || w.times("job/a/new.jpg") != 1 {
		t.Errorf("given out: %v", w.given)
	}
	w.until("the hints came", func() bool { return w.hinted("job/a/gone.jpg") > 0 && w.hinted("job/lost/dir") > 0 })
	if w.hinted("active") > 0 || w.hinted("active/x.jpg") > 0 {
		t.Error("a hint about a tree that is not watched")
	}
	if s := w.Status(); s.WatchedDirs != 3 || s.LastScan.Files != 2 {
		t.Errorf("%+v", s)
	}
}

// A directory that came and went without being listed is known to the ledger alone.
func TestLedgerIsAuditedWhenDirectoriesMove(t *testing.T) {
	w := start(t)
	w.ledger.put("job/phantom/x.jpg", Identity{Ino: 1})
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

// A tree that is not there proves nothing about what was in it.
func TestVanishedTreeGivesNoHints(t *testing.T) {
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/1.jpg")
	w.caughtUp()
	w.write("job/a/2.jpg") // pending
	w.rename("job", "elsewhere")
	w.until("the tree is missing", func() bool { return len(w.Status().Missing) == 1 })
	w.scan()
	w.until("what was pending is dropped", func() bool { return w.Status().Pending == 0 })
	w.scan()
	if w.hints() != 0 {
		t.Errorf("hints: %v", w.gone)
	}
	w.rename("elsewhere", "job")
	w.write("job/a/3.jpg")
	w.caughtUp()
	w.until("the tree is back", func() bool { return len(w.Status().Missing) == 0 })
	w.watchesAreRight()
}

// The mount point of a volume that is not mounted looks like a healthy empty directory.
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
	if w.hints() != 0 || w.times("job/a/held.jpg") != 0 {
		t.Errorf("hints %v, given out %v", w.gone, w.given)
	}
	w.mkdir("job2/x")
	w.write("job2/x/1.jpg")
	w.SetRoots([]Root{{Name: "acme", Dir: w.dir, Trees: []string{"job", "job2"}}})
	w.until("both trees are done", func() bool {
		return w.times("job2/x/1.jpg") == 1 && w.times("job/a/held.jpg") == 1 && w.hinted("job/a/done.jpg") > 0
	})
}

func TestRescan(t *testing.T) {
	w := open(t, t.TempDir())
	handed, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.reader = func(File) bool {
		once.Do(func() { close(handed); <-answer })
		return false
	}
	w.run()
	w.write("job/x.jpg")
	<-handed
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
	if w.ledger.all()["job/x.jpg"] == (Identity{}) {
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
	w.until("it is given out again", func() bool { return w.times("job/a/x.jpg") == n+1 })
	w.Look("acme", "job/a/nothing.jpg")
	w.until("it is gone", func() bool { return w.hinted("job/a/nothing.jpg") == 1 })
	w.Look("nobody", "x")
	w.Look("acme", "../../etc/passwd")
	w.must(w.Alive(t.Context()))
}

func TestAfterTheEnd(t *testing.T) {
	w := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.must(w.Run(ctx))
	if err := w.Alive(t.Context()); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if err := w.Rescan(t.Context(), ""); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	w.SetRoots(nil)
	w.Done(File{}, true)
	w.Status()
	if err := w.Run(t.Context()); err == nil {
		t.Error("ran twice")
	}
}

// The ledger's trouble is not the uploader's: what is not compared is neither new nor gone.
type brokenLedger struct {
	*ledger
	broken chan struct{} // until closed
}

func (b *brokenLedger) Known(ctx context.Context, root, dir string) (map[string]Identity, error) {
	select {
	case <-b.broken:
		return b.ledger.Known(ctx, root, dir)
	default:
		return nil, errors.New("database is locked")
	}
}

func TestLedgerErrorsAreWaitedOut(t *testing.T) {
	l := &brokenLedger{&ledger{dirs: map[string]map[string]Identity{}}, make(chan struct{})}
	w := open(t, t.TempDir())
	w.opt.Ledger = l
	w.write("job/x.jpg")
	w.run()
	w.until("it is polled", func() bool { return len(w.Status().PolledDirs) == 1 })
	if w.times("job/x.jpg") != 0 {
		t.Error("given out without asking the ledger")
	}
	close(l.broken)
	w.caughtUp()
	w.until("it is no longer polled", func() bool { return len(w.Status().PolledDirs) == 0 })
}

// 20,000 pending files take no longer than their quiet time and their stats.
func BenchmarkPending(b *testing.B) {
	for range b.N {
		k := newKeeper(&Watcher{opt: Options{Settle: time.Second}})
		t := &tree{}
		for i := range 20000 {
			path := fmt.Sprint(i)
			for range 3 {
				k.now = time.Now()
				k.touch(t, path, note{op: opLook, at: k.now, found: &stat{Identity: Identity{Ino: uint64(i)}}})
			}
		}
	}
}

package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// A big file with many hard links is hashed once, and outside of the transaction. It was
// changed, and another file took one of its names, so only its hash tells whether the old
// picture still exists.
func TestHardLinksAreHashedOutside(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	big := append(slices.Clone(whole), make([]byte, 40<<20)...)
	b.write(path, big)
	b.settle(path)
	link := b.photo(path).Link
	for i := range 16 {
		b.must(os.Link(b.at(path), b.at(fmt.Sprintf("acme/job1/x/l%d.jpg", i))))
	}
	file, err := os.OpenFile(b.at(path), os.O_WRONLY, 0)
	b.must(err)
	_, err = file.WriteAt([]byte("other"), int64(len(big)-5))
	b.must(errors.Join(err, file.Close()))
	b.write("acme/job1/x/new", testphoto.Tiny(3))
	b.must(os.Rename(b.at("acme/job1/x/new"), b.at(path)))

	f := b.file(path)
	v, ok := b.withoutReading(t.Context(), f)
	if !ok {
		v = b.take(t.Context(), f)
	}
	err = b.Store.Update(t.Context(), v.apply)
	var over *overBudget
	if !errors.Is(err, store.ErrOverBudget) || !errors.As(err, &over) {
		t.Fatalf("hashed inside: %v", err)
	}
	b.must(b.answerOutside(over.questions))
	if n := len(b.diskCache.sums); n != 1 {
		t.Errorf("%d hashes of one file", n)
	}
	b.apply(v)
	// The file that was here is still there under other names, with another picture in it.
	if p := b.photo(path); p == nil || p.Link == link || p.SHA != shaOf(testphoto.Tiny(3)) {
		t.Errorf("%+v", p)
	}

	// Run finds out the answer by itself, and publishes the photo.
	b.write("acme/job1/x/new", testphoto.Tiny(4))
	b.must(os.Rename(b.at("acme/job1/x/new"), b.at(path)))
	b.diskCache.sums = nil
	b.running(func(files chan<- upload.File, done <-chan bool) {
		files <- b.file(path)
		if <-done {
			t.Error("again")
		}
	})
	if p := b.photo(path); p == nil || p.SHA != shaOf(testphoto.Tiny(4)) {
		t.Errorf("%+v", p)
	}
}

// A job is listed outside of the transaction if that takes long. A later transaction only
// looks at the folders.
func TestListingIsFoundOutOutside(t *testing.T) {
	b := newBed(t)
	const path = "job1/x/a.jpg"
	b.write("acme/"+path, whole)
	id := b.file("acme/" + path).Identity
	for i := range 5_000 {
		b.must(os.WriteFile(b.at(fmt.Sprintf("acme/job1/x/%s%d", strings.Repeat("n", 200), i)), nil, 0o600))
	}
	b.must(os.Rename(b.at("acme/"+path), b.at("acme/job1/b.jpg")))
	find := func(left int) (at string, err error) {
		budget := &store.Budget{}
		budget.Begin()
		for budget.Spend(1, 0) == nil {
			left++
		}
		budget = &store.Budget{}
		budget.Begin()
		b.must(budget.Spend(left, 0))
		budget.End()
		return at, b.withDisk(budget, func(d store.Disk) error {
			_, at = d.Find(t.Context(), "acme", path, id, shaOf(whole))
			return nil
		})
	}
	const calls = 30 // too few for the some 35 system calls of the listing
	_, err := find(-calls)
	var over *overBudget
	if !errors.As(err, &over) {
		t.Fatal(err)
	}
	b.must(b.answerOutside(over.questions))
	b.must(os.Rename(b.at("acme/job1/b.jpg"), b.at("acme/job1/c.jpg"))) // after the listing
	if at, err := find(-calls); at != "job1/c.jpg" || err != nil {
		t.Errorf("%q, %v", at, err)
	}
}

// A refreshed listing is equal to a new one.
func TestListingFollows(t *testing.T) {
	b := newBed(t)
	rng := rand.New(rand.NewPCG(1, 1))
	root, err := os.OpenRoot(b.at("acme"))
	b.must(err)
	defer root.Close()
	fresh := func() *listing { return new(diskCache).takeListing("acme", "job1") }
	kept := fresh()
	for range 60 {
		for range 5 {
			dir := b.at(fmt.Sprintf("acme/job1/%d", rng.IntN(5)))
			b.must(os.MkdirAll(dir+"/in", 0o755))
			name := fmt.Sprintf("%s/%s%d", dir, []string{"", "in/"}[rng.IntN(2)], rng.IntN(9))
			switch rng.IntN(4) {
			case 0, 1:
				b.must(os.WriteFile(name, nil, 0o600))
			case 2:
				_ = os.Rename(name, b.at(fmt.Sprintf("acme/job1/x/%d", rng.IntN(9))))
			case 3:
				to := b.at(fmt.Sprintf("acme/job1/%d", rng.IntN(5)))
				if to != dir {
					b.must(os.RemoveAll(to))
					b.must(os.Rename(dir, to))
				}
			}
		}
		now := fresh()
		b.must(errors.Join(now.refresh(root, "job1", nil), kept.refresh(root, "job1", nil)))
		sorted := func(l *listing) map[uint64][]string {
			m := maps.Clone(l.paths)
			for _, paths := range m {
				slices.Sort(paths)
			}
			return m
		}
		if a, b := sorted(kept), sorted(now); !reflect.DeepEqual(a, b) {
			t.Fatalf("kept %v\nnew  %v", a, b)
		}
	}
}

// sql runs a statement that picday would not run.
func (b *bed) sql(text string) {
	b.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(b.cfg.DataDir, store.CatalogueFile))
	b.must(err)
	_, err = db.Exec(text)
	b.must(errors.Join(err, db.Close()))
}

// A hint that meets a system error is kept, reported and retried until it is known whether
// the file exists.
func TestHintsAreRetriedAfterSystemErrors(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	faults := map[string]struct{ break_, mend func(*bed) }{
		"no marker": {
			func(b *bed) { b.must(os.Rename(b.at(store.MarkerFile), b.at("aside"))) },
			func(b *bed) { b.must(os.Rename(b.at("aside"), b.at(store.MarkerFile))) },
		},
		"nothing can be committed": {
			func(b *bed) {
				b.sql(`CREATE TRIGGER full BEFORE UPDATE OF gone_at ON upload BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
			},
			func(b *bed) { b.sql(`DROP TRIGGER full`) },
		},
		"no descriptor left": {
			func(b *bed) {
				b.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: limit.Max}))
			},
			func(b *bed) {
				b.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
			},
		},
	}
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.write(path, whole)
			b.settle(path)
			b.must(os.Remove(b.at(path)))
			b.running(func(chan<- upload.File, <-chan bool) {
				c.break_(b)
				b.Ingester.receiveHint(t.Context(), upload.Gone{Account: "acme", Path: "job1/x/a.jpg"})
				b.until("it is reported as unverified", func() bool { return len(b.Unverified()) == 1 && b.Unverified()[0].Err != nil })
				if _, known, _ := b.Store.UploadAt(t.Context(), 1, "job1/x/a.jpg"); !known {
					t.Error("removed without proof")
				}
				c.mend(b)
				b.until("it is known to be missing", func() bool {
					b.retryHints(t.Context(), b.later())
					_, known, err := b.Store.UploadAt(t.Context(), 1, "job1/x/a.jpg")
					b.must(err)
					return !known && len(b.Unverified()) == 0
				})
			})
		})
	}
}

// isSystemError is true for temporary errors and false for those that say something about
// the file.
func TestSystemErrorsAreTemporary(t *testing.T) {
	for err, want := range map[error]bool{
		syscall.EMFILE: true, syscall.ENFILE: true, syscall.EIO: true, syscall.ENOMEM: true, syscall.ESTALE: true, syscall.ENOSPC: true,
		store.ErrOverBudget: true, syscall.ENOENT: false, syscall.ENOTDIR: false, syscall.ELOOP: false, syscall.EACCES: false, errors.New("path escapes from parent"): false,
	} {
		if got := isSystemError(&os.PathError{Op: "open", Path: "x", Err: err}); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
	if isSystemError(nil) {
		t.Error("nil is a system error")
	}
}

// A photo stays published if a system error prevents its withdrawal, and the error is
// reported.
func TestFailedWithdrawalsAreReported(t *testing.T) {
	const path = "acme/job1/x/a.jpg"
	b := newBed(t)
	b.Config.Upload.DeleteGrace = 0
	b.write(path, whole)
	b.settle(path)
	b.must(os.Remove(b.at(path)))
	b.gone(path)
	b.must(os.Rename(b.at(store.MarkerFile), b.at("aside")))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b.running(func(chan<- upload.File, <-chan bool) {
		var sweeps sync.WaitGroup
		sweeps.Go(func() { b.must(b.Sweep(ctx, nil)) })
		b.until("it is reported", func() bool { return errors.Is(b.WithdrawFailure(), store.ErrVolume) })
		if b.photo(path) == nil {
			t.Error("withdrawn without proof")
		}
		b.must(os.Rename(b.at("aside"), b.at(store.MarkerFile)))
		b.until("it is withdrawn", func() bool { return b.photo(path) == nil })
		stop()
		sweeps.Wait()
	})
}

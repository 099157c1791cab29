package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"picday/internal/photo"
	"picday/internal/rendition"
	"picday/internal/upload"
	"picday/store"
)

// machineErrors are those that a disk, a limit of the process or the catalogue causes.
var machineErrors = []error{
	syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ESTALE, syscall.ETIMEDOUT,
	sqlite3.Error{Code: sqlite3.ErrBusy},
	sqlite3.Error{Code: sqlite3.ErrLocked},
	sqlite3.Error{Code: sqlite3.ErrFull},
	sqlite3.Error{Code: sqlite3.ErrIoErr},
	sqlite3.Error{Code: sqlite3.ErrNomem},
	store.ErrOverBudget, context.DeadlineExceeded,
}

// An error of the machine never becomes an uploader's problem, wherever it occurs: the file is
// sent again, later each time, and becomes a photo when the error is over.
func TestAnErrorOfTheMachineIsNeverAProblem(t *testing.T) {
	b := newBed(t)
	render := b.Render
	const path = "acme/job1/x/a.jpg"
	b.write(path, whole)
	f := b.file(path)
	var failing error
	places := map[string]func(){
		"room": func() { b.Room = func(int64) error { return failing } },
		"decoding": func() {
			b.Render = func(context.Context, string, *os.File, photo.Facts, []rendition.Spec) (photo.Meta, photo.Picture, error) {
				return photo.Meta{}, photo.Picture{}, failing
			}
		},
	}
	wrapped := func(err error) []error {
		return []error{err, fmt.Errorf("wrapped: %w", &fs.PathError{Op: "write", Path: "x", Err: err})}
	}
	for _, machine := range machineErrors {
		for _, failing = range wrapped(machine) {
			for place, inject := range places {
				inject()
				before := after(b.retries.of[fileKey{f.Account, f.Path}].tries + 1)
				v := b.take(t.Context(), f)
				if !v.again || v.apply != nil || v.delay != before {
					t.Errorf("%v in %s: %+v", failing, place, v)
				}
				b.Room, b.Render = func(int64) error { return nil }, render
			}
			if errno, ok := machine.(syscall.Errno); ok && !isSystemError(failing) {
				t.Errorf("%v when it is opened would be a problem", errno)
			}
			if reason := reasonOf(failing); reason != "" {
				t.Errorf("%v is %s", failing, reason)
			}
		}
	}
	if b.LastFailure() == nil {
		t.Error("nothing is said of it")
	}
	if b.reason(path) != "" || b.photo(path) != nil {
		t.Fatalf("problem %q, photo %+v", b.reason(path), b.photo(path))
	}
	// And when the change is committed.
	b.running(func(files chan<- upload.File, done <-chan bool) {
		failed := make([]atomic.Bool, len(machineErrors)) // a change may be tried alone after its batch has failed
		for n, failing := range machineErrors {
			v := b.take(t.Context(), f)
			apply := v.apply
			v.apply = func(tx *store.Tx) error {
				failed[n].Store(true)
				return errors.Join(apply(tx), failing)
			}
			other := f // so that all are tried again after the same time
			other.Path = fmt.Sprint(n)
			b.finish(t.Context(), other, v)
		}
		for n := range machineErrors {
			if !<-done {
				t.Error("not sent again after one of the errors")
			}
			other := f
			other.Path = fmt.Sprint(n)
			b.retries.succeed(other)
		}
		b.retries.succeed(f)
		for n, err := range machineErrors {
			if !failed[n].Load() {
				t.Errorf("no transaction has failed with %v", err)
			}
		}
		if b.reason(path) != "" || b.photo(path) != nil {
			t.Errorf("after failed commits: problem %q, photo %+v", b.reason(path), b.photo(path))
		}
		files <- f
		if <-done || b.photo(path) == nil {
			t.Error("not taken when nothing fails any more")
		}
	})
	if err := b.LastFailure(); err != nil {
		t.Errorf("taken, and still failing: %v", err)
	}
}

// A copy that does not hold what was uploaded is the disk's fault, whatever a decoder says.
func TestACopyThatTheDiskChangedIsNoProblem(t *testing.T) {
	b := newBed(t)
	const path = "acme/job1/x/a.jpg"
	b.write(path, whole)
	b.Render = func(_ context.Context, _ string, original *os.File, _ photo.Facts, _ []rendition.Spec) (photo.Meta, photo.Picture, error) {
		_, err := original.WriteAt([]byte("other bytes"), 1000)
		return photo.Meta{}, photo.Picture{}, errors.Join(photo.ErrDamaged, err)
	}
	if again := b.settle(path); !again || b.reason(path) != "" {
		t.Errorf("again %v, problem %q", again, b.reason(path))
	}
	if !errors.Is(b.LastFailure(), errCopyChanged) {
		t.Errorf("said: %v", b.LastFailure())
	}
}

// A full disk while an upload is copied is no problem of the upload.
func TestAFullDiskIsNotTheUploads(t *testing.T) {
	b := newBed(t)
	b.write("acme/job1/x/a.jpg", whole)
	in, err := os.Open(b.at("acme/job1/x/a.jpg"))
	b.must(err)
	defer in.Close()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	b.must(err)
	defer full.Close()
	if err := newCopier(in, full, b.Limits, 0).run(); !errors.Is(err, syscall.ENOSPC) || reasonOf(err) != "" {
		t.Errorf("%v", err)
	}
}

// Files are tried again sooner at first and later each time, and all after half a minute.
func TestTriesBecomeRarer(t *testing.T) {
	var r retries
	now := time.Now()
	f := upload.File{Account: "acme", Path: "x"}
	var before time.Duration
	for n := range 20 {
		d := r.fail(f, syscall.EIO, now)
		if d < before || n > 0 && d == before && d != lastRetry || d > lastRetry {
			t.Errorf("try %d: after %s, then %s", n, before, d)
		}
		before = d
	}
	if r.last(now) == nil || r.last(now.Add(time.Hour)) != nil {
		t.Error("a failure is said for too short or too long")
	}
	for n := range 1000 {
		r.fail(upload.File{Account: "acme", Path: fmt.Sprint(n)}, syscall.EIO, now)
	}
	if r.fail(f, syscall.EIO, now.Add(2*forgetRetry)); len(r.of) != 1 {
		t.Errorf("%d files are remembered that were never sent again", len(r.of))
	}
	if r.succeed(f); r.last(now) != nil {
		t.Error("still failing")
	}
}

package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"picday/internal/layout"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
	"picday/store"
)

// Run waits for the work that a hint has started before it returns. Here that is another
// check of the duplicate of a portrait that is missing now.
func TestRunWaitsForWhatAHintHasStarted(t *testing.T) {
	b := newBed(t)
	const dir = "lincoln/lincoln/user-pictures/"
	b.write(dir+"12.JPG", testphoto.Tiny(1))
	b.write(dir+"12.jpg", testphoto.Tiny(2))
	b.settle(dir + "12.jpg")
	b.settle(dir + "12.JPG")
	if r := b.reason(dir + "12.JPG"); r != layout.DuplicateID {
		t.Fatalf("the older one: %q", r)
	}
	b.must(os.Remove(b.at(dir + "12.jpg")))

	hints := make(chan upload.Gone)
	looking, goOn := make(chan struct{}), make(chan struct{})
	b.watcher.hints = hints
	b.watcher.look = func(path string) {
		if path == "lincoln/user-pictures/12.JPG" {
			close(looking)
			<-goOn
		}
	}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	writerCtx, stopWriter := context.WithCancel(b.Context())
	defer stopWriter()
	ran, wrote := make(chan error, 1), make(chan error, 1)
	go func() { wrote <- b.Writer.Run(writerCtx) }()
	go func() { ran <- b.Ingester.Run(ctx) }()
	hints <- upload.Gone{Account: "lincoln", Path: "lincoln/user-pictures/12.jpg"}
	<-looking
	stop()
	select {
	case err := <-ran:
		ran <- err
		t.Error("Run has returned before the work that it started has ended")
	case <-time.After(200 * time.Millisecond):
	}
	close(goOn)
	err := <-ran
	stopWriter()
	b.must(errors.Join(err, <-wrote))
}

// errEnd makes a transaction fail where the process would end.
var errEnd = errors.New("the end")

func failAfter(v verdict) func(*store.Tx) error {
	return func(tx *store.Tx) error { return errors.Join(v.apply(tx), errEnd) }
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// running runs the ingester and its writer, as the daemon does, while fn runs.
func (b *bed) running(fn func(files chan<- upload.File, done <-chan bool)) {
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	files, done := make(chan upload.File), make(chan bool, 100)
	ran, wrote := make(chan error, 1), make(chan error, 1)
	writerCtx, stopWriter := context.WithCancel(b.Context())
	defer stopWriter()
	go func() { wrote <- b.Writer.Run(writerCtx) }()
	b.watcher.settled, b.watcher.done = files, func(_ upload.File, again bool) { done <- again }
	go func() { ran <- b.Ingester.Run(ctx) }()
	fn(files, done)
	stop()
	err := <-ran
	stopWriter()
	b.must(errors.Join(err, <-wrote))
}

func shaOf(data []byte) [32]byte { return sha256.Sum256(data) }

// asNobody runs fn as another user. Its thread is not used again.
func asNobody(fn func()) {
	runtime.LockOSThread()
	// Raw system calls change the user of this thread only.
	for _, call := range []uintptr{syscall.SYS_SETRESGID, syscall.SYS_SETRESUID} {
		if _, _, errno := syscall.RawSyscall(call, 65534, 65534, 65534); errno != 0 {
			panic(errno)
		}
	}
	fn()
}

// until waits until so returns true, which another goroutine brings about.
func (b *bed) until(what string, so func() bool) {
	b.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("waited in vain until " + what)
		}
	}
}

// later returns a time at which every retry is due.
func (b *bed) later() time.Time { return time.Now().Add(time.Hour) }

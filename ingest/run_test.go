package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"runtime"
	"syscall"
	"time"

	"picday/store"
)

// errEnd stands for the moment in which the process ends.
var errEnd = errors.New("the end")

func failAfter(v verdict) func(*store.Tx) error {
	return func(tx *store.Tx) error { return errors.Join(v.apply(tx), errEnd) }
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// running runs the ingester and its writer as the daemon does, for as long as
// fn takes.
func (b *bed) running(fn func(files chan<- File, done <-chan bool)) {
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	files, done := make(chan File), make(chan bool, 100)
	ran, wrote := make(chan error, 1), make(chan error, 1)
	writerCtx, stopWriter := context.WithCancel(b.Context())
	defer stopWriter()
	go func() { wrote <- b.Writer.Run(writerCtx) }()
	go func() { ran <- b.Ingester.Run(ctx, files, func(_ File, again bool) { done <- again }) }()
	fn(files, done)
	stop()
	err := <-ran
	stopWriter()
	b.must(errors.Join(err, <-wrote))
}

func shaOf(data []byte) [32]byte { return sha256.Sum256(data) }

// asNobody runs fn on a thread of another user, which is never used again.
func asNobody(fn func()) {
	runtime.LockOSThread()
	// The raw calls change this thread only.
	for _, call := range []uintptr{syscall.SYS_SETRESGID, syscall.SYS_SETRESUID} {
		if _, _, errno := syscall.RawSyscall(call, 65534, 65534, 65534); errno != 0 {
			panic(errno)
		}
	}
	fn()
}

// until waits for something that another goroutine does.
func (b *bed) until(what string, so func() bool) {
	b.Helper()
	for end := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			b.Fatal("waited in vain until " + what)
		}
	}
}

// later is when everything that waits is due.
func (b *bed) later() time.Time { return time.Now().Add(time.Hour) }

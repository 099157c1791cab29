package watcher

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"picday/internal/upload"
)

// Roots take turns however many files of one wait, and files that are not read do not wait
// behind those that are.
func TestRootsTakeTurns(t *testing.T) {
	dir := t.TempDir()
	l := &ledger{dirs: map[string]map[string]upload.Identity{}, unread: func(path string) bool { return strings.HasSuffix(path, "stray") }}
	w, err := New(options())
	if err != nil {
		t.Fatal(err)
	}
	const many = maxInFlight + 50
	write := func(account, name string) {
		t.Helper()
		if err := os.MkdirAll(dir+"/"+account+"/job", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+account+"/job/"+name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for i := range many {
		write("studio", fmt.Sprintf("%d.jpg", i))
	}
	for _, name := range []string{"a", "b"} {
		write("school", name+".jpg")
	}
	write("studio", "stray")
	w.SetRoots([]Root{{Account: "studio", Dir: dir + "/studio", Trees: []string{"job"}}, {Account: "school", Dir: dir + "/school", Trees: []string{"job"}}})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var g sync.WaitGroup
	g.Go(func() {
		if err := w.Run(ctx, l); err != nil {
			t.Error(err)
		}
	})
	defer func() { stop(); g.Wait() }()
	// All files are settled before the first is received.
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		answer := make(chan int)
		w.in.call(func(l *loop) {
			n := 0
			for _, e := range l.entries {
				if e.state == ready {
					n++
				}
			}
			answer <- n
		})
		if n := <-answer; n == many+3 {
			break
		} else if time.Since(begin) > time.Minute {
			t.Fatalf("%d of %d are settled", n, many+3)
		}
	}
	receive := func() (f upload.File, ok bool) {
		select {
		case f := <-w.Settled():
			return f, true
		case <-time.After(time.Minute):
			return f, false
		}
	}
	var first []string
	var received []upload.File
	for n := range maxInFlight + 3 {
		f, ok := receive()
		if !ok {
			t.Fatalf("only %d files came", n)
		}
		received = append(received, f)
		if n < 5 && (f.Account == "school" || f.Path == "job/stray") {
			first = append(first, f.Path)
		}
	}
	if len(first) != 3 {
		t.Errorf("not among the first five: %v", first)
	}
	// The studio's next file comes when one is answered.
	answered := make(chan bool)
	idle := time.AfterFunc(100*time.Millisecond, func() { close(answered); w.Done(received[len(received)-1], false) })
	defer idle.Stop()
	if _, ok := receive(); !ok {
		t.Error("no file comes after an answer")
	}
	select {
	case <-answered:
	default:
		t.Error("more files than the limit are sent without an answer")
	}
}

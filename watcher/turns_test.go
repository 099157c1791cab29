package watcher

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// However much of one root waits, the others' files come next, and what is
// quick does not wait behind the rest.
func TestRootsTakeTurns(t *testing.T) {
	dir := t.TempDir()
	o := options(&ledger{dirs: map[string]map[string]Identity{}})
	o.Quick = func(_, path string, _ bool) bool { return strings.HasSuffix(path, "stray") }
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	const many = maxHanded + 50
	write := func(root, name string) {
		t.Helper()
		if err := os.MkdirAll(dir+"/"+root+"/job", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+root+"/job/"+name, nil, 0o644); err != nil {
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
	w.SetRoots([]Root{{Name: "studio", Dir: dir + "/studio", Trees: []string{"job"}}, {Name: "school", Dir: dir + "/school", Trees: []string{"job"}}})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var g sync.WaitGroup
	g.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer func() { stop(); g.Wait() }()
	// All is settled before the first is received.
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		answer := make(chan int)
		w.in.call(func(k *keeper) {
			n := 0
			for _, e := range k.entries {
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
	receive := func() (f File, ok bool) {
		select {
		case f := <-w.Settled():
			return f, true
		case <-time.After(time.Minute):
			return f, false
		}
	}
	var first []string
	var handed []File
	for n := range maxHanded + 3 {
		f, ok := receive()
		if !ok {
			t.Fatalf("only %d came", n)
		}
		handed = append(handed, f)
		if n < 5 && (f.Root == "school" || f.Path == "job/stray") {
			first = append(first, f.Path)
		}
	}
	if len(first) != 3 {
		t.Errorf("not among the first five: %v", first)
	}
	// The next one of the studio comes when one is answered.
	answered := make(chan bool)
	idle := time.AfterFunc(100*time.Millisecond, func() { close(answered); w.Done(handed[len(handed)-1], false) })
	defer idle.Stop()
	if _, ok := receive(); !ok {
		t.Error("nothing comes after an answer")
	}
	select {
	case <-answered:
	default:
		t.Error("more than the limit is given out without an answer")
	}
}

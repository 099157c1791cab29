package ingest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"picday/internal/photo"
	"picday/internal/rendition"
	testphoto "picday/internal/test/photo"
	"picday/internal/upload"
)

// A school's portrait does not wait for a studio's photos, however many there are and however
// long each takes. A file that is not decoded does not wait for any other.
func TestAccountsTakeTurns(t *testing.T) {
	b := newBed(t)
	b.share, b.accounts = 2, nil
	b.reloadAccounts()
	const many = 20
	data := func(n int) []byte { return testphoto.Vary(testphoto.Tiny(0), n) }
	var files []upload.File
	for i := range many {
		path := fmt.Sprintf("acme/job1/x/%02d.jpg", i)
		b.write(path, data(i))
		files = append(files, b.file(path))
	}
	b.write("acme/job1/no album.jpg", data(0))
	b.write("lincoln/lincoln/user-pictures/7.jpg", data(many))
	b.write("lincoln/lincoln/user-pictures/x.jpg", data(many))
	quick := []upload.File{b.file("acme/job1/no album.jpg"), b.file("lincoln/lincoln/user-pictures/x.jpg")}
	for _, f := range append(slices.Clone(quick), files[0]) {
		if is := b.Unread(f.Account, f.Path, f.Regular); is != (f != files[0]) {
			t.Errorf("quick %v: %s", is, f.Path)
		}
	}

	var mu sync.Mutex
	studio, most := 0, 0
	gate, school := make(chan struct{}), shaOf(data(many))
	b.Render = func(ctx context.Context, account string, original *os.File, f photo.Facts, sizes []rendition.Spec) (photo.Meta, photo.Picture, error) {
		h := make([]byte, f.Bytes)
		if _, err := original.ReadAt(h, 0); err != nil {
			return photo.Meta{}, photo.Picture{}, err
		}
		if shaOf(h) != school {
			mu.Lock()
			studio++
			most = max(most, studio)
			mu.Unlock()
			<-gate
			mu.Lock()
			studio--
			mu.Unlock()
		}
		return b.renderHere(ctx, account, original, f, sizes)
	}
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	send, done := make(chan upload.File), make(chan upload.File, 100)
	b.watcher.settled = send
	b.watcher.done = func(f upload.File, again bool) {
		if again {
			t.Errorf("again: %s", f.Path)
		}
		done <- f
	}
	var group sync.WaitGroup
	group.Go(func() { b.must(b.Writer.Run(ctx)) })
	group.Go(func() {
		b.must(b.Ingester.Run(ctx))
	})
	put := func(f upload.File) {
		t.Helper()
		select {
		case send <- f:
		case <-time.After(time.Minute):
			t.Fatal("a file is not received while others are processed")
		}
	}
	comes := func() upload.File {
		t.Helper()
		select {
		case f := <-done:
			return f
		case <-time.After(time.Minute):
			t.Fatal("no file is answered")
			return upload.File{}
		}
	}
	for _, f := range files {
		put(f)
	}
	others := append(quick, b.file("lincoln/lincoln/user-pictures/7.jpg"))
	for _, f := range others {
		put(f)
	}
	for range others {
		if f := comes(); !slices.Contains(others, f) {
			t.Fatalf("%s came first", f.Path)
		}
	}
	close(gate)
	for range files {
		comes()
	}
	if most != 2 {
		t.Errorf("one account had %d decoders at once, not its share of 2", most)
	}
	stop()
	group.Wait()
}

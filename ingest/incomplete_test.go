package ingest

import (
	"slices"
	"testing"
	"time"

	"picday/internal/config"
	"picday/internal/layout"
)

// A picture that lacks only EOI is taken once it has been unchanged for settle_unsure. One
// that lacks more is incomplete at once, and is published when the upload is resumed.
func TestOnlyEOIMissing(t *testing.T) {
	b := newBed(t)
	const path, wait = "acme/job1/x/a.jpg", time.Second
	b.Config.Upload.SettleUnsure = config.Duration(wait)
	b.write(path, whole[:len(whole)-3])
	if b.settle(path) || b.reason(path) != layout.Incomplete {
		t.Fatalf("a byte short: %q", b.reason(path))
	}
	b.write(path, whole[:len(whole)-2])
	began := time.Now()
	if !b.settle(path) || b.photo(path) != nil {
		t.Fatal("taken at the first try")
	}
	if n := len(b.kept("originals")) + len(b.kept("renditions")); n > 0 {
		t.Errorf("%d files kept of an upload that may be resumed", n)
	}
	for b.settle(path) {
		time.Sleep(50 * time.Millisecond)
	}
	p := b.photo(path)
	if p == nil || !slices.Equal(p.Flags, []string{"unusual"}) {
		t.Fatalf("%+v, %q", p, b.reason(path))
	}
	if took := time.Since(began); took < wait {
		t.Errorf("taken after %s", took)
	}
	counts, err := b.Store.All().Counts(t.Context())
	if b.must(err); counts.Unusual != 1 || counts.Photos != 1 {
		t.Errorf("counted: %+v", counts)
	}
	// The same picture at another path has the same flag.
	b.write("lincoln/lincoln/user-pictures/12.jpg", whole[:len(whole)-2])
	for b.settle("lincoln/lincoln/user-pictures/12.jpg") {
		time.Sleep(50 * time.Millisecond)
	}
	if p := b.photo("lincoln/lincoln/user-pictures/12.jpg"); p == nil || !slices.Equal(p.Flags, []string{"unusual"}) {
		t.Errorf("the same picture elsewhere: %+v", p)
	}
	// With its EOI it is another picture, without the flag.
	b.write(path, whole)
	if b.settle(path) {
		t.Fatal("again")
	}
	if p := b.photo(path); p == nil || len(p.Flags) > 0 {
		t.Errorf("with its end: %+v", p)
	}
}

package ingest

import (
	"os"
	"slices"
	"testing"

	"picday/internal/layout"
	testphoto "picday/internal/test/photo"
	"picday/store"
)

// A file whose picture was reverted is recognised as incomplete if it is half overwritten in
// place: it has the beginning of one picture and the end of another.
func TestHalfOverwrittenAfterRevert(t *testing.T) {
	b := newBed(t)
	const path = "acme/job1/x/a.jpg"
	b.write(path, testphoto.Tiny(1))
	b.settle(path)
	second := whole
	b.write(path, second)
	b.settle(path)
	b.must(b.Store.Update(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Revert(b.photo(path).ID, "", "eva")
		return err
	}))
	half := slices.Clone(second)
	at := len(half) / 2
	for half[at] >= 0xfe || half[at-1] == 0xff {
		at++
	}
	half[at] ^= 1
	file, err := os.OpenFile(b.at(path), os.O_WRONLY, 0)
	b.must(err)
	_, err = file.Write(half)
	b.must(err)
	b.must(file.Close())
	b.settle(path)
	if p := b.photo(path); p.SHA != shaOf(testphoto.Tiny(1)) || b.reason(path) != layout.Incomplete {
		t.Errorf("%s, %q", p.SHA, b.reason(path))
	}
}

package ingest

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"picday/internal/layout"
)

// settleEarly is settle for a file that was sent before the whole quiet time.
func (b *bed) settleEarly(path string) (again bool) {
	b.Helper()
	f := b.file(path)
	f.Early = true
	v, ok := b.withoutReading(b.Context(), f)
	if !ok {
		v = b.take(b.Context(), f)
	}
	return b.apply(v)
}

// A file that is sent before the whole quiet time becomes a photo if it is whole, and
// otherwise nothing yet: its upload may go on. After the whole time it is a problem.
func TestAFileThatIsSentEarlyBecomesAPhotoOrNothing(t *testing.T) {
	b := newBed(t)
	const path = "acme/job1/x/a.jpg"
	for name, data := range map[string][]byte{
		"cut off":                         whole[:len(whole)/2],
		"cut off, with an EOI at its end": append(slices.Clone(whole[:len(whole)/2]), 0xff, 0xd9),
		"without its EOI":                 whole[:len(whole)-2],
		"no JPEG":                         append(bytes.Repeat([]byte("x"), 100), 0xff, 0xd9),
		"empty":                           nil,
	} {
		b.write(path, data)
		if again := b.settleEarly(path); !again || b.photo(path) != nil || b.reason(path) != "" {
			t.Errorf("%s: again %v, problem %q, photo %+v", name, again, b.reason(path), b.photo(path))
		}
	}
	b.write(path, whole)
	if b.settleEarly(path) || b.photo(path) == nil {
		t.Fatal("a whole file is not taken")
	}
	// Overwritten in place and cut off: the end, with its EOI, is that of the photo before.
	half := slices.Concat(whole[:len(whole)-2000], bytes.Repeat([]byte{0x55}, 1000), whole[len(whole)-1000:])
	b.must(os.WriteFile(b.at(path), half, 0o600))
	before := b.photo(path).SHA
	if !b.settleEarly(path) || b.photo(path).SHA != before {
		t.Error("half overwritten, and taken")
	}
	if b.settle(path) || b.reason(path) != layout.Incomplete || b.photo(path).SHA != before {
		t.Errorf("after the whole quiet time: %q", b.reason(path))
	}
}

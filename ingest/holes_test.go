package ingest

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"picday/internal/layout"
	testphoto "picday/internal/test/photo"
	"picday/store/pictures"
)

// A long hole is not read to its end, because a sparse file costs its uploader nothing. To
// read a terabyte would exceed the time limit of this test.
func TestHolesAreNotReadToTheirEnd(t *testing.T) {
	b := newBed(t)
	whole := testphoto.Tiny(0)
	sparse := func(path string, begin []byte, size int64, end []byte) {
		t.Helper()
		b.write(path, begin)
		b.must(os.Truncate(b.at(path), size))
		f, err := os.OpenFile(b.at(path), os.O_WRONLY|os.O_APPEND, 0)
		b.must(err)
		_, err = f.Write(end)
		b.must(err)
		b.must(f.Close())
	}
	const tera = 1 << 40
	half := whole[:len(whole)/2]
	for _, c := range []struct {
		name       string
		begin, end []byte
		size       int64
		want       layout.Reason
	}{
		{"behind the picture", whole, nil, 3 << 30, layout.TrailingData},
		{"far behind the picture", whole, []byte("end"), tera, layout.TrailingData},
		{"instead of its end", half, nil, tera, layout.Incomplete},
		{"inside it", half, whole[len(half):], tera, layout.Damaged},
		{"instead of it", nil, whole, tera, layout.NotJPEG},
	} {
		path := "acme/job1/x/" + c.name + ".jpg"
		before := len(b.kept("originals"))
		sparse(path, c.begin, c.size, c.end)
		if b.settle(path) {
			t.Errorf("%s: again", c.name)
		}
		if got := b.reason(path); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
		if n := len(b.kept("originals")); n != before {
			t.Errorf("%s: %d originals, before it there were %d", c.name, n, before)
		}
		// A picture overwrites the file in place, and then the sparse file overwrites the picture.
		b.write(path, testphoto.Vary(whole, 7))
		b.settle(path)
		if b.photo(path) == nil {
			t.Fatalf("%s: a picture in its place is not published", c.name)
		}
		sparse(path, c.begin, c.size, c.end)
		if b.settle(path); b.reason(path) != c.want {
			t.Errorf("%s, again: %q", c.name, b.reason(path))
		}
		b.must(os.Remove(b.at(path)))
	}

	// Allowed trailing data is kept as it is, and its holes take no space.
	path := "acme/job1/x/kept.jpg"
	sparse(path, whole, 20<<20, []byte("end"))
	b.settle(path)
	p := b.photo(path)
	want, err := os.ReadFile(b.at(path))
	b.must(err)
	if p == nil || p.SHA != shaOf(want) {
		t.Fatalf("%+v", p)
	}
	got, err := os.ReadFile(b.Store.Files().Path(pictures.Original(p.SHA)))
	b.must(err)
	fi, err := os.Stat(b.Store.Files().Path(pictures.Original(p.SHA)))
	b.must(err)
	if !bytes.Equal(got, want) || fi.Sys().(*syscall.Stat_t).Blocks > 2000 {
		t.Errorf("equal: %v, %d blocks", bytes.Equal(got, want), fi.Sys().(*syscall.Stat_t).Blocks)
	}
}

package ingest

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"picday/internal/testphoto"
	"picday/store"
)

// A file whose size was only set costs its uploader nothing: it costs picday
// nothing either. A terabyte that were read would be noticed here.
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
		want       store.Reason
	}{
		{"behind the picture", whole, nil, 3 << 30, store.TrailingData},
		{"far behind the picture", whole, []byte("end"), tera, store.TrailingData},
		{"instead of its end", half, nil, tera, store.Incomplete},
		{"inside it", half, whole[len(half):], tera, store.Damaged},
		{"instead of it", nil, whole, tera, store.NotJPEG},
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
		// It is overwritten by a picture of the same inode, and that by it again.
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

	// What is allowed to follow stays as it was, and takes no room where it is a hole.
	path := "acme/job1/x/kept.jpg"
	sparse(path, whole, 20<<20, []byte("end"))
	b.settle(path)
	p := b.photo(path)
	want, err := os.ReadFile(b.at(path))
	b.must(err)
	if p == nil || p.SHA != shaOf(want) {
		t.Fatalf("%+v", p)
	}
	got, err := os.ReadFile(b.Store.OriginalPath(p.SHA))
	b.must(err)
	fi, err := os.Stat(b.Store.OriginalPath(p.SHA))
	b.must(err)
	if !bytes.Equal(got, want) || fi.Sys().(*syscall.Stat_t).Blocks > 2000 {
		t.Errorf("equal: %v, %d blocks", bytes.Equal(got, want), fi.Sys().(*syscall.Stat_t).Blocks)
	}
}

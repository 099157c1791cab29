package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
)

// sameTail is how many bytes of entropy-coded data two different pictures do
// not have in common, at the same offset, at their very end.
const sameTail = 64

// halfOverwritten recognises the one half upload that ends in a real EOI: a
// client that overwrites in place without truncating (scp, reput) and was cut
// off leaves the new picture's beginning and the old one's end, in a file of
// the old one's size. We still have the old one to compare with. An edit of
// the metadata alone differs before the scan data only, and is whole.
func (in *Ingester) halfOverwritten(ctx context.Context, a account, f File, c *copied) (bool, error) {
	known, err := in.Store.PicturesOfInode(ctx, a.ID, f.Identity)
	if err != nil {
		return false, err
	}
	for _, sha := range known {
		if sha == c.sha {
			continue
		}
		old, err := os.Open(in.Store.OriginalPath(sha))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		fi, err := old.Stat()
		if err == nil && fi.Size() == c.facts.Bytes {
			var differ int64
			differ, err = lastDifference(c.temp, old, c.facts.EOI)
			if err == nil && differ > c.facts.HeaderEnd && c.facts.EOI-differ > sameTail {
				return true, old.Close()
			}
		}
		if err := errors.Join(err, old.Close()); err != nil {
			return false, err
		}
	}
	return false, nil
}

// lastDifference is the offset after the last byte in which the first end
// bytes of a and b differ, 0 if they are the same.
func lastDifference(a, b io.ReaderAt, end int64) (int64, error) {
	const chunk = 1 << 16
	x, y := make([]byte, chunk), make([]byte, chunk)
	for end > 0 {
		n := min(end, chunk)
		if _, err := a.ReadAt(x[:n], end-n); err != nil {
			return 0, err
		}
		if _, err := b.ReadAt(y[:n], end-n); err != nil {
			return 0, err
		}
		if !bytes.Equal(x[:n], y[:n]) {
			for x[n-1] == y[n-1] {
				n, end = n-1, end-1
			}
			return end, nil
		}
		end -= n
	}
	return 0, nil
}

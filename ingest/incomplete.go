package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"picday/store/pictures"
)

// sameEnd is a number of bytes of entropy-coded data: two different pictures never
// have so many equal bytes in common at their end.
const sameEnd = 64

// partlyOverwritten recognises an incomplete upload that ends in a real EOI: a client
// that overwrites in place without truncating (scp, reput) and is interrupted leaves
// the beginning of the new picture and the end of the old one, in a file of the old
// size. It compares c with the old original. An edit of the metadata alone differs
// only before the scan data, and is complete.
func (in *Ingester) partlyOverwritten(ctx context.Context, f settled, c *copied) (bool, error) {
	shas, err := in.Store.PicturesOfInode(ctx, f.owner.ID, f.Identity)
	if err != nil {
		return false, err
	}
	for _, sha := range shas {
		if sha == c.sha {
			continue
		}
		old, err := in.Store.Files().Open(pictures.Original(sha))
		if errors.Is(err, pictures.ErrMissing) {
			continue
		}
		if err != nil {
			return false, err
		}
		fi, err := old.Stat()
		if err == nil && fi.Size() == c.facts.Bytes {
			var differ int64
			differ, err = lastDifference(c.temp, old, c.facts.EOI)
			if err == nil && differ > c.facts.HeaderEnd && c.facts.EOI-differ > sameEnd {
				return true, old.Close()
			}
		}
		if err := errors.Join(err, old.Close()); err != nil {
			return false, err
		}
	}
	return false, nil
}

// lastDifference returns the offset after the last byte in which the first end bytes
// of a and b differ, 0 if they are equal.
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

// awaitEOI decides on a file that ends within picture data. If samples are missing, it
// is a problem at once. If only EOI is missing, as in the files of some phones, the
// last bytes may still be on the way: the verdict is to look again until the file
// has been unchanged for upload.settle_unsure. Then ok is false, and the file can be
// taken.
func (in *Ingester) awaitEOI(ctx context.Context, f settled, c *copied) (v verdict, ok bool) {
	enough := in.Config.Upload.SettleUnsure.Std()
	if since, known := in.lacksEOISince(f); known {
		if left := enough - time.Since(since); left > 0 {
			return verdict{again: true, delay: left, why: "only its end is still missing"}, true
		}
		return verdict{}, false
	}
	// Render without derive, so that no file is left if this never becomes a photo.
	f.owner.decoding <- struct{}{}
	_, _, err := in.Render(context.WithoutCancel(ctx), f.Account, c.temp, c.facts, in.Config.Images.Renditions)
	<-f.owner.decoding
	if err != nil {
		if reason := reasonOf(err); reason != "" {
			return in.problem(f, reason), true
		}
		return in.retryLater(f, err), true
	}
	in.noteLacksEOI(f, enough)
	return verdict{again: true, delay: enough, why: "only its end is missing: it is taken if nothing comes for " + enough.String()}, true
}

// lacksEOISince returns since when a file of this identity is known to lack only EOI.
func (in *Ingester) lacksEOISince(f settled) (time.Time, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	since, known := in.lacksEOI[f.File]
	return since, known
}

// noteLacksEOI records that a file lacks only EOI. It removes old records, of files
// that were taken or have changed.
func (in *Ingester) noteLacksEOI(f settled, enough time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for old, since := range in.lacksEOI {
		if time.Since(since) > 2*enough+time.Hour {
			delete(in.lacksEOI, old)
		}
	}
	in.lacksEOI[f.File] = time.Now()
}

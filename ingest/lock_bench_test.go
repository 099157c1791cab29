package ingest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	testphoto "picday/internal/test/photo"
	"picday/store"
)

// BenchmarkPublishLock measures how long Publish keeps other writers waiting, without the
// time to make the commit durable: for a new file, about which the disk is asked nothing,
// and for a file that has taken the name of another, in jobs in which the answer is
// expensive. It does not measure answerOutside, during which others can write.
func BenchmarkPublishLock(b *testing.B) {
	for _, c := range []struct {
		name           string
		folders, files int // further folders of the job, and files in each
		padding        int // bytes added to the moved file, which is hashed
		asked          bool
	}{
		{name: "new"},
		{"list-100k-files", 100, 1000, 0, true},
		{"hash-30MiB", 0, 0, 30 << 20, true},
		{"too-many-folders", 10_000, 0, 0, true},
	} {
		b.Run(c.name, func(t *testing.B) {
			b := newBed(t)
			for i := range c.folders {
				dir := b.at(fmt.Sprintf("acme/job1/%d", i))
				b.must(os.Mkdir(dir, 0o755))
				for j := range c.files {
					b.must(os.WriteFile(fmt.Sprintf("%s/IMG_%04d.jpg", dir, j), nil, 0o600))
				}
			}
			var took []time.Duration
			n, refused := 0, 0
			for t.Loop() {
				n++
				path, away := fmt.Sprintf("acme/job1/x/%d.jpg", n), fmt.Sprintf("acme/job1/x/moved-%d.jpg", n)
				if c.asked {
					b.write(path, append(testphoto.Tiny(1000+n), make([]byte, c.padding)...))
					b.settle(path)
					b.must(os.Rename(b.at(path), b.at(away)))
				}
				b.write(path, testphoto.Tiny(100_000+n))
				b.diskCache.sums, b.diskCache.listings, b.diskCache.answered = nil, nil, nil
				v := b.take(b.Context(), b.file(path))
				b.must(b.Store.Files().Sync(v.files...))
				var begin time.Time
				err := b.Store.Update(b.Context(), func(tx *store.Tx) error {
					begin = time.Now()
					return v.apply(tx)
				})
				took = append(took, time.Since(begin))
				if errors.Is(err, store.ErrOverBudget) {
					refused++
				} else {
					b.must(err)
				}
				if v.release != nil {
					v.release()
				}
				_ = os.Remove(b.at(away))
			}
			slices.Sort(took)
			t.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "median-ms")
			t.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "worst-ms")
			t.ReportMetric(float64(refused)/float64(n), "refused")
			t.ReportMetric(0, "ns/op")
		})
	}
}

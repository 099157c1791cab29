package store

import (
	"os"
	"path/filepath"
	"testing"
)

// A long read transaction makes the write-ahead log grow. That is reported, and after the
// transaction the log is truncated by the next write, or by EmptyWAL if there is none.
func TestWALShrinksAfterALongReader(t *testing.T) {
	for _, idle := range []bool{true, false} {
		s := bareStore(t)
		size := func() int64 {
			fi, err := os.Stat(filepath.Join(s.dir, CatalogueFile+"-wal"))
			if err != nil {
				t.Fatal(err)
			}
			return fi.Size()
		}
		write := func(rows, bytes int) {
			for range rows {
				if err := s.Update(t.Context(), func(tx *Tx) error {
					_, err := tx.exec(`INSERT INTO meta VALUES ('long', hex(randomblob(?1))) ON CONFLICT DO UPDATE SET value = excluded.value`, bytes)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		reader, err := s.read.Begin()
		if err != nil {
			t.Fatal(err)
		}
		var n int
		if err := reader.QueryRow(`SELECT count(*) FROM meta`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		write(12, 1<<20)
		grown := size()
		if w, err := s.EmptyWAL(t.Context()); err != nil || grown <= walLimit || w.Bytes != grown || w.HeldSince.IsZero() || s.WAL() != w {
			t.Fatalf("while somebody reads: %+v of %d bytes, %v", w, grown, err)
		}
		if err := reader.Rollback(); err != nil {
			t.Fatal(err)
		}
		if idle {
			if w, err := s.EmptyWAL(t.Context()); err != nil || w.Bytes != 0 || size() != 0 || !w.HeldSince.IsZero() {
				t.Errorf("when nobody reads any more: %+v, %v", w, err)
			}
			continue
		}
		if write(3, 10); size() > walLimit {
			t.Errorf("after the next transactions it has %d bytes", size())
		}
	}
}

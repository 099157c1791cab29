package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// walLimit is how large the write-ahead log may stay, in bytes. In use it is
// some 4 MB; it grows for as long as somebody reads the catalogue as it was,
// and SQLite by itself never makes it smaller again.
const walLimit = 16 << 20

// A WAL is the state of the catalogue's write-ahead log.
type WAL struct {
	Bytes int64
	// HeldSince is when somebody was first seen to keep it from being emptied,
	// by reading; zero = nobody, or it is not large.
	HeldSince time.Time
}

// EmptyWAL moves a large write-ahead log into the catalogue and cuts it, as
// far as nobody reads it. It waits for nobody. One process at a time calls it.
func (s *Store) EmptyWAL(ctx context.Context) (WAL, error) {
	s.walMu.Lock()
	defer s.walMu.Unlock()
	err := s.emptyWAL(ctx)
	return s.wal, err
}

// WAL is what EmptyWAL has seen last.
func (s *Store) WAL() WAL {
	s.walMu.Lock()
	defer s.walMu.Unlock()
	return s.wal
}

func (s *Store) emptyWAL(ctx context.Context) error {
	name := filepath.Join(s.dir, CatalogueFile)
	large, err := s.walIsLarge(name)
	if err != nil || !large {
		return err
	}
	// Its own connection, which gives up at once where another would wait and
	// hold everybody up meanwhile.
	db, err := openFile(name, url.Values{"mode": {"rw"}, "_busy_timeout": {"0"}, "_synchronous": {"FULL"}})
	if err != nil {
		return err
	}
	defer db.Close()
	var busy, frames, moved int
	for _, mode := range []string{"PASSIVE", "TRUNCATE"} {
		if err := db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(`+mode+`)`).Scan(&busy, &frames, &moved); err != nil {
			return fmt.Errorf("catalogue: empty the write-ahead log: %w", err)
		}
		if moved < frames { // somebody reads what was before
			if s.wal.HeldSince.IsZero() {
				s.wal.HeldSince = time.Now()
			}
			return nil
		}
	}
	_, err = s.walIsLarge(name)
	return err
}

func (s *Store) walIsLarge(catalogue string) (bool, error) {
	fi, err := os.Stat(catalogue + "-wal")
	if err != nil {
		s.wal = WAL{}
		return false, ignoreMissing(err)
	}
	if s.wal.Bytes = fi.Size(); s.wal.Bytes <= walLimit {
		s.wal.HeldSince = time.Time{}
	}
	return s.wal.Bytes > walLimit, nil
}

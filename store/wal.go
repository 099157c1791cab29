package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// walLimit is the size in bytes above which EmptyWAL truncates the write-ahead log. It
// is normally some 4 MB; it grows during long read transactions, and SQLite does not
// shrink it by itself.
const walLimit = 16 << 20

// A WAL is the state of the catalogue's write-ahead log.
type WAL struct {
	Bytes int64
	// HeldSince is when a reader first kept EmptyWAL from emptying the log; zero =
	// no reader does, or the log is not large.
	HeldSince time.Time
}

// EmptyWAL moves a large write-ahead log into the catalogue and truncates it, as far as
// readers permit. It does not wait for them. One process at a time may call it.
func (s *Store) EmptyWAL(ctx context.Context) (WAL, error) {
	s.walMu.Lock()
	defer s.walMu.Unlock()
	err := s.emptyWAL(ctx)
	return s.wal, err
}

// WAL returns the last result of EmptyWAL.
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
	// Use a connection without a busy timeout: it gives up at once, where another
	// would wait and block all writers meanwhile.
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
		if moved < frames { // a reader still needs the older state
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

package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/internal/durable"
)

// MarkerFile, in the upload directory, holds the volume's random id. The mount point of
// a volume that is not mounted lacks it, so that missing files are not taken for
// deleted.
const MarkerFile = ".picday-volume"

// ErrVolume means that the upload volume is not the one that the catalogue knows.
var ErrVolume = errors.New("upload volume")

// CheckVolume checks that the upload directory is the volume of this catalogue. Its
// error, an ErrVolume, says what to do.
func (s *Store) CheckVolume(ctx context.Context, uploadDir string) error {
	return checkVolume(ctx, s.read, uploadDir)
}

func checkVolume(ctx context.Context, q querier, uploadDir string) error {
	want, err := volumeID(ctx, q)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(uploadDir, MarkerFile))
	switch have := strings.TrimSpace(string(data)); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s has no %s: it is not mounted, or was replaced. Mount it; nothing is withdrawn until then", ErrVolume, uploadDir, MarkerFile)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrVolume, err)
	case want == "":
		return fmt.Errorf("%w: the catalogue has not been introduced to %s: run 'picday init'", ErrVolume, uploadDir)
	case have != want:
		return fmt.Errorf("%w: %s is another volume than the one in the catalogue (its %s says %.40q). Mount the right one; nothing is withdrawn until then",
			ErrVolume, uploadDir, MarkerFile, have)
	}
	return nil
}

func volumeID(ctx context.Context, q querier) (id string, err error) {
	err = q.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'volume'`).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return id, err
}

// AdoptVolume makes the upload directory the volume of this catalogue by writing its
// marker. If the catalogue has files, it refuses a directory without a marker with an
// ErrVolume, unless force is set: the directory may be the mount point of a volume that
// is not mounted, and all files would count as deleted. made tells that it wrote the
// marker.
func (s *Store) AdoptVolume(ctx context.Context, uploadDir string, force bool) (made bool, err error) {
	if err := s.CheckVolume(ctx, uploadDir); err == nil || !errors.Is(err, ErrVolume) {
		return false, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		var uploads int64
		if err := tx.queryRow(`SELECT count(*) FROM upload WHERE gone_at IS NULL`).Scan(&uploads); err != nil {
			return err
		}
		if uploads > 0 && !force {
			return fmt.Errorf("%w, and the catalogue knows %d files there. If this really is their new home: picday init --new-volume",
				checkVolume(ctx, tx.t, uploadDir), uploads)
		}
		id := make([]byte, 16)
		rand.Read(id)
		text := hex.EncodeToString(id)
		if _, err := tx.exec(`INSERT INTO meta VALUES ('volume', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, text); err != nil {
			return err
		}
		return durable.WriteFile(filepath.Join(uploadDir, MarkerFile), []byte(text+"\n"), 0o644)
	})
	return err == nil, err
}

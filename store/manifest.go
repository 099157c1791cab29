package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/internal/durable"
)

// ManifestFile is a copy of the catalogue below the data directory, beside the originals. It
// is not open, so what damages or replaces the catalogue leaves it alone. A catalogue that is
// lost is rebuilt from it (internal/rebuild).
const ManifestFile = "manifest/" + CatalogueFile

// Size returns the size of the catalogue's file in bytes, 0 if it cannot be told.
func (s *Store) Size() int64 {
	fi, err := os.Stat(filepath.Join(s.dir, CatalogueFile))
	if err != nil {
		return 0
	}
	return fi.Size()
}

// WriteManifest replaces the manifest by a copy of the catalogue as it is. The modification
// time of the file is when it was begun.
func (s *Store) WriteManifest(ctx context.Context) error {
	name := filepath.Join(s.dir, ManifestFile)
	dir := filepath.Dir(name)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	next := name + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	began := time.Now()
	err := s.Snapshot(ctx, next)
	if err == nil {
		err = os.Chtimes(next, began, began) // what was committed later may be missing
	}
	if err == nil {
		err = os.Rename(next, name)
	}
	if err != nil {
		_ = os.Remove(next)
		return err
	}
	return durable.SyncDir(dir)
}

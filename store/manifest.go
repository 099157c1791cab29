package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ReadBackup finds the newest whole backup in a directory and proves that its
// small files are as they were written. The originals are proven when they
// are read.
func ReadBackup(dir string) (m Manifest, err error) {
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w: %s has no %s, so no backup to it was ever finished", ErrNotBackup, dir, manifestFile)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%w: %s is damaged: %w", ErrNotBackup, manifestFile, err)
	}
	if m.Format != backupFormat {
		return m, fmt.Errorf("%w: %s has the format %d, this picday knows %d: use the picday that made it (%s)", ErrNotBackup, dir, m.Format, backupFormat, m.Picday)
	}
	steps, err := migrations(sqlFiles)
	if err != nil {
		return m, err
	}
	if newest := newestOf(steps); m.Schema > newest {
		return m, fmt.Errorf("%w: %s was made by a newer picday (%s; schema %d, this one knows %d): upgrade picday", ErrNotBackup, dir, m.Picday, m.Schema, newest)
	}
	for _, name := range []string{CatalogueFile, linkKeyFile} {
		if m.Files[name] == "" {
			return m, fmt.Errorf("%w: %s names no %s", ErrNotBackup, manifestFile, name)
		}
	}
	for name, want := range m.Files {
		if filepath.Base(name) != name || filepath.Base(m.Folder) != m.Folder || !strings.HasPrefix(m.Folder, folderPrefix) {
			return m, fmt.Errorf("%w: %s names %q", ErrNotBackup, manifestFile, name)
		}
		have, err := hashFile(filepath.Join(dir, m.Folder, name))
		if err != nil {
			return m, fmt.Errorf("%w: %w", ErrNotBackup, err)
		}
		if have != want {
			return m, fmt.Errorf("%w: %s/%s/%s is damaged: take another copy of the backup", ErrNotBackup, dir, m.Folder, name)
		}
	}
	return m, nil
}

// OpenBackup opens the catalogue of a backup, for reading; its originals and
// renditions are those of the backup.
func OpenBackup(ctx context.Context, dir string, m Manifest) (*Store, error) {
	return OpenSnapshot(ctx, filepath.Join(dir, m.Folder, CatalogueFile), dir)
}

func hashFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

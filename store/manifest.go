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
	"path/filepath"
	"strings"
)

// ReadBackup finds the newest whole backup in a directory and proves that its
// small files are as they were written. The originals are proven when they
// are read. A folder that others than root can change is refused with an
// ErrNotRoots, and nothing in it but plain files is opened.
func ReadBackup(ctx context.Context, dir string) (m Manifest, err error) {
	if err := RootsAlone(dir); err != nil {
		return m, err
	}
	text, err := ReadRoots(filepath.Join(dir, manifestFile), 1<<20)
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
		limit, ours := stateFiles[name]
		if !ours {
			return m, fmt.Errorf("%w: %s names %q, which is none of picday's", ErrNotBackup, manifestFile, name)
		}
		have, err := hashFile(ctx, filepath.Join(dir, m.Folder, name), limit)
		if errors.Is(err, ErrNotRoots) || ctx.Err() != nil {
			return m, err
		}
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

// What a backup has of the machine, beside the catalogue and the link key.
const (
	AccountsFile = "accounts.json" // by name, see account.Secrets
	ConfigFile   = "picday.toml"
)

// stateFiles are the files in a backup's folder, with the most bytes that one can
// have.
var stateFiles = map[string]int64{CatalogueFile: 1 << 40, linkKeyFile: linkKeySize, AccountsFile: MaxAccounts, ConfigFile: MaxConfig}

// The most bytes of AccountsFile and ConfigFile.
const (
	MaxAccounts = 256 << 20
	MaxConfig   = 1 << 20
)

func hashFile(ctx context.Context, name string, limit int64) (string, error) {
	f, err := openRoots(name, limit)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, &interruptible{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

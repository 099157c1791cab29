package backup

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
	"time"

	"picday/store"
)

// A Manifest says what is in a backup.
type Manifest struct {
	About       string            `json:"about"`
	Format      int               `json:"format"`
	Picday      string            `json:"picday"` // the version that made it
	Schema      int               `json:"schema"`
	MadeAt      time.Time         `json:"made_at"` // the moment of the catalogue
	Folder      string            `json:"folder"`
	Files       map[string]string `json:"files"` // in the folder, with their SHA-256
	Photos      int               `json:"photos"`
	Originals   int               `json:"originals"`
	Bytes       int64             `json:"bytes"` // of the originals
	Lost        []string          `json:"lost"`  // files that are missing or damaged in the data directory
	CopiedFiles int               `json:"copied_files"`
	CopiedBytes int64             `json:"copied_bytes"`
}

const (
	format       = 1
	manifestFile = "manifest.json"
	markFile     = ".picday-backup" // also the lock
	folderPrefix = "state-"
)

// ErrNotBackup is returned for a directory that holds no complete backup, or that
// none can be made in.
var ErrNotBackup = errors.New("no picday backup")

// ReadManifest reads the manifest of a backup and compares the files of its folder
// with their hashes in it. The files of pictures are compared when they are read. A
// directory or a file that others than root can change is refused with an
// ErrNotRootOwned, and only plain files are opened.
func ReadManifest(ctx context.Context, dir string) (m Manifest, err error) {
	if err := CheckRootOwned(dir); err != nil {
		return m, err
	}
	text, err := ReadRootOwned(filepath.Join(dir, manifestFile), 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%w: %s has no %s, so no backup to it was ever finished", ErrNotBackup, dir, manifestFile)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%w: %s is damaged: %w", ErrNotBackup, manifestFile, err)
	}
	if m.Format != format {
		return m, fmt.Errorf("%w: %s has the format %d, this picday knows %d: use the picday that made it (%s)", ErrNotBackup, dir, m.Format, format, m.Picday)
	}
	newest, err := store.NewestSchema()
	if err != nil {
		return m, err
	}
	if m.Schema > newest {
		return m, fmt.Errorf("%w: %s was made by a newer picday (%s; schema %d, this one knows %d): upgrade picday", ErrNotBackup, dir, m.Picday, m.Schema, newest)
	}
	for _, name := range []string{store.CatalogueFile, store.LinkKeyFile} {
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
		if errors.Is(err, ErrNotRootOwned) || ctx.Err() != nil {
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

// OpenCatalogue opens the catalogue of a backup for reading. Its Files are those of
// the backup.
func OpenCatalogue(ctx context.Context, dir string, m Manifest) (*store.Store, error) {
	return store.OpenSnapshot(ctx, filepath.Join(dir, m.Folder, store.CatalogueFile), dir)
}

// What a backup has of the machine, beside the catalogue and the link key.
const (
	AccountsFile = "accounts.json" // by name, see account.Secrets
	ConfigFile   = "picday.toml"
)

// stateFiles are the files in a backup's folder, with the most bytes that one can
// have.
var stateFiles = map[string]int64{store.CatalogueFile: 1 << 40, store.LinkKeyFile: store.LinkKeySize, AccountsFile: MaxAccounts, ConfigFile: MaxConfig}

// The most bytes of AccountsFile and ConfigFile.
const (
	MaxAccounts = 256 << 20
	MaxConfig   = 1 << 20
)

func hashFile(ctx context.Context, name string, limit int64) (string, error) {
	f, err := openRootOwned(name, limit)
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

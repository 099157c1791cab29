package restore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"picday/internal/account"
	"picday/internal/localtime"
	"picday/store"
	"picday/store/backup"
)

// An UnmergedLogError is returned for a catalogue file whose last changes are still in
// SQLite's log next to it.
type UnmergedLogError struct{ File string }

func (e *UnmergedLogError) Error() string {
	return fmt.Sprintf("the last changes of %s are still in %[1]s-wal, and would be lost", e.File)
}

// A CatalogueError is returned for a later catalogue that cannot be found.
type CatalogueError struct{ Err error }

func (e *CatalogueError) Error() string { return e.Err.Error() }
func (e *CatalogueError) Unwrap() error { return e.Err }

// A Source is a backup that was read and found fit to be restored.
type Source struct {
	Manifest  backup.Manifest
	Dir       string // of the backup
	Folder    string // below Dir, with the files that differ from backup to backup
	Catalogue string // the file that is restored

	store        *store.Store // the catalogue, read-only
	secrets      map[string]account.Secrets
	accounts     []store.Account
	keptAccounts []store.Account // removed ones whose photos stay
}

// Open reads the backup in dir, and changes nothing. catalogue names a later
// SQLite file to take instead of the backup's own catalogue, or is empty.
//
// Besides the errors of store and backup it returns a backup.PlaceError for a directory
// that is not there, a CatalogueError for such a file, and an UnmergedLogError.
func Open(ctx context.Context, dir, catalogue string) (src *Source, err error) {
	if dir, err = realPath(dir); err != nil {
		return nil, &backup.PlaceError{Err: err}
	}
	named := catalogue
	if catalogue != "" {
		if catalogue, err = realPath(catalogue); err != nil {
			return nil, &CatalogueError{err}
		}
	}
	m, err := backup.ReadManifest(ctx, dir)
	if err != nil {
		return nil, err
	}
	src = &Source{Manifest: m, Dir: dir, Folder: filepath.Join(dir, m.Folder), Catalogue: catalogue}
	if catalogue == "" {
		src.Catalogue = filepath.Join(src.Folder, store.CatalogueFile)
	}
	if err := backup.CheckRootOwned(src.Catalogue); err != nil {
		return nil, err
	}
	if wal, err := os.Stat(src.Catalogue + "-wal"); err == nil && wal.Size() > 0 {
		return nil, &UnmergedLogError{named}
	}
	text, err := backup.ReadRootOwned(filepath.Join(src.Folder, backup.AccountsFile), backup.MaxAccounts)
	if err == nil {
		err = json.Unmarshal(text, &src.secrets)
	}
	if err != nil {
		return nil, err
	}
	if src.store, err = store.OpenSnapshot(ctx, src.Catalogue, dir); err != nil {
		return nil, err
	}
	if src.accounts, err = src.store.All().Accounts(ctx); err == nil {
		src.keptAccounts, err = src.store.All().KeptAccounts(ctx)
	}
	for _, acct := range src.allAccounts() {
		if err == nil {
			err = acct.Flawed()
		}
	}
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	return src, nil
}

// realPath is absolute and without symbolic links.
func realPath(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// Close closes the backup's catalogue.
func (src *Source) Close() error { return src.store.Close() }

// LaterCatalogue tells whether the catalogue is not the backup's own.
func (src *Source) LaterCatalogue() bool {
	return src.Catalogue != filepath.Join(src.Folder, store.CatalogueFile)
}

// asOf says which moment is restored.
func (src *Source) asOf() string {
	if src.LaterCatalogue() {
		return src.Catalogue
	}
	return localtime.Format(src.Manifest.MadeAt)
}

func (src *Source) allAccounts() []store.Account {
	return slices.Concat(src.accounts, src.keptAccounts)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"picday/internal/durable"
	"picday/internal/fsuid"
	"picday/store/pictures"
)

// Create makes what is missing in dataDir (the catalogue, the link key, the directories)
// and opens it. What it makes belongs to the owner of dataDir, so that root can call it
// for the daemon. made has a sentence for each file and directory that was made.
func Create(ctx context.Context, dataDir string) (s *Store, made []string, err error) {
	if _, err := os.Stat(dataDir); err != nil {
		return nil, nil, fmt.Errorf("data directory: %w", err)
	}
	dirs, err := pictures.In(dataDir).MakeDirs()
	for _, d := range dirs {
		made = append(made, "made "+d)
	}
	if err != nil {
		return nil, made, err
	}
	var newKey bool
	err = fsuid.In(dataDir, func() error {
		var more []string
		more, newKey, err = makeCatalogue(dataDir)
		made = append(made, more...)
		return err
	})
	if err != nil {
		return nil, made, err
	}
	after := int64(0)
	if !newKey {
		after = unusedID(time.Now())
	}
	s, err = open(ctx, dataDir, after)
	return s, made, err
}

// makeCatalogue makes the link key and an empty catalogue if they are missing. newKey
// means that the key was made, so no link can have been given out yet.
func makeCatalogue(dataDir string) (made []string, newKey bool, err error) {
	// Never make a key for an existing catalogue: a new key would make different links
	// for its photos, so a lost key must be an error. The key comes first, because a
	// crash in between would otherwise leave a catalogue without a key.
	catalogue, key := filepath.Join(dataDir, CatalogueFile), filepath.Join(dataDir, LinkKeyFile)
	if _, err := os.Lstat(catalogue); errors.Is(err, fs.ErrNotExist) {
		if newKey, err = makeIfMissing(key, newLinkKey(), 0o400); err != nil {
			return made, false, err
		}
		if newKey {
			made = append(made, "made "+key)
		}
	}
	fresh, err := makeIfMissing(catalogue, nil, 0o640)
	if err != nil {
		return made, newKey, err
	}
	if fresh {
		made = append(made, "made "+catalogue)
	}
	return made, newKey, durable.SyncDir(dataDir)
}

// makeIfMissing makes a file if it is missing. It writes a temporary file and links it to the
// name, so that another process never sees a part of it and cannot overwrite it.
func makeIfMissing(name string, content []byte, mode fs.FileMode) (fresh bool, err error) {
	if _, err := os.Lstat(name); err == nil {
		return false, nil
	}
	f, err := durable.Temp(filepath.Dir(name))
	if err != nil {
		return false, err
	}
	defer durable.Discard(f)
	if _, err := f.Write(content); err != nil {
		return false, err
	}
	if err := errors.Join(f.Chmod(mode), f.Sync()); err != nil {
		return false, err
	}
	err = os.Link(f.Name(), name)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	return err == nil, err
}

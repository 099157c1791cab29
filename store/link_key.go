package store

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"picday/internal/durable"
	"picday/internal/fsuid"
)

// LinkKeyFile holds the 32 random bytes from which all links can be computed. It has
// mode 0400 and belongs to the daemon's user.
const LinkKeyFile = "link.key"

// LinkKeySize is its length in bytes.
const LinkKeySize = 32

func newLinkKey() []byte {
	key := make([]byte, LinkKeySize)
	rand.Read(key) // never returns an error
	return key
}

// readLinkKey returns nil without an error if this process may not read the key. Such
// a process can read the catalogue, but not publish.
func readLinkKey(dataDir string) ([]byte, error) {
	f, err := fsuid.Open(filepath.Join(dataDir, LinkKeyFile))
	var key []byte
	if err == nil {
		key, err = io.ReadAll(io.LimitReader(f, 4096))
		f.Close()
	}
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0:
		return nil, fmt.Errorf("%s in %s is not readable for who owns the directory, and so not for picdayd: give it to him with chown (%w)", LinkKeyFile, dataDir, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing from %s: put it back from a backup, or all links will change", LinkKeyFile, dataDir)
	case err != nil:
		return nil, err
	case len(key) != LinkKeySize:
		return nil, fmt.Errorf("%s in %s is %d bytes, not %d: put it back from a backup", LinkKeyFile, dataDir, len(key), LinkKeySize)
	}
	return key, nil
}

// SaveLinkKey writes the link key to a directory, for a backup.
func (s *Store) SaveLinkKey(dir string) error {
	if s.key == nil {
		return errNoLinkKey
	}
	return durable.WriteFile(filepath.Join(dir, LinkKeyFile), s.key, 0o600)
}

var errNoLinkKey = fmt.Errorf("this user may not read the link key, so %w", ErrReadOnly)

// DeriveKey derives a key of 32 bytes for another purpose from the link key. Neither
// reveals the other. It fails if this process may not read the link key.
func (s *Store) DeriveKey(purpose string) ([]byte, error) {
	if s.key == nil {
		return nil, errNoLinkKey
	}
	return hkdf.Key(sha256.New, s.key, nil, "picday "+purpose, 32)
}

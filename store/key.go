package store

import (
	"crypto/hkdf"
	"crypto/sha256"
)

// DeriveKey makes 32 bytes out of the installation's key for another purpose
// than links: neither tells anything of the other. It fails for a user who may
// not read the key.
func (s *Store) DeriveKey(purpose string) ([]byte, error) {
	if s.key == nil {
		return nil, errNoLinkKey
	}
	return hkdf.Key(sha256.New, s.key, nil, "picday "+purpose, 32)
}

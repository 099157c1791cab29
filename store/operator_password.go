package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// The catalogue is readable for picday's group, and the hash of a weak password can be
// attacked offline. So password hashes are encrypted under a key that is derived from
// the link key, which the group cannot read. The hashes of sessions and tokens need no
// encryption, because random secrets cannot be guessed.

func (s *Store) hashCipher() (cipher.AEAD, error) {
	if s.key == nil {
		return nil, errNoLinkKey
	}
	key, err := hkdf.Key(sha256.New, s.key, nil, "picday: password hashes of operators", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// encryptHash encrypts a password's hash and binds it to this operator.
func (s *Store) encryptHash(operator, hash string) (string, error) {
	aead, err := s.hashCipher()
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(aead.Seal(nil, nil, []byte(hash), []byte(operator))), nil
}

func (s *Store) decryptHash(operator, sealed string) (hash string, err error) {
	aead, err := s.hashCipher()
	if err != nil {
		return "", err
	}
	text, err := base64.RawStdEncoding.DecodeString(sealed)
	if err == nil {
		text, err = aead.Open(nil, nil, text, []byte(operator))
	}
	if err != nil {
		return "", fmt.Errorf("the password of the operator %s was not entered with this installation's %s: set it anew with 'picday operator passwd' (%w)", login(operator), LinkKeyFile, err)
	}
	return string(text), nil
}

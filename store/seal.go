package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// The catalogue is readable for picday's group, and people choose passwords that
// can be tried out at home: their hashes are sealed under a key that is made of
// the link key, which the group cannot read. What is random (sessions, tokens) and
// stored as its hash needs none of it: there is nothing to try out.

func (s *Store) sealer() (cipher.AEAD, error) {
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

// seal makes of a password's hash what only this operator's row can hold.
func (s *Store) seal(operator, hash string) (string, error) {
	aead, err := s.sealer()
	if err != nil {
		return "", err
	}
	return base64.RawStdEncoding.EncodeToString(aead.Seal(nil, nil, []byte(hash), []byte(operator))), nil
}

func (s *Store) unseal(operator, sealed string) (hash string, err error) {
	aead, err := s.sealer()
	if err != nil {
		return "", err
	}
	text, err := base64.RawStdEncoding.DecodeString(sealed)
	if err == nil {
		text, err = aead.Open(nil, nil, text, []byte(operator))
	}
	if err != nil {
		return "", fmt.Errorf("the password of the operator %s was not entered with this installation's %s: set it anew with 'picday operator passwd' (%w)", login(operator), linkKeyFile, err)
	}
	return string(text), nil
}

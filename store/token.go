package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"
)

// A Token is what a program logs in to the API with.
type Token struct {
	Name      string
	AccountID int64  // 0 = sees all accounts
	Account   string // "" = all
	CreatedAt time.Time
}

// AddToken makes a token and returns it. It is not stored and cannot be shown
// again, only its hash is.
func (tx *Tx) AddToken(t Token) (secret string, err error) {
	secret, hash := newSecret()
	n, err := tx.count(`INSERT INTO token (name, account_id, hash, created_at) VALUES (?, nullif(?, 0), ?, ?) ON CONFLICT DO NOTHING`,
		t.Name, t.AccountID, hash, millis(tx.now))
	if err == nil && n == 0 {
		err = ErrTaken
	}
	return secret, err
}

// RemoveToken revokes a token.
func (tx *Tx) RemoveToken(name string) error {
	return tx.change(`DELETE FROM token WHERE name = ?`, name)
}

const tokenColumns = `SELECT t.name, coalesce(t.account_id, 0), coalesce(a.name, ''), t.created_at
	FROM token t LEFT JOIN account a ON a.id = t.account_id `

func scanToken(r interface{ Scan(...any) error }) (Token, error) {
	o, err := scanOperator(r)
	return Token(o), err
}

// Tokens lists the tokens by name.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return collect(ctx, s.read, func(r *sql.Rows) (Token, error) { return scanToken(r) }, tokenColumns+`ORDER BY t.name`)
}

// Token finds the token that a secret is. ErrNotFound = none.
func (s *Store) Token(ctx context.Context, secret string) (Token, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, tokenColumns+`WHERE t.hash = ?`, hashSecret(secret)))
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("token: %w", ErrNotFound)
	}
	return t, err
}

// newSecret makes 256 random bits and the hash to store for them. A fast hash
// will do: nobody can guess what is random.
func newSecret() (secret string, hash []byte) {
	b := make([]byte, 32)
	rand.Read(b) // never fails, says its documentation
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashSecret(secret)
}

func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

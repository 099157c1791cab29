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

	"picday/internal/names"
)

// A Token lets a program log in to the API.
type Token struct {
	Name      string
	AccountID int64  // 0 = may see all accounts
	Account   string // "" = all
	CreatedAt time.Time
}

// AddToken creates a token and returns its secret. Only the hash of the secret is
// stored, so it cannot be shown again. It fails with ErrTaken.
func (tx *Tx) AddToken(t Token) (secret string, err error) {
	secret, hash := newSecret()
	n, err := tx.execCount(`INSERT INTO token (name, account_id, hash, created_at) VALUES (?, nullif(?, 0), ?, ?) ON CONFLICT DO NOTHING`,
		t.Name, t.AccountID, hash, millis(tx.now))
	if err == nil && n == 0 {
		err = ErrTaken
	}
	return secret, err
}

// RemoveToken revokes a token.
func (tx *Tx) RemoveToken(name string) error {
	return tx.execOne(`DELETE FROM token WHERE name = ?`, name)
}

const tokenColumns = `SELECT t.name, coalesce(t.account_id, 0), coalesce(a.name, ''), t.created_at
	FROM token t LEFT JOIN account a ON a.id = t.account_id `

func scanToken(r interface{ Scan(...any) error }) (Token, error) {
	var t Token
	var created int64
	err := r.Scan(&t.Name, &t.AccountID, &t.Account, &created)
	t.CreatedAt, t.Name = fromMillis(created), login(t.Name)
	return t, err
}

// Tokens lists the tokens by name.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	all, err := collect(ctx, s.read, func(r *sql.Rows) (Token, error) { return scanToken(r) }, tokenColumns+`ORDER BY t.name`)
	names.Sort(all, func(t Token) string { return t.Name })
	return all, err
}

// Token finds the token with that secret, or fails with ErrNotFound.
func (s *Store) Token(ctx context.Context, secret string) (Token, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, tokenColumns+`WHERE t.hash = ?`, hashSecret(secret)))
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("token: %w", ErrNotFound)
	}
	return t, err
}

// newSecret makes 256 random bits and the hash to store for them. A fast hash is
// enough, because random bits cannot be guessed.
func newSecret() (secret string, hash []byte) {
	b := make([]byte, 32)
	rand.Read(b) // never returns an error
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashSecret(secret)
}

func hashSecret(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

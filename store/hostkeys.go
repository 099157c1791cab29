package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// A HostKey lets an uploader see that the server is the right one.
type HostKey struct {
	Type   string `json:"type"`
	SHA256 string `json:"sha256"` // as ssh shows it: "SHA256:" and base64 without padding
}

// SetHostKeys keeps what root's tool has heard from sshd, which the daemon
// may not ask.
func (tx *Tx) SetHostKeys(keys []HostKey) error {
	text, err := json.Marshal(keys)
	if err == nil {
		_, err = tx.Exec(`INSERT INTO meta VALUES ('host_keys', ?1) ON CONFLICT DO UPDATE SET value = ?1`, string(text))
	}
	return err
}

// HostKeys are the server's, best first, as they were when root's tool made or
// showed a connection card last; none if it never has.
func (s *Store) HostKeys(ctx context.Context) (keys []HostKey, err error) {
	var text string
	err = s.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'host_keys'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && json.Unmarshal([]byte(text), &keys) != nil {
		return nil, nil // they are only shown, next to what matters more
	}
	return keys, err
}

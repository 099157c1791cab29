package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// A HostKey is a public key of sshd, by which an uploader can recognise the server.
type HostKey struct {
	Type   string `json:"type"`
	SHA256 string `json:"sha256"` // as ssh shows it: "SHA256:" and base64 without padding
}

// SetHostKeys records sshd's host keys. Root's tool calls it, because the daemon may not
// ask sshd.
func (tx *Tx) SetHostKeys(keys []HostKey) error {
	text, err := json.Marshal(keys)
	if err == nil {
		_, err = tx.exec(`INSERT INTO meta VALUES ('host_keys', ?1) ON CONFLICT DO UPDATE SET value = ?1`, string(text))
	}
	return err
}

// HostKeys returns sshd's host keys, the best first, as of the last time that root's tool
// printed a connection card; none if it never did. They are the same in every view.
func (v View) HostKeys(ctx context.Context) (keys []HostKey, err error) {
	var text string
	err = v.s.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'host_keys'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil && json.Unmarshal([]byte(text), &keys) != nil {
		return nil, nil // the keys are only one detail of a page, which must not fail for them
	}
	return keys, err
}

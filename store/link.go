package store

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"picday/internal/fsuid"
)

// linkKeyFile holds the installation's 32 random bytes. Whoever reads it can
// compute every link: mode 0400, owned by the daemon's user.
const linkKeyFile = "link.key"

const linkKeySize = 32

func newLinkKey() []byte {
	key := make([]byte, linkKeySize)
	rand.Read(key) // never fails, says its documentation
	return key
}

// readLinkKey returns nil without an error when this process may not read
// the key: such a process can look, but not publish.
func readLinkKey(dataDir string) ([]byte, error) {
	f, err := fsuid.Open(filepath.Join(dataDir, linkKeyFile))
	var key []byte
	if err == nil {
		key, err = io.ReadAll(io.LimitReader(f, 4096))
		f.Close()
	}
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() == 0:
		return nil, fmt.Errorf("%s in %s is not readable for who owns the directory, and so not for picdayd: give it to him with chown (%w)", linkKeyFile, dataDir, err)
	case errors.Is(err, fs.ErrPermission):
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing from %s: put it back from a backup, or all links will change", linkKeyFile, dataDir)
	case err != nil:
		return nil, err
	case len(key) != linkKeySize:
		return nil, fmt.Errorf("%s in %s is %d bytes, not %d: put it back from a backup", linkKeyFile, dataDir, len(key), linkKeySize)
	}
	return key, nil
}

var errNoLinkKey = fmt.Errorf("this user may not read the link key, so %w", ErrReadOnly)

// link makes the only name under which a picture is served: 56 hex digits of
// HMAC-SHA-224. A keyed hash, because student IDs are few enough to
// enumerate; over the account's id, which is never given out again, because
// names are.
func (s *Store) link(accountID int64, subject string, generation int64) (string, error) {
	if s.key == nil {
		return "", errNoLinkKey
	}
	mac := hmac.New(sha256.New224, s.key)
	fmt.Fprintf(mac, "%d\x00%s\x00%d", accountID, subject, generation)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// personSubject and photoSubject are what a link is about. A portrait's link
// stays with the person, a job photo's with the photo wherever it is moved.
// Neither form can be mistaken for the other.
func personSubject(person string) string { return "person " + person }
func photoSubject(id int64) string       { return fmt.Sprintf("photo %d", id) }

func subjectOf(id int64, person string) string {
	if person != "" {
		return personSubject(person)
	}
	return photoSubject(id)
}

// generation is how often the link of a person's portrait was rotated, from 1.
func (tx *Tx) generation(accountID int64, person string) (n int64, err error) {
	err = tx.QueryRow(`SELECT coalesce((SELECT generation FROM rotation WHERE account_id = ? AND person = ?), 1)`, accountID, person).Scan(&n)
	return n, err
}

func (tx *Tx) setLink(photoID, accountID int64, person string, generation int64) (string, error) {
	link, err := tx.s.link(accountID, subjectOf(photoID, person), generation)
	if err != nil {
		return "", err
	}
	return link, tx.change(`UPDATE photo SET link = ?, generation = ? WHERE id = ?`, link, generation, photoID)
}

// Rotate gives one photo a new link and returns it. The old one is dead with
// the commit, and never comes back. operator is who asked for it on the
// pages, or "".
func (tx *Tx) Rotate(photoID int64, operator string) (string, error) {
	var accountID, generation int64
	var person string
	err := tx.QueryRow(`SELECT account_id, coalesce(person, ''), generation FROM photo WHERE id = ?`, photoID).Scan(&accountID, &person, &generation)
	if errors.Is(err, sql.ErrNoRows) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	stamp, err := tx.stamp()
	if err != nil {
		return "", err
	}
	generation++
	if person != "" {
		if _, err := tx.Exec(`INSERT INTO rotation VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET generation = ?3`, accountID, person, generation); err != nil {
			return "", err
		}
	}
	link, err := tx.setLink(photoID, accountID, person, generation)
	if err != nil {
		return "", err
	}
	if err := tx.change(`UPDATE photo SET changed_at = ? WHERE id = ?`, stamp, photoID); err != nil {
		return "", err
	}
	return link, tx.photoEvent(photoID, EventRotated, "", operator)
}

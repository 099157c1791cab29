package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
)

// link computes the name under which a picture is served: the 56 hex digits of an
// HMAC-SHA-224. The hash is keyed, because student IDs can be enumerated. It contains
// the account's ID and not its name, because only IDs are never reused. A link shows
// nothing from the moment that its photo is withdrawn (withdraw.go,
// withdraw_by_operator.go), it is rotated, or its account is removed (account.go).
func (s *Store) link(accountID int64, subject string, generation int64) (string, error) {
	if s.key == nil {
		return "", errNoLinkKey
	}
	mac := hmac.New(sha256.New224, s.key)
	fmt.Fprintf(mac, "%d\x00%s\x00%d", accountID, subject, generation)
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// personSubject and photoSubject are the subjects of links. The link of a portrait
// stays with the person, that of a job photo with the photo, also when it is moved. The
// two forms never collide.
func personSubject(person string) string { return "person " + person }
func photoSubject(id int64) string       { return fmt.Sprintf("photo %d", id) }

func subjectOf(id int64, person string) string {
	if person != "" {
		return personSubject(person)
	}
	return photoSubject(id)
}

// generation returns the number of the current link of a person's portrait, from 1;
// Rotate increments it.
func (tx *Tx) generation(accountID int64, person string) (n int64, err error) {
	err = tx.queryRow(`SELECT coalesce((SELECT generation FROM rotation WHERE account_id = ? AND person = ?), 1)`, accountID, person).Scan(&n)
	return n, err
}

func (tx *Tx) setLink(photoID, accountID int64, person string, generation int64) (string, error) {
	link, err := tx.s.link(accountID, subjectOf(photoID, person), generation)
	if err != nil {
		return "", err
	}
	return link, tx.execOne(`UPDATE photo SET link = ?, generation = ? WHERE id = ?`, link, generation, photoID)
}

// Rotate gives one photo a new link and returns it. The old link is invalid from the
// commit on and never used again. operator is the name for the activity, "" on the
// command line.
func (tx *Tx) Rotate(photoID int64, operator string) (string, error) {
	var accountID, generation int64
	var person string
	err := tx.queryRow(`SELECT account_id, coalesce(person, ''), generation FROM photo WHERE id = ?`, photoID).Scan(&accountID, &person, &generation)
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
		if _, err := tx.exec(`INSERT INTO rotation VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET generation = ?3`, accountID, person, generation); err != nil {
			return "", err
		}
	}
	link, err := tx.setLink(photoID, accountID, person, generation)
	if err != nil {
		return "", err
	}
	if err := tx.execOne(`UPDATE photo SET changed_at = ? WHERE id = ?`, stamp, photoID); err != nil {
		return "", err
	}
	return link, tx.photoEvent(photoID, EventRotated, "", operator)
}

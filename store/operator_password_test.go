package store

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Somebody who can read the catalogue cannot try passwords offline, and a hash that is
// copied to another operator's row is not accepted.
func TestPasswordsAreSealed(t *testing.T) {
	s := bareStore(t)
	ctx := t.Context()
	cheap, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(ctx, func(tx *Tx) error {
		return errors.Join(tx.AddOperator(Operator{Name: "eva"}, string(cheap)), tx.AddOperator(Operator{Name: "otto"}, string(cheap)))
	}); err != nil {
		t.Fatal(err)
	}
	stored, err := column[string](t.Context(), s.read, `SELECT password FROM operator`)
	if err != nil || len(stored) != 2 || stored[0] == stored[1] {
		t.Errorf("%q %v", stored, err)
	}
	for _, text := range stored {
		if strings.Contains(text, "$2") || bcrypt.CompareHashAndPassword([]byte(text), []byte("correct horse")) == nil {
			t.Errorf("in the catalogue: %s", text)
		}
	}
	if _, err := s.LogIn(ctx, "eva", "correct horse"); err != nil {
		t.Error(err)
	}
	if _, err := s.write.Exec(`UPDATE operator SET password = (SELECT password FROM operator WHERE name = 'otto') WHERE name = 'eva'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.LogIn(ctx, "eva", "correct horse"); err == nil || !strings.Contains(err.Error(), "operator passwd") {
		t.Errorf("with another's hash: %v", err)
	}
	s.key = newLinkKey()
	if _, err := s.LogIn(ctx, "otto", "correct horse"); err == nil || !strings.Contains(err.Error(), "operator passwd") {
		t.Errorf("with another key: %v", err)
	}
}

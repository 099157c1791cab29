package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"picday/internal/failure"
	"picday/store"
)

// CheckLogin refuses what cannot be the name of a new operator or token.
func CheckLogin(name string) error {
	if !store.ValidLogin(name) {
		return failure.Usagef("%q cannot be a name: use 1 to 64 letters, digits and . _ @ + -, beginning with a letter or digit", name)
	}
	return nil
}

// AddOperator enters a log-in for the administration pages. email is where it gets mail
// about all that it sees; "" for nowhere.
func AddOperator(ctx context.Context, s *store.Store, o store.Operator, password, email string) error {
	hash, err := store.HashPassword(password)
	if err != nil {
		return failure.Usage(err)
	}
	if email != "" && !store.ValidAddress(email) {
		return failure.Usagef("%q is no address for mail: give one such as eva@example.com", email)
	}
	return update(ctx, s, "operator", o.Name, func(tx *store.Tx) error {
		return errors.Join(tx.AddOperator(o, hash), tx.SetAddress(o.Name, email))
	})
}

// SetOperatorPassword sets a new password and ends every session of the operator.
func SetOperatorPassword(ctx context.Context, s *store.Store, name, password string) error {
	hash, err := store.HashPassword(password)
	if err != nil {
		return failure.Usage(err)
	}
	return update(ctx, s, "operator", name, func(tx *store.Tx) error { return tx.SetOperatorPassword(name, hash) })
}

// SetOperatorRole gives an operator another role, also in open sessions.
func SetOperatorRole(ctx context.Context, s *store.Store, name string, role store.Role) error {
	if !slices.Contains(store.Roles, role) {
		return failure.Usagef("%q is no role: use look, work or admin", string(role))
	}
	return update(ctx, s, "operator", name, func(tx *store.Tx) error { return tx.SetOperatorRole(name, role) })
}

// RemoveOperator ends a log-in, and every session of it.
func RemoveOperator(ctx context.Context, s *store.Store, name string) error {
	return update(ctx, s, "operator", name, func(tx *store.Tx) error { return tx.RemoveOperator(name) })
}

// AddToken makes a token for the API, and returns its secret.
func AddToken(ctx context.Context, s *store.Store, t store.Token) (secret string, err error) {
	err = update(ctx, s, "token", t.Name, func(tx *store.Tx) (err error) {
		secret, err = tx.AddToken(t)
		return err
	})
	return secret, err
}

// RemoveToken revokes a token.
func RemoveToken(ctx context.Context, s *store.Store, name string) error {
	return update(ctx, s, "token", name, func(tx *store.Tx) error { return tx.RemoveToken(name) })
}

// update changes operators or tokens; what is the one with that name.
func update(ctx context.Context, s *store.Store, what, name string, change func(*store.Tx) error) error {
	err := s.Update(ctx, change)
	switch {
	case errors.Is(err, store.ErrTaken):
		return fmt.Errorf("the %s %s exists already: choose another name, or first 'picday %[1]s remove %[2]s'", what, name)
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("there is no %s %q: %w: see 'picday %[1]s list'", what, name, err)
	}
	return err
}

package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strings"

	"picday/store"
)

// staff are the log-ins of the pages and the tokens that an operator may see: an
// operator of one account those of that account. Others are not found.
type staff interface {
	Operators(ctx context.Context) ([]store.Operator, error)
	Tokens(ctx context.Context) ([]store.Token, error)
	// AddOperator returns the password, which nobody can ask for again. account may be
	// empty for all accounts, if the operator sees all.
	AddOperator(ctx context.Context, name, account string, role store.Role) (password string, err error)
	NewPassword(ctx context.Context, name string) (password string, err error)
	SetRole(ctx context.Context, name string, role store.Role) error
	RemoveOperator(ctx context.Context, name string) error
	// AddToken returns the token, which nobody can ask for again.
	AddToken(ctx context.Context, name, account string) (token string, err error)
	RemoveToken(ctx context.Context, name string) error
	// OwnAddress is where the operator gets mail, SetOwnAddress changes it; "" = nowhere.
	OwnAddress(ctx context.Context) (string, error)
	SetOwnAddress(ctx context.Context, address string) error
	// ChangeOwnPassword ends all sessions and returns the cookie of a new one. old is
	// checked as at the log-in.
	ChangeOwnPassword(r *http.Request, old, password string) (cookie string, err error)
}

// staffInView is staff as one operator may see it.
type staffInView struct {
	g  *gate
	by store.Operator
}

func (g *gate) staffOf(o store.Operator) staff { return staffInView{g, o} }

func (s staffInView) in(accountID int64) bool {
	return s.by.AccountID == 0 || s.by.AccountID == accountID
}

func (s staffInView) Operators(ctx context.Context) ([]store.Operator, error) {
	all, err := s.g.Store.Operators(ctx)
	return slices.DeleteFunc(all, func(o store.Operator) bool { return !s.in(o.AccountID) }), err
}

func (s staffInView) Tokens(ctx context.Context) ([]store.Token, error) {
	all, err := s.g.Store.Tokens(ctx)
	return slices.DeleteFunc(all, func(t store.Token) bool { return !s.in(t.AccountID) }), err
}

// account finds the account that a new log-in is for.
func (s staffInView) account(ctx context.Context, name string) (id int64, err error) {
	if name = cmp.Or(name, s.by.Account); name == "" {
		return 0, nil
	}
	acct, err := s.g.Store.View(s.by.AccountID).Account(ctx, name)
	return acct.ID, err
}

// change changes an operator or a token that is in view, and says so in the log.
func (s staffInView) change(ctx context.Context, what, name string, inView bool, change func(*store.Tx) error) error {
	if !inView {
		return store.ErrNotFound
	}
	err := s.g.Writer.Do(context.WithoutCancel(ctx), change)
	if errors.Is(err, store.ErrTaken) {
		return refuse(http.StatusConflict, "There is another one of the name %s: choose another name.", name)
	}
	if err == nil {
		s.g.Log.Info().Str("by", s.by.Name).Str("name", name).Msg(what)
	}
	return err
}

func (s staffInView) OwnAddress(ctx context.Context) (string, error) {
	all, err := s.g.Store.Mailboxes(ctx)
	for _, b := range all {
		if b.Operator == s.by.Name {
			return b.Address, err
		}
	}
	return "", err
}

func (s staffInView) SetOwnAddress(ctx context.Context, address string) error {
	if address != "" && !store.ValidAddress(address) {
		return refuse(http.StatusBadRequest, "That is no address for mail.")
	}
	return s.change(ctx, "another address for mail", s.by.Name, true, func(tx *store.Tx) error { return tx.SetAddress(s.by.Name, address) })
}

// other changes an operator who is in view and not the one who does it.
func (s staffInView) other(ctx context.Context, what, name string, change func(*store.Tx) error) error {
	if name == s.by.Name {
		return refuse(http.StatusConflict, "This is your own log-in. Somebody else who administers can do that, or root on the server.")
	}
	all, err := s.Operators(ctx)
	if err != nil {
		return err
	}
	return s.change(ctx, what, name, slices.ContainsFunc(all, func(o store.Operator) bool { return o.Name == name }), change)
}

func checkLogin(name string) error {
	if store.ValidLogin(name) {
		return nil
	}
	return refuse(http.StatusBadRequest, "That cannot be a name: use 1 to 64 letters, digits and . _ @ + -, beginning with a letter or digit.")
}

// newPassword is one that nobody can guess: 100 bits, and easy to type.
func newPassword() (password, hash string, err error) {
	password = strings.ToLower(rand.Text()[:20])
	hash, err = store.HashPassword(password)
	return password, hash, err
}

func (s staffInView) AddOperator(ctx context.Context, name, account string, role store.Role) (password string, err error) {
	if err := checkLogin(name); err != nil {
		return "", err
	}
	if !slices.Contains(store.Roles, role) {
		return "", refuse(http.StatusBadRequest, "There is no such role.")
	}
	id, err := s.account(ctx, account)
	if err != nil {
		return "", err
	}
	password, hash, err := newPassword()
	if err != nil {
		return "", err
	}
	return password, s.change(ctx, "an operator was added", name, true, func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: name, AccountID: id, Role: role}, hash)
	})
}

func (s staffInView) NewPassword(ctx context.Context, name string) (password string, err error) {
	password, hash, err := newPassword()
	if err != nil {
		return "", err
	}
	return password, s.other(ctx, "an operator has a new password", name, func(tx *store.Tx) error { return tx.SetOperatorPassword(name, hash) })
}

func (s staffInView) SetRole(ctx context.Context, name string, role store.Role) error {
	if !slices.Contains(store.Roles, role) {
		return refuse(http.StatusBadRequest, "There is no such role.")
	}
	return s.other(ctx, "an operator has another role", name, func(tx *store.Tx) error { return tx.SetOperatorRole(name, role) })
}

func (s staffInView) RemoveOperator(ctx context.Context, name string) error {
	return s.other(ctx, "an operator was removed", name, func(tx *store.Tx) error { return tx.RemoveOperator(name) })
}

func (s staffInView) AddToken(ctx context.Context, name, account string) (token string, err error) {
	if err := checkLogin(name); err != nil {
		return "", err
	}
	id, err := s.account(ctx, account)
	if err != nil {
		return "", err
	}
	err = s.change(ctx, "a token was added", name, true, func(tx *store.Tx) (err error) {
		token, err = tx.AddToken(store.Token{Name: name, AccountID: id})
		return err
	})
	return token, err
}

func (s staffInView) RemoveToken(ctx context.Context, name string) error {
	all, err := s.Tokens(ctx)
	if err != nil {
		return err
	}
	inView := slices.ContainsFunc(all, func(t store.Token) bool { return t.Name == name })
	return s.change(ctx, "a token was revoked", name, inView, func(tx *store.Tx) error { return tx.RemoveToken(name) })
}

func (s staffInView) ChangeOwnPassword(r *http.Request, old, password string) (cookie string, err error) {
	if _, err := s.g.check(r, s.by.Name, old); err != nil {
		return "", err
	}
	hash, err := store.HashPassword(password)
	if err != nil {
		return "", err
	}
	err = s.change(r.Context(), "an operator has changed the own password", s.by.Name, true, func(tx *store.Tx) (err error) {
		if err = tx.SetOperatorPassword(s.by.Name, hash); err == nil {
			cookie, err = tx.StartSession(s.by.Name, hash)
		}
		return err
	})
	return cookie, err
}

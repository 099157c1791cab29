package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"picday/internal/language"
	"picday/internal/layout"
)

func TestOperators(t *testing.T) {
	s := bareStore(t)
	do := func(fn func(*Tx) error) error { return s.Update(t.Context(), fn) }
	hash, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "short", string(make([]byte, 73))} {
		if _, err := HashPassword(bad); !errors.Is(err, ErrPassword) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
	add := func(tx *Tx) error { return tx.AddOperator(Operator{Name: "eva"}, hash) }
	if err := do(add); err != nil {
		t.Fatal(err)
	}
	if err := do(add); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	for password, want := range map[string]error{"correct horse": nil, "wrong horse": ErrNotFound, "": ErrNotFound} {
		if _, err := s.LogIn(t.Context(), "eva", password); !errors.Is(err, want) {
			t.Errorf("%q: %v", password, err)
		}
	}
	if _, err := s.LogIn(t.Context(), "otto", "nobody has this password"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	var cookie string
	start := func(later time.Duration) {
		t.Helper()
		if err := do(func(tx *Tx) (err error) {
			tx.now = tx.now.Add(later)
			cookie, err = tx.StartSession("eva", hash)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	is := func(want error, what string) {
		t.Helper()
		o, _, err := s.Session(t.Context(), cookie)
		if !errors.Is(err, want) || err == nil && o.Name != "eva" {
			t.Errorf("%s: %+v %v", what, o, err)
		}
	}
	start(0)
	is(nil, "fresh")
	if err := do(func(tx *Tx) error { return tx.EndSession(cookie) }); err != nil {
		t.Error(err)
	}
	is(ErrNotFound, "ended")
	start(0)
	other, err := HashPassword("another horse")
	if err != nil {
		t.Fatal(err)
	}
	if err := do(func(tx *Tx) error { return tx.SetOperatorPassword("eva", other) }); err != nil {
		t.Error(err)
	}
	is(ErrNotFound, "begun with the old password")
	if err := do(func(tx *Tx) (err error) { cookie, err = tx.StartSession("eva", hash); return err }); !errors.Is(err, ErrNotFound) {
		t.Errorf("with the old password: %v", err)
	}
	hash = other
	for password, want := range map[string]error{"another horse": nil, "correct horse": ErrNotFound} {
		if _, err := s.LogIn(t.Context(), "eva", password); !errors.Is(err, want) {
			t.Errorf("%q: %v", password, err)
		}
	}
	if err := do(func(tx *Tx) error { return tx.SetOperatorPassword("otto", other) }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	start(-SessionIdle - time.Minute)
	is(ErrNotFound, "idle")
	start(-SessionLife - time.Minute)
	if err := do(func(tx *Tx) error { return tx.SeenSession(cookie) }); err != nil {
		t.Error(err)
	}
	is(ErrNotFound, "too old")
	start(0)
	if err := do(func(tx *Tx) error { return tx.RemoveOperator("eva") }); err != nil {
		t.Error(err)
	}
	is(ErrNotFound, "removed")
	if err := do(func(tx *Tx) error { return tx.RemoveOperator("eva") }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestTokens(t *testing.T) {
	s := bareStore(t)
	var secret, second string
	if err := s.Update(t.Context(), func(tx *Tx) (err error) {
		if secret, err = tx.AddToken(Token{Name: "till"}); err == nil {
			second, err = tx.AddToken(Token{Name: "shop"})
		}
		return err
	}); err != nil || secret == second || len(secret) < 40 {
		t.Fatalf("%q %q %v", secret, second, err)
	}
	if err := s.Update(t.Context(), func(tx *Tx) error { _, err := tx.AddToken(Token{Name: "till"}); return err }); !errors.Is(err, ErrTaken) {
		t.Error(err)
	}
	for what, want := range map[string]string{secret: "till", second: "shop", "": "", secret + "x": "", "till": ""} {
		got, err := s.Token(t.Context(), what)
		if got.Name != want || (want == "") != errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %+v %v", what, got, err)
		}
	}
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.RemoveToken("till") }); err != nil {
		t.Error(err)
	}
	if _, err := s.Token(t.Context(), secret); !errors.Is(err, ErrNotFound) {
		t.Errorf("revoked: %v", err)
	}
}

// A log-in with an unknown name does the same work as one with a known name, so that the
// time of the answer does not tell whether there is such an operator.
func TestAnUnknownOperatorCostsTheSameWork(t *testing.T) {
	hash, err := HashPassword("somebody has this")
	if err != nil {
		t.Fatal(err)
	}
	somebody, err1 := bcrypt.Cost([]byte(hash))
	none, err2 := bcrypt.Cost([]byte(nobody()))
	if err1 != nil || err2 != nil || somebody != none || somebody < 12 {
		t.Errorf("%d %v, nobody %d %v", somebody, err1, none, err2)
	}
}

func TestOperatorRoles(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	hash, err := HashPassword("correct horse")
	w.must(err)
	w.tx(func(tx *Tx) error { return tx.AddOperator(Operator{Name: "eva"}, hash) })
	role := func() Role {
		all, err := w.s.Operators(t.Context())
		w.must(err)
		return all[0].Role
	}
	if role() != Work {
		t.Errorf("without a role: %q", role())
	}
	w.tx(func(tx *Tx) error { return tx.SetOperatorRole("eva", Look) })
	if role() != Look {
		t.Errorf("after the change: %q", role())
	}
	w.tx(func(tx *Tx) error { return tx.SetOperatorLanguage("eva", language.German) })
	if all, err := w.s.Operators(t.Context()); err != nil || all[0].Language != language.German {
		t.Errorf("%+v, %v", all, err)
	}
	err = w.s.Update(t.Context(), func(tx *Tx) error { return tx.SetOperatorRole("nobody", Look) })
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	for have, may := range map[Role]string{Look: "look", Work: "look work", Admin: "look work admin", "": "", "root": ""} {
		var got []string
		for _, need := range Roles {
			if have.May(need) {
				got = append(got, string(need))
			}
		}
		if strings.Join(got, " ") != may {
			t.Errorf("%q may %q", have, got)
		}
	}
}

package provision

import (
	"errors"
	"testing"

	"picday/internal/failure"
	"picday/store"
)

func TestOperators(t *testing.T) {
	x, _ := newAccounts(t)
	ctx, s := t.Context(), x.Store
	must(t, AddOperator(ctx, s, store.Operator{Name: "otto"}, "a long password", ""))
	is(t, "again", AddOperator(ctx, s, store.Operator{Name: "otto"}, "a long password", "").Error(),
		"the operator otto exists already: choose another name, or first 'picday operator remove otto'")
	if err := AddOperator(ctx, s, store.Operator{Name: "anna"}, "a long password", "no address"); !failure.IsUsage(err) {
		t.Errorf("no address: %v", err)
	}
	if err := AddOperator(ctx, s, store.Operator{Name: "anna"}, "short", ""); !failure.IsUsage(err) {
		t.Errorf("a short password: %v", err)
	}
	if err := SetOperatorPassword(ctx, s, "otto", "short"); !failure.IsUsage(err) {
		t.Errorf("a short password: %v", err)
	}
	must(t, SetOperatorPassword(ctx, s, "otto", "another password"))
	must(t, RemoveOperator(ctx, s, "otto"))
	for _, err := range []error{RemoveOperator(ctx, s, "otto"), SetOperatorPassword(ctx, s, "otto", "another password")} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		is(t, "nobody", err.Error(), `there is no operator "otto": not found: see 'picday operator list'`)
	}
}

func TestTokens(t *testing.T) {
	x, _ := newAccounts(t)
	ctx, s := t.Context(), x.Store
	secret, err := AddToken(ctx, s, store.Token{Name: "shop"})
	must(t, err)
	if found, err := s.Token(ctx, secret); err != nil || found.Name != "shop" {
		t.Errorf("%+v, %v", found, err)
	}
	_, err = AddToken(ctx, s, store.Token{Name: "shop"})
	is(t, "again", err.Error(), "the token shop exists already: choose another name, or first 'picday token remove shop'")
	must(t, RemoveToken(ctx, s, "shop"))
	is(t, "no token", RemoveToken(ctx, s, "shop").Error(), `there is no token "shop": not found: see 'picday token list'`)
	if CheckLogin("shop") != nil || !failure.IsUsage(CheckLogin("no good")) {
		t.Error("names are not checked")
	}
}

package store

import (
	"errors"
	"strings"
	"testing"

	"picday/internal/layout"
)

func TestOnlyASimilarNameIsOffered(t *testing.T) {
	names := []string{"acme", "lincoln", "job00001", "job00012"}
	for name, want := range map[string]string{
		"acm": ` (did you mean "acme"?)`, "acne": ` (did you mean "acme"?)`, "linclon": ` (did you mean "lincoln"?)`, "job0001": ` (did you mean "job00001"?)`,
		"smith": "", "me": "", "": "", "job": "",
	} {
		if got := hint(name, names); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := hint("x", nil); got != "" {
		t.Error(got)
	}
}

func TestWhoMistypesAJobOrAnAccountIsHelped(t *testing.T) {
	w := newWorld(t, layout.Jobs)
	w.put("job1/A/1.jpg", "one")
	w.settle()
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"an account":            {second(w.s.All().Account(t.Context(), "acne")), `account "acne": not found (did you mean "acme"?)`},
		"not another account's": {second(w.s.View(99).Account(t.Context(), "acne")), `account "acne": not found`},
		"a job":                 {w.s.All().CheckJob(t.Context(), "acme", "jub1"), `job "jub1" of account "acme": not found (did you mean "job`},
		"any account's job":     {w.s.All().CheckJob(t.Context(), "", "jub1"), `job "jub1": not found (did you mean "job`},
		"a part of a name":      {w.s.All().CheckJob(t.Context(), "", "job"), `job "job": not found (did you mean "job`},
	} {
		if !errors.Is(c.err, ErrNotFound) || !strings.HasPrefix(c.err.Error(), c.want) {
			t.Errorf("%s: %v", what, c.err)
		}
	}
	for _, account := range []string{"", "acme"} {
		if err := errors.Join(w.s.All().CheckJob(t.Context(), account, "job1"), w.s.All().CheckJob(t.Context(), account, "")); err != nil {
			t.Error(err)
		}
	}
}

func second(_ Account, err error) error { return err }

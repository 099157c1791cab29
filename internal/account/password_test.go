package account

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadPasswordTakesTheFirstLine(t *testing.T) {
	for in, want := range map[string]string{"one": "one", "one\n": "one", "one\r\ntwo\n": "one", " a b \n": " a b "} {
		if got, err := ReadPassword(strings.NewReader(in)); err != nil || got != want {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "\n", "\r\n"} {
		if _, err := ReadPassword(strings.NewReader(in)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", in, err)
		}
	}
	broken := errors.New("broken")
	if _, err := ReadPassword(iotest.ErrReader(broken)); !errors.Is(err, broken) || errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

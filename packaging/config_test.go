// Package packaging_test proves the packages: that what they say of the
// configuration is so, that they are built the same everywhere, and that a
// booted Debian can be given one, upgraded, and rid of it again.
package packaging_test

import (
	"bytes"
	"os"
	"testing"

	"picday/internal/config"
)

// The conffile names every key, and what it says holds without it does: it is
// made from the configuration's own tags and defaults, which are tested there.
func TestConffileIsTheDefaults(t *testing.T) {
	shipped, err := os.ReadFile("picday.toml")
	must(t, err)
	if want := config.Sample(); !bytes.Equal(shipped, want) {
		t.Errorf("a key, its meaning or its default has changed: go run ./cmd/picday manual picday.toml >packaging/picday.toml")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package store

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "write sql/schema.sums")

// TestSchemaSums: the sums are those of the schema, so that a program compares with it
// without making a catalogue.
func TestSchemaSums(t *testing.T) {
	rows, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	text, err := sqlFiles.ReadFile("sql/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%x %s\n", sha256.Sum256(text), sumOf(rows))
	if *update {
		if err := os.WriteFile("sql/schema.sums", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if sums != want || knownSum() != sumOf(rows) {
		t.Errorf("sql/schema.sums is of another schema: go generate ./store")
	}
	other := slices.Clone(rows)
	other[0].text += " "
	if sumOf(other) == knownSum() {
		t.Error("a schema with a blank more has the same sum")
	}
}

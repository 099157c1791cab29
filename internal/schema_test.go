package internal_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestSchemaSums: who changes the schema writes its sums, too.
func TestSchemaSums(t *testing.T) {
	schema, err := os.ReadFile("store/sql/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("store/sql/schema.sums")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(sums), fmt.Sprintf("%x ", sha256.Sum256(schema))) {
		t.Error("store/sql/schema.sql has changed: go generate ./store")
	}
}

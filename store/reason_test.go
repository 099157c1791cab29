package store

import (
	"strings"
	"testing"

	"picday/internal/layout"
)

// The message of an incomplete file advises against resuming, because resuming after the
// disk was full leaves a hole in the file.
func TestIncompleteAdvice(t *testing.T) {
	text := layout.Incomplete.Message()
	for _, want := range []string{"connection was cut, resume", "disk is full, delete the file and upload it again"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

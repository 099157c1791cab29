package store

import (
	"strings"
	"testing"
)

// After a full disk, resuming leaves a hole: the advice is not to resume
// whatever has happened.
func TestIncompleteAdvice(t *testing.T) {
	text := Incomplete.Message()
	for _, want := range []string{"connection was cut, resume", "disk is full, delete the file and upload it again"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}

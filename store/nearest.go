package store

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
)

// hint is the end of a sentence that says that there is no such name: it names the most
// similar one of those that there are. It is empty if none is similar.
func hint(name string, names []string) string {
	nearest, least := "", math.MaxInt
	for _, n := range names {
		if d := levenshtein.ComputeDistance(name, n); d < least {
			nearest, least = n, d
		}
	}
	if nearest == "" || least > max(1, utf8.RuneCountInString(name)/3) {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", nearest)
}

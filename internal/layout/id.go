package layout

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// DefaultIDPattern is what a portrait's ID must look like unless the account says
// otherwise.
const DefaultIDPattern = `[0-9]{1,32}`

// MaxIDPattern is the longest pattern CompileID takes, in bytes. IDs are file
// names, at most 255 bytes long; a longer pattern is a mistake.
const MaxIDPattern = 200

var defaultID = mustCompileID(DefaultIDPattern)

// CompileID turns an account's ID pattern (RE2 syntax) into an expression that
// matches a whole ID and nothing less. It refuses a pattern that is empty or
// longer than [MaxIDPattern], that matches the empty string, or in which any part
// can match '/' or a control character, newline among them: so `.` and `[^x]` are
// refused, and `[A-Za-z0-9_-]{1,32}` is taken.
func CompileID(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, errors.New("ID pattern is empty")
	}
	if len(pattern) > MaxIDPattern {
		return nil, fmt.Errorf("ID pattern is %d bytes long, at most %d are allowed", len(pattern), MaxIDPattern)
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("ID pattern %q: %w", pattern, err)
	}
	if c, bad := matchesUnplain(tree); bad {
		return nil, fmt.Errorf("ID pattern %q can match %q: say which characters are allowed, for example [A-Za-z0-9_-]{1,32}", pattern, c)
	}
	// The parsed form is anchored, not the text: `\Q12` is complete on its own but
	// would swallow whatever is written behind it.
	re, err := regexp.Compile(`\A(?:` + tree.String() + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("ID pattern %q: %w", pattern, err)
	}
	if re.MatchString("") {
		return nil, fmt.Errorf("ID pattern %q matches an empty ID", pattern)
	}
	return re, nil
}

func mustCompileID(pattern string) *regexp.Regexp {
	re, err := CompileID(pattern)
	if err != nil {
		panic(err)
	}
	return re
}

// matchesUnplain looks for a part of the expression that can match a character
// which no ID may contain, and returns the first such character.
func matchesUnplain(re *syntax.Regexp) (rune, bool) {
	switch re.Op {
	case syntax.OpAnyChar:
		return '\n', true
	case syntax.OpAnyCharNotNL:
		return '/', true
	case syntax.OpLiteral:
		for _, c := range re.Rune {
			if unplain(c) {
				return c, true
			}
		}
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			lo, hi := re.Rune[i], re.Rune[i+1]
			// Control characters are 00–1f and 7f–9f; looking at the low end, at
			// '/' and at 7f and 9f finds every range that touches them.
			for _, c := range [...]rune{lo, '/', 0x7f, 0x9f} {
				if lo <= c && c <= hi && unplain(c) {
					return c, true
				}
			}
		}
	}
	for _, sub := range re.Sub {
		if c, bad := matchesUnplain(sub); bad {
			return c, true
		}
	}
	return 0, false
}

func unplain(c rune) bool { return c == '/' || unicode.IsControl(c) }

// person returns the ID that name, a file name without its extension, stands for.
// An ID with accents is one ID whether it was typed on a Mac or on Windows,
// therefore NFC; for plain ASCII that changes nothing.
func (r Rules) person(name string) (string, bool) {
	re := r.ID
	if re == nil {
		re = defaultID
	}
	if name == "" || !utf8.ValidString(name) || Shown(name) != norm.NFC.String(name) {
		return "", false
	}
	id := norm.NFC.String(name)
	// CompileID anchors; an expression from elsewhere must still match all of it.
	loc := re.FindStringIndex(id)
	if loc == nil || loc[0] != 0 || loc[1] != len(id) {
		return "", false
	}
	return id, true
}

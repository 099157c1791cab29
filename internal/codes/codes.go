// Package codes makes and compares the codes on the cards by which subjects are told
// apart.
package codes

import (
	"crypto/rand"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// alphabet has the letters and digits of QR's alphanumeric mode that nobody mistakes for
// another one of it, printed or in handwriting: no 0 or O, 1, I or L, 2 or Z, 5 or S, 8 or B,
// U or V.
const alphabet = "34679ACDEFGHJKMNPQRTWXY"

const (
	groups    = 3
	groupSize = 4
)

// New returns a code that nobody can guess: three groups of four characters, 54 bits.
// With its hyphens it is 14 characters long, and a QR code of version 2, level H holds 20.
func New() string {
	var b strings.Builder
	for i := range groups * groupSize {
		if i > 0 && i%groupSize == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[below(len(alphabet))])
	}
	return b.String()
}

// below returns a random number below n, each equally likely.
func below(n int) int {
	var b [1]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if limit := 256 / n * n; int(b[0]) < limit {
			return int(b[0]) % n
		}
	}
}

// Longest is the length of the longest code, in bytes.
const Longest = 100

// ErrInvalid is returned by Check.
var ErrInvalid = errors.New("a code has 1 to 100 printable characters, the first and the last of them no space")

// Check returns ErrInvalid if text cannot be a code.
func Check(text string) error {
	if text == "" || len(text) > Longest || !utf8.ValidString(text) || strings.TrimSpace(text) != text ||
		strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ErrInvalid
	}
	return nil
}

// Key returns the form in which two texts are the same code: QR's alphanumeric mode has no
// small alphabet, and people type codes in any.
func Key(text string) string { return strings.ToUpper(strings.TrimSpace(text)) }

// Typed returns the keys that a person may have meant: the text, and for one of ours the
// code with its hyphens in their places.
func Typed(text string) []string {
	keys := []string{Key(text)}
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(alphabet, r) {
			return r
		}
		return -1
	}, keys[0])
	rest := strings.NewReplacer("-", "", " ", "", ".", "").Replace(keys[0])
	if len(plain) != groups*groupSize || rest != plain {
		return keys
	}
	var parts []string
	for i := 0; i < len(plain); i += groupSize {
		parts = append(parts, plain[i:i+groupSize])
	}
	if ours := strings.Join(parts, "-"); ours != keys[0] {
		keys = append(keys, ours)
	}
	return keys
}

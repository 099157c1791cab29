package account

import (
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"picday/layout"
	"picday/store"
)

// ValidName tells why a name cannot be an account's. Whether the machine has
// a Unix user of that name already is looked at when the account is added.
func ValidName(name string) error {
	if err := store.ValidName(name); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// ValidJobName tells why a name cannot be a job's. A job name is a folder that
// photographers see in every kind of client, so it must survive all of them.
func ValidJobName(name string) error {
	bad := func(why string) error { return invalid("%q cannot be a job name: %s", name, why) }
	switch {
	case name == "":
		return invalid("a job needs a name")
	case len(name) > 100:
		return bad("it is longer than 100 bytes")
	case !utf8.ValidString(name):
		return bad("it is not UTF-8")
	case name[0] == '.' || name[0] == '-':
		return bad("it begins with a dot (hidden) or a dash (an option)")
	case strings.TrimSpace(name) != name:
		return bad("it begins or ends with a space")
	case strings.HasSuffix(name, "."):
		return bad("it ends with a dot, which Windows cannot show")
	case layout.IsNoise(name):
		return bad("clients use such names for temporary and hidden files, and picday ignores them")
	case layout.Shown(name) != name:
		return bad("its accents are in decomposed Unicode; type it anew")
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune(" ._-", r) {
			return bad("use letters, digits, spaces, dots, dashes and underscores")
		}
	}
	return nil
}

// ParseAllow is store.ParseNetworks for what an admin has typed.
func ParseAllow(list []string) ([]netip.Prefix, error) {
	networks, err := store.ParseNetworks(list)
	if err != nil {
		return nil, invalid("%v", err)
	}
	return networks, nil
}

// passwordLetters leaves out what is mistaken for something else on paper.
const passwordLetters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// NewPassword makes a password of 115 bits that survives being read out.
func NewPassword() string {
	letters := make([]byte, 0, 20)
	for len(letters) < cap(letters) {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails
		for _, c := range b {
			// Reject the tail, or the first letters would be more likely.
			if limit := 256 - 256%len(passwordLetters); int(c) < limit && len(letters) < cap(letters) {
				letters = append(letters, passwordLetters[int(c)%len(passwordLetters)])
			}
		}
	}
	var parts []string
	for part := range slices.Chunk(letters, 5) {
		parts = append(parts, string(part))
	}
	return strings.Join(parts, "-")
}

func validPassword(pw string) error {
	switch {
	case utf8.RuneCountInString(pw) < 8:
		return invalid("the password is shorter than 8 characters")
	case len(pw) > 256:
		return invalid("the password is longer than 256 bytes")
	case !utf8.ValidString(pw) || strings.ContainsFunc(pw, unicode.IsControl):
		return invalid("the password has control characters in it or is not UTF-8; many SFTP clients cannot send it")
	}
	return nil
}

package account

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"picday/internal/layout"
	"picday/store"
)

// ValidName returns why a name cannot be an account's, or nil. Whether the machine
// has a Unix user of that name is checked when the account is added.
func ValidName(name string) error {
	if err := store.ValidName(name); err != nil {
		return invalid("%v", err)
	}
	return nil
}

// ValidJobName returns why a name cannot be a job's, or nil. A job name is a folder
// that photographers see in all kinds of clients, so all of them must be able to
// show it.
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
	case strings.EqualFold(name, layout.Receipts):
		return bad("it is that of the folder in which uploaders find their receipts")
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

// ParseAllow is store.ParseNetworks for what an admin has typed; its errors are
// ErrInvalid.
func ParseAllow(list []string) ([]netip.Prefix, error) {
	networks, err := store.ParseNetworks(list)
	if err != nil {
		return nil, invalid("%v", err)
	}
	return networks, nil
}

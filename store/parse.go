package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"picday/layout"
)

// The tool runs as root, and the catalogue is the daemon's: whoever has taken
// the daemon over can write anything into it. So whatever is read from an
// account's row is parsed into its type right here, and what does not parse
// does not come out. One such row must not hide the others, nor keep anybody
// from closing accounts; so it is no error of the reader's, but a Flaw.

// Nowhere is the allowlist of an account whose own cannot be read: the prefix
// of an address that nobody has. None would mean from anywhere.
var Nowhere = netip.MustParsePrefix("0.0.0.0/32")

// A Flaw is a value of an account's row that picday cannot have written. The
// account holds nothing in its place, or Nowhere: an account with a flaw may be closed and
// shown, and never be opened or written into another program's configuration.
type Flaw struct {
	Column string // of the table account
	Why    string // a sentence, safe to print
}

// The columns that can have a flaw.
const (
	NameColumn      = "name"
	LayoutColumn    = "layout"
	IDPatternColumn = "id_pattern"
	AllowFromColumn = "allow_from"
)

// Flawed tells what is wrong with the account's row, and what to do; nil if
// nothing is.
func (a Account) Flawed() error {
	if len(a.Flaws) == 0 {
		return nil
	}
	var all []string
	for _, f := range a.Flaws {
		all = append(all, f.Column+": "+f.Why)
	}
	who := fmt.Sprintf("the account %s", a.Name)
	fix := fmt.Sprintf("set its networks anew with \"picday account allow %s NETWORK...\"", a.Name)
	if slices.ContainsFunc(a.Flaws, func(f Flaw) bool { return f.Column == NameColumn }) {
		who = fmt.Sprintf("the account number %d", a.ID)
	}
	if !a.Readable() {
		fix = "restore the catalogue from a backup"
	}
	return fmt.Errorf("the catalogue was damaged, or somebody else than picday has written into it: %s cannot have been entered like this (%s). Closing accounts still works. To go on, %s; and find out who wrote there",
		who, strings.Join(all, "; "), fix)
}

// Readable tells whether it is known where the account's uploads are, and what
// they mean. That does not depend on who may log in.
func (a Account) Readable() bool {
	return !slices.ContainsFunc(a.Flaws, func(f Flaw) bool { return f.Column != AllowFromColumn })
}

// parse fills in what the row says, as far as it can be true.
func (a *Account) parse(name, kind, idPattern, allow string) {
	flaw := func(column string, err error) { a.Flaws = append(a.Flaws, Flaw{column, err.Error()}) }
	if err := ValidName(name); err != nil {
		flaw(NameColumn, err)
	} else {
		a.Name = name
	}
	switch l := Layout(kind); l {
	case Jobs, Portraits:
		a.Layout = l
	default:
		flaw(LayoutColumn, fmt.Errorf("%s is no layout", brief(kind)))
	}
	if _, err := layout.CompileID(idPattern); err != nil && (idPattern != "" || a.Layout == Portraits) {
		flaw(IDPatternColumn, fmt.Errorf("%s is no pattern of IDs", brief(idPattern)))
	} else {
		a.IDPattern = idPattern
	}
	var list []string
	err := json.Unmarshal([]byte(allow), &list)
	if err != nil || list == nil {
		err = fmt.Errorf("%s is no list of networks", brief(allow))
	} else {
		a.AllowFrom, err = ParseNetworks(list)
	}
	if err != nil {
		a.AllowFrom = []netip.Prefix{Nowhere}
		flaw(AllowFromColumn, err)
	}
}

// brief is a value as it can be put into a sentence, whatever it is.
func brief(text string) string {
	if len(text) > 60 {
		return fmt.Sprintf("%+.60q…", text[:60])
	}
	return fmt.Sprintf("%+q", text)
}

var nameRE = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

// ValidName tells why a name cannot be an account's.
func ValidName(name string) error {
	switch {
	case !nameRE.MatchString(name):
		return fmt.Errorf("%s cannot be an account name: use 2 to 31 of a-z, 0-9 and -, beginning with a letter", brief(name))
	case name == "picday" || name == "picday-sftp":
		return fmt.Errorf("%q cannot be an account name: it is picday's own", name)
	}
	return nil
}

// maxNetworks is far beyond what one customer has: sshd goes through all of
// them at every log-in.
const maxNetworks = 1000

// ParseNetworks reads networks and single addresses and returns them canonical,
// sorted and without duplicates. A network with host bits set is refused, not
// widened: whoever wrote 203.0.113.7/24 may have meant one address.
func ParseNetworks(list []string) (networks []netip.Prefix, err error) {
	for _, text := range list {
		p, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		networks = append(networks, p)
	}
	slices.SortFunc(networks, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	networks = slices.Compact(networks)
	if len(networks) > maxNetworks {
		return nil, fmt.Errorf("%d networks are too many: give at most %d, wider ones", len(networks), maxNetworks)
	}
	return networks, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	bad := errors.New(brief(text) + " is not a network: write for example 203.0.113.0/24, 2001:db8::/32 or a single address")
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, bad
		}
		addr = addr.Unmap() // sshd sees IPv4 clients as IPv4, also on an IPv6 socket
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, bad
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, bad
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("%s is an address inside a network: write %s for the network, or %s for the one address",
			text, p.Masked(), p.Addr())
	}
	return p, nil
}

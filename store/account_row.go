package store

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"picday/internal/layout"
)

// The tool runs as root, but the daemon owns the catalogue, so an attacker who controls
// the daemon can write anything into it. Therefore every value of an account's row is
// parsed here, and an invalid one is left out. It is recorded as a Flaw instead of
// returned as an error, because one bad row must not hide the other accounts or prevent
// that they are closed.

// Nowhere is the allowlist of an account with an unreadable one: no client has this
// address. An empty allowlist would mean every address.
var Nowhere = netip.MustParsePrefix("0.0.0.0/32")

// A Flaw is a value of an account's row that picday cannot have written. The account's
// field is empty instead, or Nowhere. An account with a flaw may be shown and closed, but
// never opened or written into another program's configuration.
type Flaw struct {
	Column string // of the table account, or LoginColumn
	Why    string // a sentence, safe to print
	fix    string // a command that mends it, in a sentence; "" = none does
}

// The columns that can have a flaw.
const (
	NameColumn      = "name"
	LayoutColumn    = "layout"
	IDPatternColumn = "id_pattern"
	AllowFromColumn = "allow_from"
	LoginColumn     = "log-ins" // the rows of the table login
)

// Flawed returns an error that says what is wrong with the account's row and what to do,
// nil if the row is valid.
func (a Account) Flawed() error {
	if len(a.Flaws) == 0 {
		return nil
	}
	var all []string
	for _, f := range a.Flaws {
		all = append(all, f.Column+": "+f.Why)
	}
	who := fmt.Sprintf("the account %s", a.Name)
	if slices.ContainsFunc(a.Flaws, func(f Flaw) bool { return f.Column == NameColumn }) {
		who = fmt.Sprintf("the account number %d", a.ID)
	}
	return fmt.Errorf("the catalogue was damaged, or somebody else than picday has written into it: %s cannot have been entered like this (%s). Closing accounts still works. To go on, %s; and find out who wrote there",
		who, strings.Join(all, "; "), a.fix())
}

// fix says what makes the row valid again.
func (a Account) fix() string {
	var all []string
	for _, f := range a.Flaws {
		if f.fix == "" {
			return "restore the catalogue from a backup"
		}
		all = append(all, f.fix)
	}
	return strings.Join(all, ", and ")
}

// Readable tells whether the name, the layout and the ID pattern of the row are valid, so
// that the uploads can be processed. A flaw of the allowlist or of a log-in does not matter
// for that.
func (a Account) Readable() bool {
	return !slices.ContainsFunc(a.Flaws, func(f Flaw) bool { return f.Column != AllowFromColumn && f.Column != LoginColumn })
}

// parse fills in what the row says, as far as it can be true.
func (a *Account) parse(name, kind, idPattern, allow string) {
	flaw := func(column string, err error) { a.Flaws = append(a.Flaws, Flaw{Column: column, Why: err.Error()}) }
	if err := ValidName(name); err != nil {
		flaw(NameColumn, err)
	} else {
		a.Name = name
	}
	switch l := layout.Kind(kind); l {
	case layout.Jobs, layout.Portraits:
		a.Layout = l
	default:
		flaw(LayoutColumn, fmt.Errorf("%s is no layout", brief(kind)))
	}
	if _, err := layout.CompileID(idPattern); err != nil && (idPattern != "" || a.Layout == layout.Portraits) {
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
		a.Flaws = append(a.Flaws, Flaw{AllowFromColumn, err.Error(), fmt.Sprintf("set its networks anew with \"picday account allow %s NETWORK...\"", a.Name)})
	}
}

// brief shortens and escapes a value of any content, so that it can be printed.
func brief(text string) string {
	if len(text) > 60 {
		return fmt.Sprintf("%+.60q…", text[:60])
	}
	return fmt.Sprintf("%+q", text)
}

var nameRE = regexp.MustCompile(`^[a-z][a-z0-9-]{1,30}$`)

// ValidName returns an error that says why a name cannot be an account's, else nil.
func ValidName(name string) error {
	switch {
	case !nameRE.MatchString(name):
		return fmt.Errorf("%s cannot be an account name: use 2 to 31 of a-z, 0-9 and -, beginning with a letter", brief(name))
	case name == "picday" || name == "picday-sftp":
		return fmt.Errorf("%q cannot be an account name: it is picday's own", name)
	}
	return nil
}

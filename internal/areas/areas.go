// Package areas has the names of folders that mean an area of an album, beside
// "individuals" and "group".
package areas

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The two areas, in the spelling that the rest of picday uses, whatever the folder is called.
const (
	Individuals = "individuals"
	Group       = "group"
)

// Names are further names of the folders.
type Names struct {
	Individuals []string `json:"individuals"`
	Group       []string `json:"group"`
}

// None tells whether there are no names.
func (n Names) None() bool { return len(n.Individuals)+len(n.Group) == 0 }

// Meanings maps folded names to areas. individuals and group themselves are not in it.
type Meanings map[string]string

// Of joins names. What a later one says counts more.
func Of(all ...Names) Meanings {
	m := Meanings{}
	for _, n := range all {
		for _, name := range n.Individuals {
			m[Fold(name)] = Individuals
		}
		for _, name := range n.Group {
			m[Fold(name)] = Group
		}
	}
	return m
}

// Area is the area that a folder's name means, "" if none. The name is as it is on disk.
func (m Meanings) Area(name string) string {
	if len(m) == 0 || !utf8.ValidString(name) {
		return ""
	}
	return m[Fold(name)]
}

// String is the same for equal meanings, and what Parse reads.
func (m Meanings) String() string {
	text, _ := json.Marshal(map[string]string(m)) // sorts the keys, and cannot fail for text
	return string(text)
}

// Parse is the inverse of String; what cannot be read means nothing.
func Parse(text string) Meanings {
	m := Meanings{}
	_ = json.Unmarshal([]byte(text), &m)
	return m
}

// Fold is equal for names that differ in case only, or in how Unicode composes them.
func Fold(name string) string { return norm.NFC.String(cases.Fold().String(norm.NFD.String(name))) }

// longest is how many bytes a name may have.
const longest = 100

// Check returns an error that says which name cannot be one.
func (n Names) Check() error {
	means := map[string]string{Individuals: Individuals, Group: Group}
	for _, list := range []struct {
		area  string
		names []string
	}{{Individuals, n.Individuals}, {Group, n.Group}} {
		for _, name := range list.names {
			if err := checkName(name); err != nil {
				return err
			}
			switch was := means[Fold(name)]; was {
			case "", list.area:
				means[Fold(name)] = list.area
			default:
				return fmt.Errorf("%q cannot mean %s and %s: keep it in one of the two lists", name, was, list.area)
			}
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return fmt.Errorf("%q is no name of a folder: it is empty", name)
	case strings.Contains(name, "/"):
		return fmt.Errorf("%q is no name of a folder: give one folder's name, without /", name)
	case strings.HasPrefix(name, "."):
		return fmt.Errorf("%q is no name of a folder for photos: what begins with a dot is not looked at", name)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("%q is no name of a folder: it has characters that cannot be typed", name)
	case len(name) > longest:
		return fmt.Errorf("%q is no name of a folder: use at most %d bytes", name, longest)
	}
	return nil
}

// Package names puts the names of jobs, albums, files and people in the order in which
// people look for them, and finds them by what people type.
//
// Keys and parts are stored in the catalogue, so the same name must give the same ones in
// every version of picday. They are therefore made here, from Unicode's decompositions,
// which never change, and not by a library of collations, whose keys change with its
// tables.
package names

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longest is how many bytes of a key, or of a part, are kept. Names that differ only
// behind it are in no particular order.
const longest = 120

// likeASCII are the letters that Unicode does not decompose, as people type them who do
// not have them on their keyboard.
var likeASCII = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ħ': "h"}

// plain returns a name in small letters without accents.
func plain(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(name) {
		if unicode.Is(unicode.Mn, r) {
			continue
		}
		r = unicode.ToLower(r)
		if as, ok := likeASCII[r]; ok {
			b.WriteString(as)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// Key returns a text by whose bytes names are ordered as people expect: 2 before 10, Ä
// beside A, capitals beside small letters, a name before the same with something behind
// it, and a file name by what is before its last dot first.
func Key(name string) string {
	var b strings.Builder
	text := plain(name)
	for text != "" {
		digits := len(text) - len(strings.TrimLeftFunc(text, isDigit))
		if digits == 0 {
			r, n := utf8.DecodeRuneInString(text)
			if r == '.' {
				r = '\x1f' // before everything that is written
			}
			b.WriteRune(r)
			text = text[n:]
			continue
		}
		// A number is ordered by its length first; 9 stands for "the next three digits
		// are the length".
		number := strings.TrimLeft(text[:digits], "0")
		if len(number) < 9 {
			b.WriteString(strconv.Itoa(len(number)))
		} else {
			b.WriteString("9" + strconv.Itoa(1000 + len(number))[1:])
		}
		b.WriteString(number)
		text = text[digits:]
	}
	return cut(b.String())
}

// Fold returns a name as it is compared with what people type: in small letters, without
// accents, with a single space for all that is neither letter nor digit.
func Fold(name string) string {
	return strings.Join(strings.FieldsFunc(plain(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }), " ")
}

// spelledOut are letters that people without them on their keyboard write as two.
var spelledOut = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "Å", "Aa", "Ø", "Oe")

// Spellings returns a name folded as its letters are without their accents, and, if that
// is something else, as they are spelled out: Müller is found as muller and as mueller.
func Spellings(name string) []string {
	all := []string{Fold(name)}
	if out := Fold(spelledOut.Replace(norm.NFC.String(name))); out != all[0] {
		all = append(all, out)
	}
	return all
}

// mostParts is how many words of a name can be found in each of its spellings.
const mostParts = 8

// Parts returns the texts by whose beginnings a name is found: each of its spellings from
// each of its words on, and from each number without its leading zeros.
func Parts(name string) (all []string) {
	for _, text := range Spellings(name) {
		all = partsOf(text, all)
	}
	return all
}

// partsOf adds those of one spelling that are not among all yet.
func partsOf(text string, all []string) []string {
	most := len(all) + mostParts
	add := func(part string) {
		part = cut(part)
		for _, have := range all {
			if have == part {
				return
			}
		}
		all = append(all, part)
	}
	was := ' '
	for i, r := range text {
		begins := r != ' ' && (was == ' ' || isDigit(was) != isDigit(r))
		was = r
		if !begins || text[i:] == "jpg" || text[i:] == "jpeg" {
			continue // what ends nearly every name finds nobody anything
		}
		if len(all) >= most {
			break
		}
		add(text[i:])
		if short := strings.TrimLeft(text[i:], "0"); short != "" && short[0] != ' ' {
			add(short)
		}
	}
	return all
}

// cut shortens a text to longest, between two runes.
func cut(text string) string {
	if len(text) <= longest {
		return text
	}
	n := longest
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

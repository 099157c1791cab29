package layout

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Names are compared without regard to ASCII case only, byte by byte. Unicode
// folding would find "desktop.ini" written with a Kelvin sign, and would need
// valid UTF-8, which a name on disk need not be.

// noiseNames are whole names, lower case; noiseSuffixes are endings. Dot files,
// with them "._*", ".DS_Store", ".in.*", "." and "..", are noise by their first
// byte. rclone's NAME.8hex.partial is caught by its ending.
var (
	noiseNames    = [...]string{"thumbs.db", "desktop.ini", "@eadir", "__macosx"}
	noiseSuffixes = [...]string{".filepart", ".partial", ".part", ".tmp"}
)

// IsNoise reports whether name, one element of a path, is something that clients
// and operating systems leave behind and that is neither photo nor problem. It
// holds for files and directories alike: nothing below a noise directory counts.
func IsNoise(name string) bool {
	if strings.HasPrefix(name, ".") {
		return true
	}
	for _, n := range noiseNames {
		if equalFold(name, n) {
			return true
		}
	}
	for _, s := range noiseSuffixes {
		if hasSuffixFold(name, s) {
			return true
		}
	}
	return false
}

// TrimJPEG returns name without its ".jpg", ".jpeg" or ".jfif" (what Windows calls
// the JPEGs that a browser saves), in any case, and whether it had one with
// something before it.
func TrimJPEG(name string) (string, bool) {
	for _, ext := range [...]string{".jpg", ".jpeg", ".jfif"} {
		if hasSuffixFold(name, ext) && len(name) > len(ext) {
			return name[:len(name)-len(ext)], true
		}
	}
	return name, false
}

// Shown is the form of a path or name for people, JSON, logs and terminals: NFC,
// valid UTF-8, on one line. Bytes that are not UTF-8, control characters, line
// and paragraph separators and the bidirectional overrides (which let a name
// pretend to have another ending) are replaced by their bytes as \xNN; so is the
// backslash of a name that really has such an escape in it. '/' stays.
//
// It cannot be turned back, because names that differ only in their Unicode form
// share a shown one: never open a file by it.
func Shown(path string) string {
	if isPlain(path) {
		return path
	}
	// Escape first: the other order leaves "\n" + U+0301 as `\x0a` + U+0301,
	// which is not NFC.
	return norm.NFC.String(escape(path))
}

func escape(s string) string {
	const hex = "0123456789abcdef"
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		c, size := utf8.DecodeRuneInString(s[i:])
		if hidden(c, size) || looksEscaped(s[i:]) {
			for _, x := range []byte(s[i : i+size]) {
				b.WriteString(`\x`)
				b.WriteByte(hex[x>>4])
				b.WriteByte(hex[x&15])
			}
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// hidden reports whether a rune must not reach a terminal as it is. Zero-width
// joiners stay: Persian and emoji need them.
func hidden(c rune, size int) bool {
	switch {
	case c == utf8.RuneError && size == 1, unicode.IsControl(c):
		return true
	case c == 0x2028, c == 0x2029, c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
		return true
	}
	return false
}

// looksEscaped reports whether s begins like an escape that we write.
func looksEscaped(s string) bool {
	const hex = "0123456789abcdef"
	return len(s) >= 4 && s[0] == '\\' && s[1] == 'x' && strings.IndexByte(hex, s[2]) >= 0 && strings.IndexByte(hex, s[3]) >= 0
}

// isPlain is true for printable ASCII, nearly every name there is. It keeps a
// scan of a million files from allocating.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e || s[i] == '\\' {
			return false
		}
	}
	return true
}

// equalFold: lower must be lower case ASCII.
func equalFold(s, lower string) bool {
	return len(s) == len(lower) && hasSuffixFold(s, lower)
}

func hasSuffixFold(s, lower string) bool {
	d := len(s) - len(lower)
	if d < 0 {
		return false
	}
	for i := range len(lower) {
		c := s[d+i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

package web

import "strings"

// linkLen is the length of every link, in hex digits.
const linkLen = 56

// parsePath takes a path apart: /<link>.jpg or /<link>/<rendition>.jpg. A path
// has one spelling: what is escaped, doubled or in capitals is another path,
// and not one of a picture.
func parsePath(path string) (link, rendition string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || len(rest) < linkLen || !isLink(rest[:linkLen]) {
		return "", "", false
	}
	link, rest = rest[:linkLen], rest[linkLen:]
	if rest, ok = strings.CutSuffix(rest, ".jpg"); !ok {
		return "", "", false
	}
	if rest == "" {
		return link, "", true
	}
	if rendition, ok = strings.CutPrefix(rest, "/"); !ok || !isRendition(rendition) {
		return "", "", false
	}
	return link, rendition, true
}

func isLink(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isRendition knows the names that the configuration allows.
func isRendition(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return s != ""
}

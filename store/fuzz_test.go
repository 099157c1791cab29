package store

import (
	"testing"
	"unicode/utf8"

	"picday/internal/codes"
)

// FuzzCodeOnACard: what a QR code says stands for texts that can be codes, and a new subject
// is made of a plain one only.
func FuzzCodeOnACard(f *testing.F) {
	for _, text := range []string{"K7Q2", "https://example.org/c/ABCD?x=1&y=%20", "http://[::1", "//", "a/b", "\xff\x00", "WIFI:S:x;;", " k7q2 ", "?=&=%zz"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all := candidates(text)
		if len(all) > len(text)+2 {
			t.Errorf("%d candidates of %d bytes", len(all), len(text))
		}
		for _, c := range all {
			if key := codes.Key(c); key == "" || !utf8.ValidString(key) || len(c) > len(text)+3 {
				t.Errorf("%q", c)
			}
		}
		if plainCode.MatchString(text) && codes.Check(text) != nil {
			t.Errorf("%q would be a code that is none", text)
		}
		for _, key := range codes.Typed(text) {
			if codes.Key(key) != key {
				t.Errorf("%q is no key", key)
			}
		}
	})
}

package codes

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestACodeFitsIntoASmallQRCodeAndIsNotRepeated(t *testing.T) {
	form := regexp.MustCompile(`^[34679AC-HJKMNPQRTWXY]{4}(-[34679AC-HJKMNPQRTWXY]{4}){2}$`)
	seen, used := map[string]bool{}, map[rune]bool{}
	for range 5000 {
		c := New()
		if !form.MatchString(c) || seen[c] || Check(c) != nil || Key(c) != c {
			t.Fatalf("%q", c)
		}
		seen[c] = true
		for _, r := range c {
			used[r] = true
		}
	}
	if len(used) != len(alphabet)+1 {
		t.Errorf("%d of %d characters are used", len(used)-1, len(alphabet))
	}
}

func TestATypedCodeIsFoundWithoutItsHyphens(t *testing.T) {
	for text, want := range map[string][]string{
		" k7qq-m4xf-9rtd ": {"K7QQ-M4XF-9RTD"},
		"k7qqm4xf9rtd":     {"K7QQM4XF9RTD", "K7QQ-M4XF-9RTD"},
		"K7QQ M4XF 9RTD":   {"K7QQ M4XF 9RTD", "K7QQ-M4XF-9RTD"},
		"1-23":             {"1-23"},
		"K7QQM4XF9RT/D":    {"K7QQM4XF9RT/D"},
	} {
		if got := Typed(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestOnlyPrintableTextIsACode(t *testing.T) {
	for _, text := range []string{"", " 1", "1 ", "a\nb", "\x00", "\xff", strings.Repeat("1", 101)} {
		if Check(text) == nil {
			t.Errorf("%q", text)
		}
	}
	for _, text := range []string{"1", "a b", "%S12", "Ü-1"} {
		if err := Check(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

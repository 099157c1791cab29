package layout

import (
	"regexp"
	"strings"
	"testing"
)

func TestCompileID(t *testing.T) {
	for pattern, cases := range map[string]struct{ yes, no []string }{
		DefaultIDPattern:   {[]string{"1", "007"}, []string{"", "a", "1a", "a1", "1\n"}},
		`^[0-9]+$`:         {[]string{"12"}, []string{"12a", "12\n"}},
		`a|ab`:             {[]string{"a", "ab"}, []string{"abc"}},
		`\Q1.2`:            {[]string{"1.2"}, []string{"1x2"}},
		`(?i)s[0-9]{3}`:    {[]string{"S123", "s123"}, []string{"s12"}},
		`[\pL-]+ [\pL-]+`:  {[]string{"Ann Müller"}, []string{"Ann"}},
		`\w{2,8}`:          {[]string{"a_1"}, []string{"a"}},
		`[0-9]{4}(-[A-Z])`: {[]string{"1234-A"}, []string{"1234"}},
	} {
		re, err := CompileID(pattern)
		if err != nil {
			t.Errorf("%q: %v", pattern, err)
			continue
		}
		r := Rules{Kind: Portraits, Account: "a", ID: re}
		for _, s := range cases.yes {
			if m := r.Of("a/user-pictures/" + s + ".jpg"); m.What != Picture || m.Person != s {
				t.Errorf("%q: %q gives %+v", pattern, s, m)
			}
		}
		for _, s := range cases.no {
			if re.MatchString(s) {
				t.Errorf("%q takes %q", pattern, s)
			}
		}
	}
}

func TestCompileIDRefuses(t *testing.T) {
	for _, pattern := range []string{
		"", "[0-9]*", "()", "a?", "(a|)", "(", ")|(", "a{2000}",
		".+", "(?s).+", "a.b", "[^x]+", `\D+`, `\s+`, `\S+`, "a/b", "[ -~]+", `[\x00-9]+`, "a\nb", `a\nb`, `[[:print:]]+`,
		`[\x80-\x90]`, `x(y(z|[+-0]))`, strings.Repeat("a", MaxIDPattern+1),
	} {
		if _, err := CompileID(pattern); err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
}

// An expression that did not come from CompileID is still matched whole, and a
// name that is not plain is no ID whatever the expression says.
func TestPersonIsPlain(t *testing.T) {
	r := Rules{Kind: Portraits, Account: "a", ID: regexp.MustCompile(`(?s).+`)}
	for _, bad := range []string{"1\n", "\xff1", "a\u202eb", "a\u0085"} {
		if m := r.Of("a/user-pictures/" + bad + ".jpg"); m.What != Problem || m.Reason != BadName || m.Person != "" {
			t.Errorf("%q gives %+v", bad, m)
		}
	}
	if m := r.Of("a/user-pictures/u\u0308.jpg"); m.Person != "\u00fc" {
		t.Errorf("decomposed ID gives %+v", m)
	}
	r.ID = regexp.MustCompile(`[0-9]`)
	if m := r.Of("a/user-pictures/12.jpg"); m.What != Problem {
		t.Errorf("partly matched ID gives %+v", m)
	}
}

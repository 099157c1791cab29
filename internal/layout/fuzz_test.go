package layout

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func FuzzOf(f *testing.F) {
	for _, s := range []string{
		"", "/", "..", "job/album/x.jpg", "job/A/GROUP/x.JPEG", "job/x.jpg", "a/user-pictures/0012.jpg", "a/user-pictures/.jpg",
		"job/Mu\u0308/x.jpg", "job/\xff\xfe/\n.jpg", "job/a/b/c/d/e/f.jpg", "job//x.jpg", "job/\u0344\u0301/x.jpg", "a/user-pictures/1\u0301.jpg",
		"job/" + strings.Repeat("\u0300", 70) + "/x.jpg",
	} {
		f.Add(s)
	}
	id, err := CompileID(`[\pL\pM0-9 ]+`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		shown := Shown(path)
		checkShown(t, shown)
		// What is shown twice says so; nothing else changes.
		if again := Shown(shown); again != shown && !strings.Contains(shown, `\x`) {
			t.Errorf("Shown(%q) = %q, shown again %q", path, shown, again)
		}
		for _, r := range []Rules{
			{Kind: Jobs, Account: "a"},
			{Kind: Portraits, Account: "a"},
			{Kind: Portraits, Account: "a", ID: id},
		} {
			m := r.Of(path)
			for _, s := range []string{m.Job, m.Album, m.Area, m.Person, m.File} {
				checkShown(t, s)
			}
			switch m.What {
			case Noise:
				if m != (Meaning{}) {
					t.Errorf("%q: noise with fields: %+v", path, m)
				}
			case Picture:
				if _, ok := TrimJPEG(path); !ok || m.Reason != "" || m.File == "" {
					t.Errorf("%q: %+v", path, m)
				}
				if r.Kind == Jobs && (m.Job == "" || m.Album == "" || m.Area != Individuals && m.Area != Group || m.Person != "") {
					t.Errorf("%q: %+v", path, m)
				}
				if r.Kind == Portraits && (m.Person == "" || m.Job != "" || m.Album != "") {
					t.Errorf("%q: %+v", path, m)
				}
			case Problem:
				if m.Reason == "" || m.Person != "" {
					t.Errorf("%q: %+v", path, m)
				}
			}
		}
	})
}

func checkShown(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		t.Errorf("%q is not fit to be shown", s)
	}
}

func FuzzCompileID(f *testing.F) {
	for _, s := range []string{DefaultIDPattern, `\Q`, `a|`, `(?i)x`, `[^/]`, `(?:`, `x{1,1000}`} {
		f.Add(s, "12")
	}
	f.Fuzz(func(t *testing.T, pattern, id string) {
		re, err := CompileID(pattern)
		if err != nil {
			return
		}
		if re.MatchString(id) && (id == "" || strings.ContainsAny(id, "/\n\x00\x7f")) {
			t.Errorf("pattern %q takes %q", pattern, id)
		}
	})
}

package names

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNamesAreInTheOrderOfPeople(t *testing.T) {
	want := []string{
		"", "Äffchen", "Ägypten", "Apfel", "apfel 2", "Banane",
		"Fuß", "Fußball", "Gruppe", "IMG_2.jpg", "IMG_2 (1).jpg", "img_10.jpg", "IMG_0100.jpg", "IMG_123456789.jpg", "IMG_1234567890.jpg",
		"Klasse 2", "Klasse 2a", "Klasse 10", "Klasse 10b", "Łukasz", "Lumen", "Übung", "Umlaut", "Z",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(Key(a), Key(b)) })
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if Key("Ägypten") != Key("A\u0308gypten") || Key("IMG_007.jpg") != Key("IMG_7.jpg") {
		t.Error("the same name, written otherwise, is elsewhere")
	}
}

func TestNamesAreFoundByTheirWords(t *testing.T) {
	for name, finds := range map[string][]string{
		"IMG_0440.jpg":         {"img", "IMG_04", "0440", "440", "440.jpg"},
		"Müller_Anna-Lena.JPG": {"muller", "Mueller", "MUELLER_anna", "Müller a", "anna", "lena", "MÜLLER ANNA"},
		"Klasse 10b":           {"klasse 1", "klasse 10b", "10", "10b", "b"},
		"Straße 007":           {"strasse", "Straße 0", "7", "007"},
		"Mueller":              {"mueller", "Müller", "Mu\u0308l"},
		"Öğün Ærø":             {"ogun", "oegu", "ærø", "aero", "aeroe"},
		"IMG4711":              {"img4", "4711"},
	} {
		for _, typed := range finds {
			if !slices.ContainsFunc(Parts(name), func(p string) bool {
				return slices.ContainsFunc(Spellings(typed), func(s string) bool { return strings.HasPrefix(p, s) })
			}) {
				t.Errorf("%q does not find %q: %q", typed, name, Parts(name))
			}
		}
	}
	if got := Parts("IMG_0440.jpg"); !slices.Equal(got, []string{"img 0440 jpg", "0440 jpg", "440 jpg"}) {
		t.Errorf("%q", got)
	}
	if got := Parts("Müll"); !slices.Equal(got, []string{"mull", "muell"}) {
		t.Errorf("%q", got)
	}
	if n := len(Parts(strings.Repeat("a ", 100))); n > mostParts+1 {
		t.Errorf("%d parts", n)
	}
}

func TestListsAreInTheOrderOfPeople(t *testing.T) {
	want := [][2]string{{"klasse2", "z.jpg"}, {"klasse10", "job1/IMG_2.jpg"}, {"klasse10", "job1/IMG_10.jpg"}, {"klasse10", "job1 B/IMG_1.jpg"}, {"klasse10", "Job2/a"}, {"klasse10", "job10/Äpfel/1"}, {"klasse10", "job10/Birnen/1"}}
	got := slices.Clone(want)
	slices.Reverse(got)
	SortPaths(got, func(p [2]string) (string, string) { return p[0], p[1] })
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	few := []string{"b", "a10", "a2"}
	Sort(few, func(s string) string { return s })
	if !slices.Equal(few, []string{"a2", "a10", "b"}) || !slices.IsSortedFunc(few, Compare) {
		t.Errorf("%q", few)
	}
}

func FuzzNames(f *testing.F) {
	f.Add("Ä1é\xff日本" + strings.Repeat("字", 100))
	f.Fuzz(func(t *testing.T, name string) {
		if k := Key(name); len(k) > longest || k != Key(name) {
			t.Error(k)
		}
		for _, p := range Parts(name) {
			if len(p) > longest || p == "" || utf8.ValidString(name) && !utf8.ValidString(p) {
				t.Errorf("%q", p)
			}
		}
	})
}

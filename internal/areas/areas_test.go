package areas

import (
	"strings"
	"testing"
)

// A folder's name is found in any case and Unicode form, and what one account says counts
// more than what the configuration says for all.
func TestAFolderIsFoundHoweverItIsWritten(t *testing.T) {
	m := Of(Names{Individuals: []string{"Einzel", "Porträt"}, Group: []string{"Großgruppe"}}, Names{Group: []string{"einzel"}})
	for name, want := range map[string]string{
		"EINZEL": Group, "einzel": Group, "Portra\u0308t": Individuals, "PORTRÄT": Individuals, "GROSSGRUPPE": Group,
		"Einzel ": "", "Einzelfotos": "", "\xff": "", "": "", "group": "",
	} {
		if got := m.Area(name); got != want {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
	if again := Parse(m.String()); again.String() != m.String() || len(again) != 3 {
		t.Errorf("%s is read as %s", m, again)
	}
	if len(Parse("no JSON")) != 0 || Meanings(nil).Area("x") != "" {
		t.Error("nothing means something")
	}
}

// What cannot be a folder's name, or would mean both, is refused with a sentence.
func TestNamesAreChecked(t *testing.T) {
	for name, n := range map[string]Names{
		"is empty":        {Individuals: []string{""}},
		"it is empty":     {Group: []string{"  "}},
		"without /":       {Group: []string{"a/b"}},
		"with a dot":      {Group: []string{".."}},
		"begins with":     {Individuals: []string{".hidden"}},
		"be typed":        {Individuals: []string{"a\nb"}},
		"at most":         {Individuals: []string{strings.Repeat("x", 101)}},
		"one of the two":  {Individuals: []string{"Einzel"}, Group: []string{"EINZEL"}},
		"individuals and": {Group: []string{"Individuals"}},
	} {
		if err := n.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v", n, err)
		}
	}
	if err := (Names{Individuals: []string{"Einzel", "einzel", "individuals", "St. Martin"}, Group: []string{"Gruppe"}}).Check(); err != nil {
		t.Error(err)
	}
}

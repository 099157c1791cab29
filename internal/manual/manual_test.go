package manual

import (
	"strings"
	"testing"

	"picday/internal/config"
	"picday/internal/test/bed"
)

func TestConfigPageSaysEverything(t *testing.T) {
	page := bed.ManualPage(t, Config())
	n := 0
	for _, table := range config.Tables() {
		for _, k := range table.Keys {
			n++
			want := k.Name + " (" + k.Type + ") " + k.Doc
			if k.Default != "" {
				want = k.Name + " (" + k.Type + ", default " + k.Default + ") " + k.Doc
			}
			if !strings.Contains(page, want) {
				t.Errorf("not on the page: %s", want)
			}
		}
		if !strings.Contains(page, table.Doc) {
			t.Errorf("not on the page: %s", table.Doc)
		}
	}
	for _, text := range append([]string{"[[images.rendition]] name = \"large\" longest = 1600"}, config.Intro...) {
		if !strings.Contains(page, text) {
			t.Errorf("not on the page: %s", text)
		}
	}
	if n < 25 {
		t.Errorf("only %d keys", n)
	}
	if _, err := config.Parse([]byte(example)); err != nil {
		t.Errorf("the example: %v", err)
	}
}

// Nothing that a text may hold is taken for markup, and all of it is shown.
func TestTextIsNeverMarkup(t *testing.T) {
	for _, text := range []string{
		".Sh NOT A HEADING", "'ti 4", `back\slash \fB \n`, `"quoted" 'single' ` + "`back`", "--flag -x a-b", "~ ^ | $HOME %s",
		"One. Two.\nThree", ". . .", "ends with a backslash \\", "Grüße × →",
	} {
		m := newMdoc("test", "1", "test")
		m.macro("Sh", "DESCRIPTION")
		m.text(text)
		m.text("  " + text)
		page := bed.ManualPage(t, m.Bytes())
		if want := strings.Join(strings.Fields(text), " "); strings.Count(page, want) != 2 {
			t.Errorf("%q is shown as %s", text, page)
		}
	}
}

func TestPagesAreReproducible(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	if page := string(Config()); !strings.HasPrefix(page, ".Dd January 2, 1970\n") || page != string(Config()) {
		t.Errorf("%.100s", page)
	}
}

func TestWrap(t *testing.T) {
	got := Wrap([]string{"picday x", "[--one " + strings.Repeat("A", 60) + "]", "[--two]"}, "  ")
	if want := "  picday x [--one " + strings.Repeat("A", 60) + "]\n      [--two]"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

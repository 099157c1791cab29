// Package packaging_test proves the packages: that what they say of the
// configuration is so, that they are built the same everywhere, and that a
// booted Debian can be given one, upgraded, and rid of it again.
package packaging_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"picday/internal/config"
)

// The conffile names every key, and what it says holds without it does.
func TestConffileIsTheDefaults(t *testing.T) {
	text, err := os.ReadFile("picday.toml")
	must(t, err)
	shipped, err := config.Parse(text)
	must(t, err)
	if !reflect.DeepEqual(shipped, config.Default()) {
		t.Errorf("as shipped it says\n%+v, the defaults are\n%+v", shipped, config.Default())
	}
	all := regexp.MustCompile(`(?m)^#([a-z_]+ = |\[\[)`).ReplaceAll(text, []byte("$1"))
	opened, err := config.Parse(all)
	must(t, err)
	if !reflect.DeepEqual(opened, config.Default()) {
		t.Errorf("with every line opened it says\n%+v, the defaults are\n%+v", opened, config.Default())
	}
	for _, key := range keys(reflect.TypeFor[config.Config]()) {
		if !regexp.MustCompile(`(?m)^#`+key+` = `).Match(text) && !strings.Contains(string(text), key+"]") {
			t.Errorf("it does not name %s", key)
		}
	}
}

// keys are all names of a configuration, those of its tables included.
func keys(of reflect.Type) (all []string) {
	for i := range of.NumField() {
		f := of.Field(i)
		if name := f.Tag.Get("toml"); name != "" {
			all = append(all, name)
		}
		kind := f.Type
		if kind.Kind() == reflect.Slice {
			kind = kind.Elem()
		}
		if kind.Kind() == reflect.Struct {
			all = append(all, keys(kind)...)
		}
	}
	return all
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package config

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// everyKey visits each key of Config as its type has it.
func everyKey(t *testing.T, name string, kind reflect.Type, visit func(table, key, doc string)) {
	for i := range kind.NumField() {
		f := kind.Field(i)
		key, doc := f.Tag.Get("toml"), f.Tag.Get("doc")
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			if doc == "" {
				t.Errorf("[%s%s] says nothing of itself: give the field a doc tag", name, key)
			}
			everyKey(t, strings.TrimPrefix(name+"."+key, "."), inner, visit)
			continue
		}
		visit(name, key, doc)
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	found := map[string]Key{}
	for _, table := range Tables() {
		for _, k := range table.Keys {
			found[table.Name+"."+k.Name] = k
		}
	}
	n := 0
	everyKey(t, "", reflect.TypeFor[Config](), func(table, key, doc string) {
		n++
		k := found[table+"."+key]
		if k.Doc != doc || k.Type == "" {
			t.Errorf("%s.%s: %+v", table, key, k)
		}
		if len(doc) < 15 || !strings.HasSuffix(doc, ".") {
			t.Errorf("%s.%s: the doc tag %q is no sentence", table, key, doc)
		}
	})
	if n != len(found) || n < 25 {
		t.Errorf("%d keys, %d of them in Tables", n, len(found))
	}
}

// The file of a new installation changes nothing; and what it shows, once it is
// not commented out any more, is all keys with exactly the defaults.
func TestSampleIsTheDefault(t *testing.T) {
	sample := Sample()
	if c, err := Parse(sample); err != nil || !reflect.DeepEqual(c, Default()) {
		t.Errorf("%+v %v\n%s", c, err, sample)
	}
	active := regexp.MustCompile(`(?m)^#(\[\[|[a-z_]+ = )`).ReplaceAllString(string(sample), "$1")
	c, err := Parse([]byte(active))
	want := Default()
	want.Webhooks = []Webhook{ExampleWebhook} // there is none by default
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("%+v %v\n%s", c, err, active)
	}
	everyKey(t, "", reflect.TypeFor[Config](), func(table, key, _ string) {
		if !strings.Contains(active, "\n"+key+" = ") {
			t.Errorf("%s.%s is not in the file\n%s", table, key, active)
		}
	})
	for line := range strings.Lines(string(sample)) {
		if len(line) > 80 {
			t.Errorf("a long line: %s", line)
		}
	}
}

func TestDurationsReadAsAHumanWritesThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", time.Minute: "1m", 90 * time.Second: "1m30s", time.Hour: "1h", 720 * time.Hour: "720h",
		10 * time.Hour: "10h", time.Hour + time.Second: "1h0m1s", 100 * time.Minute: "1h40m", 300 * time.Millisecond: "300ms", 10 * time.Minute: "10m",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
		if back, err := time.ParseDuration(short(d)); back != d || err != nil {
			t.Errorf("%v comes back as %v, %v", d, back, err)
		}
	}
}

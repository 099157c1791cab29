package account

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"picday/internal/config"
	"picday/internal/layout"
	"picday/store"
)

func TestNames(t *testing.T) {
	for name, good := range map[string]bool{
		"acme": true, "a1": true, "a-b-c": true, strings.Repeat("a", 31): true,
		"": false, "a": false, "1a": false, "-a": false, "Acme": false, "a_b": false, "a.b": false, "a b": false,
		"a/b": false, "ä1": false, "acme\n": false, strings.Repeat("a", 32): false, "picday": false, "picday-sftp": false,
	} {
		if err := ValidName(name); (err == nil) != good || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("ValidName(%q) = %v", name, err)
		}
	}
	for name, good := range map[string]bool{
		"Mu\u0308ller": false, "x.tmp": false, "desktop.ini": false,
		"job00001": true, "Grundschule Köln 2026": true, "2026-05.1_x": true, "a": true,
		"": false, ".": false, "..": false, ".active": false, "-rf": false, "a/b": false, "a\x00": false, "a\nb": false, "a\\b": false,
		" a": false, "a ": false, "a.": false, "a:b": false, "\xff": false, strings.Repeat("a", 101): false, "a\u200bb": false,
	} {
		if err := ValidJobName(name); (err == nil) != good {
			t.Errorf("ValidJobName(%q) = %v", name, err)
		}
	}
}

func TestParseAllow(t *testing.T) {
	got, err := ParseAllow([]string{"2001:DB8::/32", "203.0.113.9", "203.0.113.0/24", " 203.0.113.0/24", "::ffff:10.0.0.1", "2001:db8::1", "::ffff:10.1.0.0/112", "0.0.0.0/0"})
	want := "[0.0.0.0/0 10.0.0.1/32 10.1.0.0/16 203.0.113.0/24 203.0.113.9/32 2001:db8::/32 2001:db8::1/128]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("got %v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/24", "fe80::1%eth0", "fe80::%eth0/64", "1.2.3.0/24,!1.2.3.4", "example.org", "::/129", "::ffff:1.2.3.0/90", "*"} {
		if out, err := ParseAllow([]string{bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("ParseAllow(%q) = %v, %v", bad, out, err)
		}
	}
	if out, err := ParseAllow(nil); len(out) != 0 || err != nil {
		t.Error(out, err)
	}
}

func TestPasswords(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		pw := NewPassword()
		if seen[pw] || len(pw) != 23 || validPassword(pw) != nil {
			t.Fatal(pw)
		}
		seen[pw] = true
	}
	for _, bad := range []string{"short", "with\nnewline", "with\x00nul...", strings.Repeat("x", 257), "\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if validPassword(bad) == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func testAccounts() []store.Account {
	return []store.Account{
		{Name: "lincoln", Layout: layout.Portraits, AllowFrom: networks("2001:db8::/32"), Logins: []store.Login{{Name: "zoe"}}},
		{Name: "acme", Layout: layout.Jobs, AllowFrom: networks("203.0.113.0/24", "2001:db8::/32"), Logins: []store.Login{{Name: "anna"}, {Name: "bert"}}},
		{Name: "open", Layout: layout.Jobs},
	}
}

func TestDropInText(t *testing.T) {
	text := func(accounts []store.Account) []byte {
		all, err := entries(accounts)
		must(t, err)
		return dropIn(config.Default(), all)
	}
	got := text(testAccounts())
	want, err := os.ReadFile("testdata/drop-in.golden")
	if err != nil && os.Getenv("UPDATE") == "" {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		_ = os.MkdirAll("testdata", 0o755)
		_ = os.WriteFile("testdata/drop-in.golden", got, 0o644)
		return
	}
	if string(got) != string(want) {
		t.Errorf("got:\n%s", got)
	}
	back := readEntries(got)
	wide, narrow := testAccounts()[1].AllowFrom, testAccounts()[0].AllowFrom
	for i, want := range []entry{
		{"acme", "", layout.Jobs, wide},
		{"anna", "acme", layout.Jobs, wide},
		{"bert", "acme", layout.Jobs, wide},
		{"lincoln", "", layout.Portraits, narrow},
		{"open", "", layout.Jobs, nil},
		{"zoe", "lincoln", layout.Portraits, narrow},
	} {
		if len(back) != 6 || fmt.Sprint(back[i]) != fmt.Sprint(want) {
			t.Errorf("read back: %+v", back)
		}
	}
	if !whole(config.Default(), got) {
		t.Error("not whole")
	}
	reversed := testAccounts()
	slices.Reverse(reversed)
	if string(text(reversed)) != string(got) {
		t.Error("the order of the accounts shows")
	}
}

func TestMountpointEscapes(t *testing.T) {
	if got := unescapeMount(`/srv/a\040b\134c`); got != `/srv/a b\c` {
		t.Error(got)
	}
}

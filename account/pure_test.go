package account

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"picday/internal/config"
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
	want := []string{"0.0.0.0/0", "10.0.0.1/32", "10.1.0.0/16", "203.0.113.0/24", "203.0.113.9/32", "2001:db8::/32", "2001:db8::1/128"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for _, bad := range []string{"", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/24", "fe80::1%eth0", "fe80::%eth0/64", "1.2.3.0/24,!1.2.3.4", "example.org", "::/129", "::ffff:1.2.3.0/90", "*"} {
		if out, err := ParseAllow([]string{bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("ParseAllow(%q) = %q, %v", bad, out, err)
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
		{Name: "lincoln", Layout: store.Portraits, AllowFrom: []string{"2001:db8::/32"}},
		{Name: "acme", Layout: store.Jobs, AllowFrom: []string{"203.0.113.0/24", "2001:db8::/32"}},
		{Name: "open", Layout: store.Jobs},
	}
}

func TestDropInText(t *testing.T) {
	got := dropIn(config.Default(), testAccounts())
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
	back := restricted(got)
	if len(back) != 2 || back[0].Name != "acme" || !slices.Equal(back[0].AllowFrom, testAccounts()[1].AllowFrom) || back[1].Name != "lincoln" {
		t.Errorf("read back: %+v", back)
	}
	reversed := testAccounts()
	slices.Reverse(reversed)
	if string(dropIn(config.Default(), reversed)) != string(got) {
		t.Error("the order of the accounts shows")
	}
}

func TestCards(t *testing.T) {
	c := Card{
		Account: "lincoln", Layout: store.Portraits, Enabled: true, Host: "photos.example.org", Port: 2222, User: "lincoln", StartDir: "/lincoln",
		AllowFrom: []string{"203.0.113.0/24"}, HostKeys: []HostKey{{"ssh-ed25519", "SHA256:ab+c/d"}}, CreatedAt: time.Unix(0, 0),
	}
	for _, want := range []string{"photos.example.org", "2222", "lincoln", "SHA256:ab+c/d", "user-pictures/", "203.0.113.0/24"} {
		if !strings.Contains(c.Text(), want) {
			t.Errorf("text lacks %q:\n%s", want, c.Text())
		}
	}
	if got, want := c.WinSCP(), "sftp://lincoln;fingerprint=ssh-ed25519-ab-c_d@photos.example.org:2222/lincoln/"; got != want {
		t.Errorf("WinSCP %s", got)
	}
	if u, err := url.Parse(c.WinSCP()); err != nil || u.Path != "/lincoln/" {
		t.Error(u, err)
	}
	jobs := c
	jobs.Layout, jobs.StartDir, jobs.Host, jobs.Enabled = store.Jobs, "/", "2001:db8::1", false
	if got, want := jobs.WinSCP(), "sftp://lincoln;fingerprint=ssh-ed25519-ab-c_d@[2001:db8::1]:2222/"; got != want {
		t.Errorf("WinSCP %s", got)
	}
	if !strings.Contains(jobs.Text(), "Class 1") || !strings.Contains(jobs.Text(), "disabled") {
		t.Error(jobs.Text())
	}
	c.Host = "a<b>&\"c"
	fz := c.FileZilla()
	var doc struct {
		Server fzServer `xml:"Servers>Server"`
	}
	if err := xml.Unmarshal(fz, &doc); err != nil {
		t.Fatal(err)
	}
	if s := doc.Server; s.Host != c.Host || s.Protocol != 1 || s.Logontype != 2 || s.RemoteDir != "1 0 7 lincoln" || s.Port != 2222 {
		t.Errorf("%+v", s)
	}
	if fzPath("/") != "1 0" {
		t.Error(fzPath("/"))
	}
	for dec := xml.NewDecoder(strings.NewReader(string(fz))); ; {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(string(fz), "<Pass") {
		t.Error("a password field")
	}
}

func TestMountpointEscapes(t *testing.T) {
	if got := unescapeMount(`/srv/a\040b\134c`); got != `/srv/a b\c` {
		t.Error(got)
	}
}

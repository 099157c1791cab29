package contract

import (
	"encoding/xml"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"picday/store"
)

func TestCards(t *testing.T) {
	c := Card{
		Account: "lincoln", Layout: store.Portraits, Enabled: true, Host: "photos.example.org", Port: 2222, User: "lincoln", StartDir: "/lincoln",
		AllowFrom: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}, HostKeys: []store.HostKey{{Type: "ssh-ed25519", SHA256: "SHA256:ab+c/d"}}, CreatedAt: time.Unix(0, 0),
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

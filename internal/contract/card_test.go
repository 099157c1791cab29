package contract

import (
	"encoding/xml"
	"io"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"picday/internal/language"
	"picday/internal/layout"
	"picday/internal/localtime"
	"picday/store"
)

func TestCards(t *testing.T) {
	c := Card{
		Account: "lincoln", Layout: layout.Portraits, Enabled: true, Host: "photos.example.org", Port: 2222, User: "lincoln", StartDir: "/lincoln",
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
	zoe := c.ForLogin(store.Login{Name: "zoe", Until: localtime.DayOf(time.Now())}, time.Now())
	if text := zoe.Text(); !strings.HasPrefix(text, "SFTP account lincoln, log-in zoe\n") || !strings.Contains(text, "Last day     "+zoe.Until) || strings.Contains(text, "closed") {
		t.Error(text)
	}
	if got, want := zoe.WinSCP(), "sftp://zoe;fingerprint=ssh-ed25519-ab-c_d@photos.example.org:2222/lincoln/"; got != want {
		t.Errorf("WinSCP %s", got)
	}
	if fz := string(zoe.FileZilla()); !strings.Contains(fz, "<User>zoe</User>") || !strings.Contains(fz, "1 0 7 lincoln") {
		t.Error(fz)
	}
	if over := c.ForLogin(store.Login{Name: "zoe", Until: store.LongOver}, time.Now()); over.Enabled || !strings.Contains(over.Text(), "This log-in is closed") {
		t.Error(over.Text())
	}
	jobs := c
	jobs.Layout, jobs.StartDir, jobs.Host, jobs.Enabled = layout.Jobs, "/", "2001:db8::1", false
	if got, want := jobs.WinSCP(), "sftp://lincoln;fingerprint=ssh-ed25519-ab-c_d@[2001:db8::1]:2222/"; got != want {
		t.Errorf("WinSCP %s", got)
	}
	if !strings.Contains(jobs.Text(), "Class 1") || !strings.Contains(jobs.Text(), "disabled") {
		t.Error(jobs.Text())
	}
	jobs.Language, zoe.Language = language.German, language.German
	if text := jobs.Text(); !strings.Contains(text, "  Schlüssel des Servers SHA256:ab+c/d") || !strings.Contains(text, "Klasse 1") || !strings.Contains(text, "gesperrt") || !strings.Contains(string(jobs.FileZilla()), "&lt;Auftrag&gt;") {
		t.Error(text)
	}
	if text, day := zoe.Text(), time.Now().Format("02.01.2006"); !strings.HasPrefix(text, "SFTP-Konto lincoln, Zugang zoe\n") || !strings.Contains(text, "Letzter Tag           "+day) {
		t.Error(text)
	}
	var shown strings.Builder
	Account{Card: jobs}.Show(&shown)
	if !strings.HasPrefix(shown.String(), "SFTP account") || !strings.Contains(shown.String(), "Language of the connection card: de\n") {
		t.Error(shown.String())
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

package config

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Notify says what people and programs are told.
type Notify struct {
	Quiet      Duration `toml:"quiet" doc:"An upload into a job, or into an account of portraits, is told once nothing has come in for this long and nothing waits."`
	ProblemAge Duration `toml:"problem_age" doc:"Problems older than this are told, at most once a day for each account."`
	Waiting    Duration `toml:"waiting" doc:"Files that are there and whole are told if none of the account has been taken in for this long. A file that is still being uploaded does not count."`
	DiskFloor  int      `toml:"disk_floor_megabytes" doc:"A disk with less room than this is told, 0 = never. The disks are those of upload_dir and data_dir."`
	Keep       Duration `toml:"keep" doc:"How long events are listed by picday events; of more than 10,000 the oldest go earlier."`
}

// Mail says by which server operators get mail. The server's host, and those of webhooks,
// are let through the unit's sandbox with picday events sandbox.
type Mail struct {
	Server       string   `toml:"server" doc:"Host and port of the server that takes mail: \"mail.example.com:587\". Empty = no mail. Its address, and those of webhooks, must be let through the unit's sandbox: see picday events sandbox."`
	TLS          string   `toml:"tls" doc:"starttls (port 587, or 25), tls (port 465), or none, which is for a server on this machine only. The server's certificate is always checked."`
	CAFile       string   `toml:"ca_file" doc:"Certificates of authorities, PEM, that the server's certificate may come from. Empty = those of the system."`
	User         string   `toml:"user" doc:"The name to log in with. Empty = no log-in."`
	PasswordFile string   `toml:"password_file" doc:"The file with its password, which belongs to root or picday and that nobody else may read (mode 0600 or 0400)."`
	From         string   `toml:"from" doc:"The sender's address. Empty = picday at the machine's name."`
	Every        Duration `toml:"every" doc:"An operator gets at most one message about an account in this time; what happens meanwhile is in the next one."`
}

// A Webhook is a receiver of events by HTTP POST.
type Webhook struct {
	Name       string   `toml:"name" doc:"What commands call it: a-z, 0-9 and -."`
	URL        string   `toml:"url" doc:"Where events are posted to, by the Standard Webhooks scheme; https, or http on this machine. Redirects are not followed."`
	SecretFile string   `toml:"secret_file" doc:"The file with the secret for signatures, whsec_ and at least 24 bytes in base64; several lines while it is being replaced. It belongs to root or picday and nobody else may read it (mode 0600 or 0400)."`
	CAFile     string   `toml:"ca_file" doc:"Certificates of authorities, PEM, that the server's certificate may come from. Empty = those of the system."`
	Accounts   []string `toml:"accounts" doc:"Only events of these accounts. Empty = those of all accounts, and those about the machine."`
}

// ExampleWebhook is shown in Sample, because there is none by default.
var ExampleWebhook = Webhook{Name: "shop", URL: "https://shop.example.com/picday", SecretFile: "/etc/picday/shop.secret", Accounts: []string{}}

func defaultNotify() Notify {
	return Notify{
		Quiet: Duration(10 * time.Minute), ProblemAge: Duration(24 * time.Hour), Waiting: Duration(time.Hour),
		DiskFloor: 5000, Keep: Duration(30 * 24 * time.Hour),
	}
}

// IsLocal tells whether a host of a URL or address is this machine.
func IsLocal(host string) bool {
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (n Notify) validate() error {
	for key, d := range map[string]Duration{"quiet": n.Quiet, "problem_age": n.ProblemAge, "waiting": n.Waiting, "keep": n.Keep} {
		if d.Std() < time.Second { // a bare number reads as nanoseconds
			return at("notify", 0, key, "notify.%s = %q is too short: give a time with its unit, such as \"10m\" or \"24h\"", key, d.Std())
		}
	}
	if n.DiskFloor < 0 || n.DiskFloor > 1<<30 {
		return at("notify", 0, "disk_floor_megabytes", "notify.disk_floor_megabytes = %d: use 0 (never) to %d", n.DiskFloor, 1<<30)
	}
	return nil
}

func (m Mail) validate() error {
	wrong := func(key, format string, args ...any) error { return at("mail", 0, key, format, args...) }
	if m.Every.Std() < time.Second {
		return wrong("every", "mail.every = %q is too short: give a time with its unit, such as \"5m\"", m.Every.Std())
	}
	if m.TLS != "starttls" && m.TLS != "tls" && m.TLS != "none" {
		return wrong("tls", "mail.tls = %q: use starttls, tls or none", m.TLS)
	}
	for key, path := range map[string]string{"ca_file": m.CAFile, "password_file": m.PasswordFile} {
		if path != "" && !filepath.IsAbs(path) {
			return wrong(key, "mail.%s = %q: give an absolute path", key, path)
		}
	}
	if m.From != "" {
		if a, err := mail.ParseAddress(m.From); err != nil || a.Address != m.From {
			return wrong("from", "mail.from = %q: give an address such as \"picday@example.com\"", m.From)
		}
	}
	if m.Server == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(m.Server)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || host == "" {
		return wrong("server", "mail.server = %q: give the host with its port, such as \"mail.example.com:587\", or \"\" for no mail", m.Server)
	}
	switch {
	case m.TLS == "none" && !IsLocal(host):
		return wrong("tls", "mail.tls = \"none\" sends names of jobs, and the password, to %s for all to read: use starttls or tls", host)
	case (m.User == "") != (m.PasswordFile == ""):
		return wrong("user", "mail.user and mail.password_file go together: give both, or neither")
	case m.User != "" && m.TLS == "none":
		return wrong("user", "mail.user with mail.tls = \"none\" would send the password for all to read: use starttls or tls")
	}
	return nil
}

func (w Webhook) validate(i int, before []Webhook) error {
	wrong := func(key, format string, args ...any) error {
		return at("webhook", i, key, "webhook %q: "+format, append([]any{w.Name}, args...)...)
	}
	if w.Name == "" || len(w.Name) > 64 || strings.Trim(w.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return wrong("name", "give it a name of a-z, 0-9 and -")
	}
	for _, other := range before {
		if other.Name == w.Name {
			return wrong("name", "the name is there twice")
		}
	}
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return wrong("url", "url = %q: give an address such as \"https://shop.example.com/picday\"", w.URL)
	case u.User != nil:
		return wrong("url", "the url has a name or password in it: the receiver knows picday by the signature")
	case u.Fragment != "":
		return wrong("url", "url = %q: leave out what begins with #", w.URL)
	case u.Scheme == "http" && !IsLocal(u.Hostname()):
		return wrong("url", "url = %q: names of jobs would go over the network for all to read, use https", w.URL)
	case !filepath.IsAbs(w.SecretFile):
		return wrong("secret_file", "secret_file = %q: give the absolute path of the file with its secret", w.SecretFile)
	case w.CAFile != "" && !filepath.IsAbs(w.CAFile):
		return wrong("ca_file", "ca_file = %q: give an absolute path", w.CAFile)
	}
	return nil
}

func (c Config) validateNotify() error {
	if err := errors.Join(c.Notify.validate(), c.Mail.validate()); err != nil {
		return err
	}
	for i, w := range c.Webhooks {
		if err := w.validate(i, c.Webhooks[:i]); err != nil {
			return err
		}
	}
	return nil
}

// A valueError is about one key of one table.
type valueError struct {
	error
	table string
	row   int // of a list of tables
	key   string
}

func at(table string, row int, key, format string, args ...any) error {
	return &valueError{fmt.Errorf(format, args...), table, row, key}
}

// withLine adds to a valueError the line that it is about: that of the key, or, if it is
// not there, of its table.
func withLine(err error, data []byte) error {
	var v *valueError
	if !errors.As(err, &v) {
		return err
	}
	row, in, line := -1, false, 0
	for i, text := range strings.Split(string(data), "\n") {
		text = strings.TrimSpace(text)
		if name, isTable := strings.CutPrefix(text, "["); isTable {
			name, _, _ = strings.Cut(strings.TrimPrefix(name, "["), "]")
			if in = strings.TrimSpace(name) == v.table; in {
				if row++; row == v.row {
					line = i + 1
				}
			}
			continue
		}
		key, _, isKey := strings.Cut(text, "=")
		if in && row == v.row && isKey && strings.Trim(key, " \t\"'") == v.key {
			line = i + 1
			break
		}
	}
	if line == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", line, err)
}

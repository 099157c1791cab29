package contract

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"picday/internal/language"
	"picday/internal/layout"
	"picday/store"
)

// A Card is all that an uploader needs to connect, except the password. Its formats are
// text, a file for FileZilla, and a URL for WinSCP.
type Card struct {
	Account   string            `json:"account"`
	Layout    layout.Kind       `json:"layout"`
	Enabled   bool              `json:"enabled"`
	Host      string            `json:"host"`
	Port      int               `json:"port"`
	User      string            `json:"user"`
	StartDir  string            `json:"start_dir"`
	AllowFrom []netip.Prefix    `json:"allow_from"`
	IDPattern string            `json:"id_pattern"`
	HostKeys  []store.HostKey   `json:"host_keys"`
	CreatedAt time.Time         `json:"created_at"`
	TimeZone  string            `json:"time_zone"`
	Language  language.Language `json:"language"`        // of the card as text, and of what uploaders read
	Until     string            `json:"until,omitempty"` // the last day of a log-in that has one
}

// An Account is what account add, account login add and account show print, and one row
// of account list.
type Account struct {
	Card
	Logins []string `json:"logins"` // the names of all that it has
	// Individuals and Group are further names of those folders, of this account alone.
	Individuals []string `json:"individuals,omitempty"`
	Group       []string `json:"group,omitempty"`
	Password    string   `json:"password,omitempty"` // only when it was just generated
	Damaged     bool     `json:"-"`                  // its row in the catalogue has an invalid value
}

// NewCard makes an account's connection card.
func NewCard(a store.Account, host string, port int, keys []store.HostKey) Card {
	return Card{
		Account: a.Name, Layout: a.Layout, Enabled: a.Enabled, User: a.Name,
		Host: host, Port: port, StartDir: StartDir(a),
		AllowFrom: append([]netip.Prefix{}, a.AllowFrom...), IDPattern: a.IDPattern,
		HostKeys: append([]store.HostKey{}, keys...), CreatedAt: a.CreatedAt.UTC(), TimeZone: a.TimeZone, Language: a.Language,
	}
}

// ForLogin is the card of one of the account's log-ins.
func (c Card) ForLogin(l store.Login, now time.Time) Card {
	c.User, c.Until, c.CreatedAt = l.Name, l.Until.String(), l.CreatedAt.UTC()
	c.Enabled = c.Enabled && !l.Ended(now)
	return c
}

// StartDir is where a login lands, seen from inside the chroot.
func StartDir(a store.Account) string {
	if a.Layout == layout.Portraits {
		return "/" + a.Name
	}
	return "/"
}

// Host is the configured name, else the machine's full one, for which it may
// have to ask the network.
func Host(configured string) string {
	if configured != "" {
		return configured
	}
	name, err := os.Hostname()
	if err != nil || strings.Contains(name, ".") {
		return name
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	addrs, _ := net.DefaultResolver.LookupHost(ctx, name)
	for _, addr := range addrs {
		full, _ := net.DefaultResolver.LookupAddr(ctx, addr)
		for _, f := range full {
			if strings.HasPrefix(f, name+".") {
				return strings.TrimSuffix(f, ".")
			}
		}
	}
	return name
}

// Networks are those the account may log in from, in one line; "" = anywhere.
func (c Card) Networks() string {
	var all []string
	for _, p := range c.AllowFrom {
		all = append(all, p.String())
	}
	return strings.Join(all, ", ")
}

// Text is the card as it is mailed or printed, in the account's language.
func (c Card) Text() string {
	w := language.In(c.Language)
	rows := [][2]string{
		{w.T("Protocol"), "SFTP (SSH File Transfer Protocol)"}, {w.T("Host"), c.Host}, {w.T("Port"), strconv.Itoa(c.Port)}, {w.T("User"), c.User},
	}
	if c.Until != "" {
		rows = append(rows, [2]string{w.T("Last day"), w.Day8601(c.Until)})
	}
	rows = append(rows, [2]string{w.T("Start folder"), c.StartDir})
	if len(c.AllowFrom) > 0 {
		rows = append(rows, [2]string{w.T("Allowed from"), c.Networks()})
	}
	for i, k := range c.HostKeys {
		key := ""
		if i == 0 {
			key = w.T("Host key")
		}
		rows = append(rows, [2]string{key, k.SHA256 + " (" + k.Type + ")"})
	}
	wide := 0
	for _, r := range rows {
		wide = max(wide, utf8.RuneCountInString(r[0]))
	}
	var b strings.Builder
	b.WriteString(w.T("SFTP account %s", c.Account))
	if c.User != c.Account {
		b.WriteString(w.T(", log-in %s", c.User))
	}
	b.WriteString("\n\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "  %-*s %s\n", wide, r[0], r[1])
	}
	b.WriteString("\n" + w.T("Where the pictures go") + "\n\n")
	if c.Layout == layout.Portraits {
		b.WriteString("  " + w.T("One JPEG per person, named by the person's ID: %s", layout.UserPictures+"/201212012.jpg") + "\n" +
			"  " + w.T("Uploading the same name again replaces the picture.") + "\n")
	} else {
		b.WriteString("  " + w.T("Open the folder of the job and create a folder per class (or team, or group) in it:") + "\n" +
			"    " + w.T("<job>/Class 1/individuals/IMG_0001.jpg") + "\n" +
			"    " + w.T("<job>/Class 1/group/IMG_0002.jpg") + "\n" +
			"  " + w.T("A picture directly in the class's folder counts as individual. Job folders are made by the operator.") + "\n")
	}
	b.WriteString("\n" + w.T("On the first connection compare the host key that the program shows with the one above.") + "\n")
	switch {
	case c.Enabled:
	case c.User != c.Account:
		b.WriteString(w.T("This log-in is closed: the account is disabled, or the last day is over.") + "\n")
	default:
		b.WriteString(w.T("This account is disabled at the moment.") + "\n")
	}
	return b.String()
}

type fzServer struct {
	Host         string `xml:"Host"`
	Port         int    `xml:"Port"`
	Protocol     int    `xml:"Protocol"` // 1: SFTP
	Type         int    `xml:"Type"`
	User         string `xml:"User"`
	Logontype    int    `xml:"Logontype"` // 2: ask for the password
	EncodingType string `xml:"EncodingType"`
	BypassProxy  int    `xml:"BypassProxy"`
	Name         string `xml:"Name"`
	Comments     string `xml:"Comments"`
	RemoteDir    string `xml:"RemoteDir"`
}

// FileZilla is a file for FileZilla's File, Import. It asks for the password.
func (c Card) FileZilla() []byte {
	doc := struct {
		XMLName xml.Name `xml:"FileZilla3"`
		Servers struct {
			Server fzServer `xml:"Server"`
		} `xml:"Servers"`
	}{}
	w := language.In(c.Language)
	comments := w.T("Pictures go into <job>/<class>/individuals or <job>/<class>/group.")
	if c.Layout == layout.Portraits {
		comments = w.T("Pictures go into %s, named <ID>.jpg.", layout.UserPictures)
	}
	for _, k := range c.HostKeys {
		comments += "\n" + w.T("Host key") + ": " + k.SHA256 + " (" + k.Type + ")"
	}
	doc.Servers.Server = fzServer{
		Host: c.Host, Port: c.Port, Protocol: 1, User: c.User, Logontype: 2, EncodingType: "UTF-8",
		Name: w.T("%s at %s", c.User, c.Host), Comments: comments, RemoteDir: fzPath(c.StartDir),
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n")
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	_ = enc.Encode(doc) // a buffer and plain fields: nothing to fail
	b.WriteByte('\n')
	return b.Bytes()
}

// fzPath writes a path as FileZilla keeps it: type 1 (Unix), no prefix, then
// each part after its length.
func fzPath(path string) string {
	out := "1 0"
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part != "" {
			out += fmt.Sprintf(" %d %s", len(part), part)
		}
	}
	return out
}

// WinSCP is a session URL for WinSCP's log-in window or command line, with the
// host key's fingerprint in the form it has there: type, dash, URL-safe base64
// without padding, no bit count.
func (c Card) WinSCP() string {
	user := url.PathEscape(c.User)
	if len(c.HostKeys) > 0 {
		k := c.HostKeys[0]
		sum := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimPrefix(k.SHA256, "SHA256:"))
		user += ";fingerprint=" + url.PathEscape(k.Type+"-"+sum)
	}
	host := c.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	path := strings.TrimSuffix((&url.URL{Path: c.StartDir}).EscapedPath(), "/") + "/"
	return fmt.Sprintf("sftp://%s@%s:%d%s", user, host, c.Port, path)
}

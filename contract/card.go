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

	"picday/layout"
	"picday/store"
)

// A Card is all that an uploader needs to connect, except the password. It is
// handed over as text, as a file for FileZilla, or as an address for WinSCP.
type Card struct {
	Account   string          `json:"account"`
	Layout    store.Layout    `json:"layout"`
	Enabled   bool            `json:"enabled"`
	Host      string          `json:"host"`
	Port      int             `json:"port"`
	User      string          `json:"user"`
	StartDir  string          `json:"start_dir"`
	AllowFrom []netip.Prefix  `json:"allow_from"`
	IDPattern string          `json:"id_pattern"`
	HostKeys  []store.HostKey `json:"host_keys"`
	CreatedAt time.Time       `json:"created_at"`
	TimeZone  string          `json:"time_zone"`
}

// NewCard makes an account's connection card.
func NewCard(a store.Account, host string, port int, keys []store.HostKey) Card {
	return Card{
		Account: a.Name, Layout: a.Layout, Enabled: a.Enabled, User: a.Name,
		Host: host, Port: port, StartDir: StartDir(a),
		AllowFrom: append([]netip.Prefix{}, a.AllowFrom...), IDPattern: a.IDPattern,
		HostKeys: append([]store.HostKey{}, keys...), CreatedAt: a.CreatedAt.UTC(), TimeZone: a.TimeZone,
	}
}

// StartDir is where a login lands, seen from inside the chroot.
func StartDir(a store.Account) string {
	if a.Layout == store.Portraits {
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

// Text is the card as it is mailed or printed.
func (c Card) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "SFTP account %s\n\n", c.Account)
	row := func(key, value string) { fmt.Fprintf(&b, "  %-12s %s\n", key, value) }
	row("Protocol", "SFTP (SSH File Transfer Protocol)")
	row("Host", c.Host)
	row("Port", strconv.Itoa(c.Port))
	row("User", c.User)
	row("Start folder", c.StartDir)
	if len(c.AllowFrom) > 0 {
		row("Allowed from", c.Networks())
	}
	for i, k := range c.HostKeys {
		key := ""
		if i == 0 {
			key = "Host key"
		}
		row(key, k.SHA256+" ("+k.Type+")")
	}
	b.WriteString("\nWhere the pictures go\n\n")
	if c.Layout == store.Portraits {
		fmt.Fprintf(&b, "  One JPEG per person, named by the person's ID: %s/201212012.jpg\n"+
			"  Uploading the same name again replaces the picture.\n", layout.UserPictures)
	} else {
		b.WriteString("  Open the folder of the job and create a folder per class (or team, or group) in it:\n" +
			"    <job>/Class 1/individuals/IMG_0001.jpg\n" +
			"    <job>/Class 1/group/IMG_0002.jpg\n" +
			"  A picture directly in the class's folder counts as individual. Job folders are made by the operator.\n")
	}
	b.WriteString("\nOn the first connection compare the host key that the program shows with the one above.\n")
	if !c.Enabled {
		b.WriteString("This account is disabled at the moment.\n")
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
	comments := "Pictures go into <job>/<class>/individuals or <job>/<class>/group."
	if c.Layout == store.Portraits {
		comments = "Pictures go into " + layout.UserPictures + ", named <ID>.jpg."
	}
	for _, k := range c.HostKeys {
		comments += "\nHost key: " + k.SHA256 + " (" + k.Type + ")"
	}
	doc.Servers.Server = fzServer{
		Host: c.Host, Port: c.Port, Protocol: 1, User: c.User, Logontype: 2, EncodingType: "UTF-8",
		Name: c.Account + " at " + c.Host, Comments: comments, RemoteDir: fzPath(c.StartDir),
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

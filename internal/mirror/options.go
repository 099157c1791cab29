package mirror

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
)

// ErrInvalid is the kind of errors of options that cannot be meant.
var ErrInvalid = errors.New("not possible")

// ErrNotFound is the kind of errors where the installation has no such account.
var ErrNotFound = errors.New("not found")

// ErrRefused is the kind of errors where the directory is not this mirror's: going on would
// delete what somebody else has put there.
var ErrRefused = errors.New("refused")

type kindError struct {
	kind error
	text string
}

func (e kindError) Error() string { return e.text }
func (e kindError) Unwrap() error { return e.kind }

func invalid(format string, args ...any) error {
	return kindError{ErrInvalid, fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) error {
	return kindError{ErrRefused, fmt.Sprintf(format, args...)}
}

// Options say what to mirror, and how.
type Options struct {
	URL       string                 // of the pages and the API: https://photos.example.com
	Dir       string                 // is made if it is not there; its parent must be
	Token     func() (string, error) // called before each question, so that a token can be replaced
	Account   string                 // "": the only one that the token may see
	Rendition string                 // its name; "": the largest
	Pictures  string                 // where pictures may be, if not on the host of URL: https://pics.example.com
	Plain     bool                   // http is allowed to other machines than this one
	Roots     *x509.CertPool         // nil: the system's
	Once      bool                   // end when in step
	Check     bool                   // read the whole list first, and compare every file with it

	// Both may be nil. They are called from several goroutines, one at a time, and must return soon.
	Step    func(Step)  // something was done, and all is in step
	Trouble func(error) // something does not work and is tried again; nil: it works again
}

// A Step is what was done since the last one.
type Step struct{ Fetched, Removed int }

const apiPath = "/api/v1"

// base is the address of the API.
func (o Options) base() (*url.URL, error) {
	u, err := address(o.URL)
	if err != nil {
		return nil, err
	}
	if u.Scheme == "http" && !o.Plain && !local(u.Hostname()) {
		return nil, invalid("%s: the token would be sent readable for everybody on the way: use https://, or say --plain-http if the network is trusted", o.URL)
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), apiPath) + apiPath
	return u, nil
}

func address(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid("%q is not an address such as https://photos.example.com", text)
	}
	return u, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// allows tells where pictures may be fetched from.
type allows struct {
	api      *url.URL
	pictures string // "": the host of api
}

func (o Options) allows(api *url.URL) (allows, error) {
	if o.Pictures == "" {
		return allows{api: api}, nil
	}
	u, err := address(o.Pictures)
	if err != nil {
		return allows{}, err
	}
	return allows{api, strings.TrimSuffix(u.String(), "/")}, nil
}

// check says why pictures below a prefix are not fetched.
func (a allows) check(prefix string) error {
	if a.pictures != "" {
		if prefix != a.pictures {
			return fmt.Errorf("the pictures are said to be at %s, and not at %s: give that address with --pictures if it is right", brief(prefix), a.pictures)
		}
		return nil
	}
	u, err := address(prefix)
	if err != nil {
		return fmt.Errorf("the pictures are said to be at %s, which is no address: is public_url in the installation's configuration right?", brief(prefix))
	}
	if u.Hostname() != a.api.Hostname() || u.Scheme == "http" && a.api.Scheme == "https" {
		return fmt.Errorf("the pictures are at %s, which is not the host of %s: say --pictures %s if that is right", brief(prefix), a.api.Host, brief(prefix))
	}
	return nil
}

// brief is what a server said, as it can be put into a sentence.
func brief(text string) string {
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	quoted := fmt.Sprintf("%q", text)
	if quoted == `"`+text+`"` && text != "" {
		return text
	}
	return quoted
}

// TokenFile reads a token from a file that has nothing else in it.
func TokenFile(name string) func() (string, error) {
	return func() (string, error) {
		f, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, 4096))
		token := strings.TrimSpace(string(text))
		if err == nil && (token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })) {
			err = invalid("%s does not have a token in it: put there what 'picday token add NAME' prints, and nothing else", name)
		}
		return token, err
	}
}

// Authorities reads the certificates of a file, beside which no other authority counts.
func Authorities(name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, invalid("%s has no certificate in it that can be read (PEM)", name)
	}
	return pool, nil
}

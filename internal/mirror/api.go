package mirror

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bounds for what a server can make the mirror do.
const (
	pageRows    = 1000
	maxAnswer   = 16 << 20 // bytes of one answer, unpacked
	maxPicture  = 64 << 20 // bytes
	maxPhotos   = 5_000_000
	askTime     = time.Minute     // for an answer, beyond the waiting
	pictureTime = 2 * time.Minute // for a picture
)

// A row is a photo as the API lists it: as much of it as the mirror needs.
type row struct {
	ID          int64            `json:"id"`
	Account     string           `json:"account"`
	Person      string           `json:"person"`
	WithdrawnAt *time.Time       `json:"withdrawn_at"`
	Link        string           `json:"link"`
	URL         string           `json:"url"`
	Renditions  []shownRendition `json:"renditions"`
}

type shownRendition struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

type photosAnswer struct {
	Photos       []row   `json:"photos"`
	Next         *string `json:"next"`
	ChangedUntil *int64  `json:"changed_until"`
}

// statusError is an answer that is not the one that was asked for.
type statusError struct {
	status int
	wait   time.Duration // Retry-After
	text   string
}

func (e statusError) Error() string { return e.text }

// wrong is an answer that picday does not give.
func wrong(format string, args ...any) error {
	return fmt.Errorf("the answer is not one of picday's: "+format, args...)
}

// A client asks the API.
type client struct {
	base  *url.URL
	http  *http.Client
	token func() (string, error)
}

// get asks for JSON.
func (c *client) get(ctx context.Context, path string, query url.Values, more time.Duration, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime+more)
	defer cancel()
	u := *c.base
	u.Path += path
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("User-Agent", "picday-mirror")
	res, err := c.http.Do(r)
	if err != nil {
		return explain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("the answer of %s broke off: %w", c.base.Host, explain(err))
	}
	if len(body) > maxAnswer {
		return wrong("it is longer than %d MB", maxAnswer>>20)
	}
	if res.StatusCode != http.StatusOK {
		return c.refusal(res, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return wrong("%v. Is %s the address of the pages and the API?", err, c.base)
	}
	return nil
}

// refusal says what an answer with another status means.
func (c *client) refusal(res *http.Response, body []byte) error {
	var said struct{ Error string }
	_ = json.Unmarshal(body, &said) // if it is not picday that answers, it says nothing
	e := statusError{status: res.StatusCode, text: fmt.Sprintf("%s answers %s", c.base.Host, res.Status)}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.wait = min(time.Duration(seconds)*time.Second, longestBackOff)
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		e.text = "the token is not accepted by " + c.base.Host + ": 'picday token add' there makes one, and the file with it must have nothing else in it"
	case res.StatusCode >= 300 && res.StatusCode < 400:
		e.text = fmt.Sprintf("%s sends on to %s: if that is right, give that address", c.base.Host, brief(res.Header.Get("Location")))
	case said.Error != "":
		e.text = fmt.Sprintf("%s answers: %s", c.base.Host, brief(said.Error))
	}
	return e
}

// explain makes a sentence of what net/http says.
func explain(err error) error {
	var u *url.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return fmt.Errorf("the server's certificate is not to be trusted: %w. Nothing was sent. Where an authority of your own signs it, name its certificate with --ca", certificate.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("the server takes too long to answer")
	case errors.As(err, &u):
		return u.Err // without the address, which may have a link in it
	}
	return err
}

// account finds the only account that the token may see.
func (c *client) account(ctx context.Context) (string, error) {
	var answer struct {
		Accounts []struct {
			Account string `json:"account"`
		} `json:"accounts"`
	}
	if err := c.get(ctx, "/accounts", url.Values{"limit": {"20"}}, 0, &answer); err != nil {
		return "", err
	}
	var names []string
	for _, a := range answer.Accounts {
		names = append(names, brief(a.Account))
	}
	switch len(names) {
	case 0:
		return "", invalid("the token may see no account: say which with --account, or make another token")
	case 1:
		return answer.Accounts[0].Account, nil
	}
	return "", invalid("the token may see several accounts: say which with --account, such as %s", strings.Join(names, ", "))
}

// photos asks for one page of the account's list; since 0: of what is published.
func (c *client) photos(ctx context.Context, account string, since int64, after string, wait time.Duration) (photosAnswer, error) {
	q := url.Values{"account": {account}, "limit": {strconv.Itoa(pageRows)}}
	if since > 0 {
		q.Set("changed_since", strconv.FormatInt(since, 10))
	}
	if after != "" {
		q.Set("after", after)
	} else if since > 0 && wait > 0 {
		q.Set("wait", strconv.Itoa(int(wait/time.Second)))
	}
	var a photosAnswer
	if err := c.get(ctx, "/photos", q, wait, &a); err != nil {
		return a, err
	}
	switch {
	case a.Photos == nil || len(a.Photos) > pageRows:
		return a, wrong("it has no photos, or more than were asked for")
	case (a.Next == nil) == (a.ChangedUntil == nil):
		return a, wrong("next and changed_until do not fit together")
	case a.Next != nil && (*a.Next == "" || *a.Next == after || len(a.Photos) == 0):
		return a, wrong("next leads nowhere")
	case a.ChangedUntil != nil && (*a.ChangedUntil < since || *a.ChangedUntil > math.MaxInt64/2):
		return a, wrong("changed_until is %d, after %d", *a.ChangedUntil, since)
	}
	for _, p := range a.Photos {
		if err := p.check(account, since); err != nil {
			return a, err
		}
	}
	return a, nil
}

var (
	linkRE      = regexp.MustCompile(`^[0-9a-f]{56}$`)
	hashRE      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	renditionRE = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)
)

// check looks whether a photo can be what picday lists.
func (p row) check(account string, since int64) error {
	switch {
	case p.ID <= 0:
		return wrong("a photo has the id %d", p.ID)
	case p.Account != account:
		return wrong("a photo is of the account %s", brief(p.Account))
	case p.Person != "" && !fileName(p.Person):
		return wrong("the person %s can be no file", brief(p.Person))
	case p.WithdrawnAt != nil && since == 0:
		return wrong("a photo is withdrawn among those that are published")
	case p.WithdrawnAt != nil:
		return nil
	case !linkRE.MatchString(p.Link):
		return wrong("a photo has the link %s", brief(p.Link))
	}
	for _, r := range p.Renditions {
		if !renditionRE.MatchString(r.Name) || !hashRE.MatchString(r.SHA256) || r.Bytes <= 0 || r.Bytes > maxPicture {
			return wrong("the photo %d has the size %s with %d bytes", p.ID, brief(r.Name), r.Bytes)
		}
	}
	return nil
}

// fileName tells whether an ID can name a file of the directory. A hidden one it cannot.
func fileName(id string) bool {
	return len(id)+len(suffix) <= 255 && utf8.ValidString(id) && !strings.HasPrefix(id, ".") && !strings.ContainsFunc(id, func(r rune) bool {
		return r == '/' || unicode.IsControl(r)
	})
}

// name is the file's, without the directory.
func (p row) name() string {
	if p.Person != "" {
		return p.Person + suffix
	}
	return strconv.FormatInt(p.ID, 10) + suffix
}

// wants is what is to be fetched for a photo.
func (p row) wants(rendition string, from allows) (w want, err error) {
	w.name = p.name()
	prefix, ok := strings.CutSuffix(p.URL, "/"+p.Link+".jpg")
	if !ok {
		return w, wrong("the photo %d is at %s, which does not end in its link", p.ID, brief(p.URL))
	}
	if err := from.check(prefix); err != nil {
		return w, err
	}
	var names []string
	for _, r := range p.Renditions {
		if rendition == r.Name || rendition == "" && r.Width*r.Height > w.pixels {
			w.pixels, w.bytes, w.hash = r.Width*r.Height, r.Bytes, r.SHA256
			w.url = prefix + "/" + p.Link + "/" + r.Name + ".jpg"
		}
		names = append(names, r.Name)
	}
	if w.url == "" {
		return w, fmt.Errorf("the photo %d has no size %q; it has: %s", p.ID, rendition, strings.Join(names, ", "))
	}
	return w, nil
}

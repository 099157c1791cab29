package web

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"picday/store"
	"picday/store/pictures"
)

// Pictures tells what a link shows at this moment; rendition "" is the default one.
// store.Links is one.
type Pictures interface {
	Published(link, rendition string) (store.Published, error)
}

// A Public answers on the public listener.
type Public struct {
	Pictures Pictures
	Files    *pictures.Files
	Healthy  func() error // for /healthz: nil, or a word that says why not; returns at once
	Log      zerolog.Logger

	cache pictureCache
}

// notFoundAfter is the time from a request to its 404. It is longer than any look-up
// takes, so that timing does not tell a withdrawn link from one that never was. It also
// slows down guessing.
const notFoundAfter = 5 * time.Millisecond

// ServeHTTP answers one request.
func (p *Public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	setHeader(w.Header())
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if reads && r.URL.EscapedPath() == healthPath {
		serveHealth(w, p.Healthy())
		return
	}
	link, rendition, ok := parsePath(r.URL.EscapedPath())
	err := error(store.ErrNotFound)
	if ok && reads {
		err = p.serve(w, r, link, rendition)
	}
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotFound):
		time.Sleep(time.Until(began.Add(notFoundAfter)))
		http.Error(w, "There is no picture here.", http.StatusNotFound)
	default:
		p.Log.Error().Err(err).Msg("a published picture cannot be served")
		http.Error(w, "The picture cannot be shown at the moment.", http.StatusInternalServerError)
	}
}

func (p *Public) serve(w http.ResponseWriter, r *http.Request, link, rendition string) error {
	pub, err := p.Pictures.Published(link, rendition)
	if err != nil {
		return err
	}
	if answered := p.cache.get(pub).answer(w, r); answered {
		return nil
	}
	pic, err := p.open(link, rendition)
	if err != nil {
		return err
	}
	defer pic.Close()
	if small, err := pic.read(); err != nil {
		return err
	} else if small != nil {
		p.cache.put(pic.Published, small)
		if small.answer(w, r) {
			return nil
		}
	}
	setPicture(w.Header(), pic.Published)
	modified := pic.modified()
	// Like nginx, accept only the exact date that was given out: a client that sends the
	// time of its download may have a picture that was replaced in the same second.
	if r.Header.Get("If-Modified-Since") != modified.Format(http.TimeFormat) {
		r.Header.Del("If-Modified-Since")
	}
	http.ServeContent(w, r, "", modified, pic)
	return nil
}

// A picture is an open rendition. It may be read to its end even if its link is
// withdrawn meanwhile: the request came before.
type picture struct {
	*os.File
	store.Published
	info fs.FileInfo
}

func (p *Public) open(link, rendition string) (pic picture, err error) {
	// When renditions are made anew, the old file is deleted after the catalogue names
	// the new one: then asking the catalogue again finds it. A file of another length
	// is damaged and not served.
	for range 3 {
		if pic.Published, err = p.Pictures.Published(link, rendition); err != nil {
			return pic, err
		}
		if pic.File, err = p.Files.Open(pic.Published.Name); errors.Is(err, pictures.ErrMissing) {
			continue
		}
		if err != nil {
			return pic, err
		}
		if pic.info, err = pic.Stat(); err == nil && pic.info.Size() == pic.Bytes {
			return pic, nil
		}
		pic.Close()
		if err != nil {
			return pic, err
		}
		err = errDamaged(pic.File.Name(), pic.info.Size(), pic.Bytes)
	}
	return pic, err
}

func errDamaged(file string, has, want int64) error {
	return fmt.Errorf("%s has %d bytes instead of %d: 'picday verify' finds all that are damaged", file, has, want)
}

func errOther(file string) error {
	return fmt.Errorf("%s has other bytes than were written into it: 'picday verify' finds all that are damaged", file)
}

// linkLen is the length of every link, in hex digits.
const linkLen = 56

// parsePath splits /<link>.jpg or /<link>/<rendition>.jpg. There is one spelling:
// escapes, double slashes and capitals name no picture.
func parsePath(path string) (link, rendition string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || len(rest) < linkLen || !isLink(rest[:linkLen]) {
		return "", "", false
	}
	link, rest = rest[:linkLen], rest[linkLen:]
	if rest, ok = strings.CutSuffix(rest, ".jpg"); !ok {
		return "", "", false
	}
	if rest == "" {
		return link, "", true
	}
	if rendition, ok = strings.CutPrefix(rest, "/"); !ok || !isRendition(rendition) {
		return "", "", false
	}
	return link, rendition, true
}

func isLink(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isRendition tells names that the configuration allows for a rendition.
func isRendition(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return s != ""
}

// Values of header fields. They are shared by all answers and never written to.
var (
	cacheControl = []string{"private, no-cache"}
	noReferrer   = []string{"no-referrer"}
	noSniff      = []string{"nosniff"}
	noIndex      = []string{"noindex"}
	jpegType     = []string{"image/jpeg"}
	acceptRanges = []string{"bytes"}
)

// setHeader sets the fields of every answer of the public listener. A cache may keep a
// picture, but has to ask each time whether it may still show it.
func setHeader(h http.Header) {
	h["Cache-Control"] = cacheControl
	h["Referrer-Policy"] = noReferrer
	h["X-Content-Type-Options"] = noSniff
	h["X-Robots-Tag"] = noIndex
}

func setPicture(h http.Header, p store.Published) {
	h["Content-Type"] = jpegType
	h["Etag"] = []string{etag(p)}
}

// etag differs if the bytes do.
func etag(p store.Published) string { return `"` + hex.EncodeToString(p.Hash[:16]) + `"` }

// modified is since when the link has shown these bytes.
func (p picture) modified() time.Time {
	t := p.At
	if made := p.info.ModTime(); made.After(t) {
		t = made
	}
	return t.UTC()
}

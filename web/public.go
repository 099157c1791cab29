package web

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"

	"picday/store"
)

// Pictures tells what a link shows at this moment; "" asks for the default
// rendition. store.Links is one.
type Pictures interface {
	Published(link, rendition string) (store.Published, error)
}

// A Public answers on the public listener.
type Public struct {
	Pictures Pictures
	Healthy  func() error // for /healthz, at once: nil, or a word why not
	Log      zerolog.Logger

	shelf shelf
}

// notFoundAfter is when a 404 is sent, counted from the request: later than
// any way of finding out takes, so that the time does not tell a link that
// was withdrawn from one that never was. It slows down who guesses, too.
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
	if answered := p.shelf.get(pub).answer(w, r); answered {
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
		p.shelf.put(pic.Published, small)
		if small.answer(w, r) {
			return nil
		}
	}
	setPicture(w.Header(), pic.Published)
	modified := pic.modified()
	// As nginx does it: only the very date that was given out. A client that
	// sends the time of its download may have what was replaced while it asked.
	if r.Header.Get("If-Modified-Since") != modified.Format(http.TimeFormat) {
		r.Header.Del("If-Modified-Since")
	}
	http.ServeContent(w, r, "", modified, pic)
	return nil
}

// A picture is an open rendition of what a link shows. Who has it open may go
// on reading, whatever becomes of the link: he asked before.
type picture struct {
	*os.File
	store.Published
	info fs.FileInfo
}

func (p *Public) open(link, rendition string) (pic picture, err error) {
	// When a picture's renditions are made anew, the old file goes once the
	// new one is in the catalogue: then another look finds it. Half a picture,
	// whatever has cut it off, is none.
	for range 3 {
		if pic.Published, err = p.Pictures.Published(link, rendition); err != nil {
			return pic, err
		}
		if pic.File, err = os.Open(pic.Published.File); errors.Is(err, fs.ErrNotExist) {
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
		err = errDamaged(pic.Published.File, pic.info.Size(), pic.Bytes)
	}
	return pic, err
}

func errDamaged(file string, has, want int64) error {
	return fmt.Errorf("%s has %d bytes instead of %d: 'picday verify' finds all that are damaged", file, has, want)
}

func errOther(file string) error {
	return fmt.Errorf("%s has other bytes than were written into it: 'picday verify' finds all that are damaged", file)
}

const healthPath = "/healthz"

func serveHealth(w http.ResponseWriter, unwell error) {
	if unwell != nil {
		http.Error(w, "not proven alive: "+unwell.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/rs/zerolog"

	"picday/store"
)

// Pictures finds what is published; the store is one.
type Pictures interface {
	Published(ctx context.Context, link, rendition string) (store.Published, error)
}

// Public are what the public listener works with.
type Public struct {
	Pictures Pictures
	Default  string      // the rendition that <link>.jpg serves
	Healthy  func() bool // for /healthz
	Log      zerolog.Logger
}

// notFoundAfter is when a 404 is sent, counted from the request: later than
// any way of finding out takes, so that the time does not tell a link that
// was withdrawn from one that never was. It slows down who guesses, too.
const notFoundAfter = 5 * time.Millisecond

// ServeHTTP answers one request.
func (p *Public) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	link, rendition, asked := parsePath(r.URL.EscapedPath())
	if rendition == "" {
		rendition = p.Default
	}
	plain := r.Method == http.MethodGet || r.Method == http.MethodHead
	setHeader(w.Header())
	if plain && r.URL.Path == healthPath {
		serveHealth(w, p.Healthy())
		return
	}
	// Looked up also if the answer is clear already: the same work for all.
	err := p.serve(w, r, link, rendition, asked && plain)
	switch {
	case err == nil:
	case errors.Is(err, store.ErrNotFound):
		time.Sleep(time.Until(began.Add(notFoundAfter)))
		http.Error(w, "There is no picture here.", http.StatusNotFound)
	case r.Context().Err() != nil: // the client is gone
	default:
		p.Log.Error().Err(err).Msg("a published picture cannot be served")
		http.Error(w, "The picture cannot be shown at the moment.", http.StatusInternalServerError)
	}
}

func (p *Public) serve(w http.ResponseWriter, r *http.Request, link, rendition string, asked bool) error {
	// When a picture's renditions are made anew, the old file goes once the
	// new one is in the catalogue: then another look finds it.
	for try := 0; ; try++ {
		pub, err := p.Pictures.Published(r.Context(), link, rendition)
		if err == nil && !asked {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		f, err := os.Open(pub.File)
		if errors.Is(err, fs.ErrNotExist) && try < 3 {
			continue
		}
		if err != nil {
			return err
		}
		defer f.Close()
		fi, err := f.Stat()
		if err != nil {
			return err
		}
		w.Header()["Content-Type"] = []string{"image/jpeg"}
		w.Header()["Etag"] = []string{etag(pub, fi)}
		http.ServeContent(w, r, "", modified(pub, fi), f)
		return nil
	}
}

const healthPath = "/healthz"

func serveHealth(w http.ResponseWriter, healthy bool) {
	if !healthy {
		http.Error(w, "not proven alive", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

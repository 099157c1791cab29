package web

import "net/http"

// Closed answers on the administration listener while there are no pages.
type Closed struct {
	Healthy func() error // for /healthz
}

// ServeHTTP answers one request.
func (c *Closed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeader(w.Header())
	if r.URL.EscapedPath() == healthPath {
		serveHealth(w, c.Healthy())
		return
	}
	http.Error(w, "There are no pages at the moment.", http.StatusServiceUnavailable)
}

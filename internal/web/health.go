package web

import "net/http"

// NoPages answers on the administration listener while there are no pages: only
// /healthz works.
type NoPages struct {
	Healthy func() error // as in Public
}

// ServeHTTP answers one request.
func (n *NoPages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeader(w.Header())
	if r.URL.EscapedPath() == healthPath {
		serveHealth(w, n.Healthy())
		return
	}
	http.Error(w, "There are no pages at the moment.", http.StatusServiceUnavailable)
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

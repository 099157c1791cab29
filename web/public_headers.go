package web

import (
	"encoding/hex"
	"net/http"
	"time"

	"picday/store"
)

// What every answer says in the same words; nothing ever writes into them.
var (
	cacheControl = []string{"private, no-cache"}
	noReferrer   = []string{"no-referrer"}
	noSniff      = []string{"nosniff"}
	noIndex      = []string{"noindex"}
	jpegType     = []string{"image/jpeg"}
	acceptRanges = []string{"bytes"}
)

// setHeader sets what every answer of the public listener has. A cache may
// keep a picture only if it asks each time whether it still may show it.
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

// etag is another one whenever the bytes are other ones.
func etag(p store.Published) string { return `"` + hex.EncodeToString(p.Hash[:16]) + `"` }

// modified is when the link began to show these bytes.
func (p picture) modified() time.Time {
	t := p.At
	if made := p.info.ModTime(); made.After(t) {
		t = made
	}
	return t.UTC()
}

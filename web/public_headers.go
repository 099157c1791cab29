package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"time"
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

func setPicture(h http.Header, p picture) {
	h["Content-Type"] = jpegType
	h["Etag"] = []string{etag(p.Published.File, p.info)}
}

// etag is another one whenever the bytes are other ones: another original,
// other settings, or the same ones made again by another picday, which the
// file's own time tells. Hashed, because it is nobody's business what.
func etag(file string, info fs.FileInfo) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", file, info.ModTime().UnixNano(), info.Size()))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// modified is when the link began to show these bytes.
func (p picture) modified() time.Time {
	t := p.At
	if made := p.info.ModTime(); made.After(t) {
		t = made
	}
	return t.UTC()
}

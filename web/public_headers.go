package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"time"
)

// setHeader sets what every answer of the public listener has. A cache may
// keep a picture only if it asks each time whether it still may show it.
func setHeader(h http.Header) {
	h["Cache-Control"] = []string{"private, no-cache"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["X-Robots-Tag"] = []string{"noindex"}
}

func setPicture(h http.Header, p picture) {
	h["Content-Type"] = []string{"image/jpeg"}
	h["Etag"] = []string{etag(p.Published.File, p.info)}
}

// head is the head of a plain answer up to its date, to the byte what net/http
// makes of the above.
func (p picture) head() []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\nCache-Control: private, no-cache\r\n"+
		"Content-Length: %d\r\nContent-Type: image/jpeg\r\nEtag: %s\r\nLast-Modified: %s\r\nReferrer-Policy: no-referrer\r\n"+
		"X-Content-Type-Options: nosniff\r\nX-Robots-Tag: noindex\r\nDate: ",
		p.info.Size(), etag(p.Published.File, p.info), p.modified().Format(http.TimeFormat))
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

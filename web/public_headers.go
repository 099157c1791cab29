package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"time"

	"picday/store"
)

// setHeader sets what every answer of the public listener has. A cache may
// keep a picture only if it asks each time whether it still may show it.
func setHeader(h http.Header) {
	h["Cache-Control"] = []string{"private, no-cache"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["X-Content-Type-Options"] = []string{"nosniff"}
	h["X-Robots-Tag"] = []string{"noindex"}
}

// etag is another one whenever the bytes are other ones: another original,
// other settings, or the same ones made again by another picday, which the
// file's own time tells. Hashed, because it is nobody's business what.
func etag(p store.Published, fi os.FileInfo) string {
	sum := sha256.Sum256(fmt.Append(nil, p.File, fi.ModTime().UnixNano(), fi.Size()))
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// modified is when the link began to show these bytes.
func modified(p store.Published, fi os.FileInfo) time.Time {
	if t := fi.ModTime(); t.After(p.At) {
		return t
	}
	return p.At
}

package web

import (
	"crypto/sha256"
	"io"
	"net/http"
	"strconv"
	"sync"

	"picday/store"
)

// A pictureCache keeps small pictures, thumbs, in memory. The key names the bytes, so
// no entry is ever outdated. Whether a link shows a picture is asked of the catalogue
// each time before.
type pictureCache struct {
	mu      sync.Mutex
	entries map[store.Published]*cachedPicture
	size    int
}

const (
	cacheSize = 32 << 20 // bytes of pictures, some 1,500 thumbs
	smallSize = 64 << 10 // larger ones are sent by the kernel from their files
)

// A cachedPicture is a picture with the values of its header fields.
type cachedPicture struct {
	body                   []byte
	etag, modified, length []string
}

func (c *pictureCache) get(p store.Published) *cachedPicture {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[p]
}

func (c *pictureCache) put(p store.Published, a *cachedPicture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[store.Published]*cachedPicture{}
	}
	if c.entries[p] != nil {
		return
	}
	c.entries[p] = a
	c.size += len(a.body)
	for old, b := range c.entries { // in any order
		if c.size <= cacheSize {
			break
		}
		delete(c.entries, old)
		c.size -= len(b.body)
	}
}

// read reads an open picture and checks its hash; nil if it is too large to cache.
func (p picture) read() (*cachedPicture, error) {
	size := p.info.Size()
	if size > smallSize {
		return nil, nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(p.File, body); err != nil {
		return nil, err
	}
	if sha256.Sum256(body) != p.Hash {
		return nil, errOther(p.File.Name())
	}
	return &cachedPicture{
		body, []string{etag(p.Published)}, []string{p.modified().Format(http.TimeFormat)}, []string{strconv.FormatInt(size, 10)},
	}, nil
}

// answer answers what browsers send: requests for the whole picture, with a validator
// or without. Ranges and other conditions are left to http.ServeContent: then it
// returns false, as it does for a nil cachedPicture, and has written nothing.
func (a *cachedPicture) answer(w http.ResponseWriter, r *http.Request) bool {
	if a == nil {
		return false
	}
	for _, key := range [...]string{"Range", "If-Range", "If-Match", "If-Unmodified-Since"} {
		if _, there := r.Header[key]; there {
			return false
		}
	}
	h := w.Header()
	match, asked := r.Header["If-None-Match"]
	switch {
	case asked && (len(match) != 1 || match[0] != a.etag[0]):
		return false // a list, a weak validator, or a picture that was replaced
	case asked || len(r.Header["If-Modified-Since"]) == 1 && r.Header["If-Modified-Since"][0] == a.modified[0]:
		h["Etag"] = a.etag
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	h["Accept-Ranges"] = acceptRanges
	h["Content-Type"] = jpegType
	h["Content-Length"] = a.length
	h["Etag"] = a.etag
	h["Last-Modified"] = a.modified
	if r.Method != http.MethodHead {
		_, _ = w.Write(a.body) // fails only if the client is gone
	}
	return true
}

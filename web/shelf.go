package web

import (
	"crypto/sha256"
	"io"
	"net/http"
	"strconv"
	"sync"

	"picday/store"
)

// A shelf keeps small pictures in memory, so that the thumbs of a page that is
// looked at need no file. The key says which bytes they are, so none is ever
// outdated; whether a link shows them is not known here.
type shelf struct {
	mu   sync.Mutex
	held map[store.Published]*shelved
	size int
}

const (
	shelfSize = 32 << 20 // bytes of pictures, some 1,500 thumbs
	smallSize = 64 << 10 // what is larger is sent by the kernel from its file
)

// A shelved is one small picture and what is said of it, as the header wants it.
type shelved struct {
	body                   []byte
	etag, modified, length []string
}

func (s *shelf) get(p store.Published) *shelved {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[p]
}

func (s *shelf) put(p store.Published, a *shelved) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[store.Published]*shelved{}
	}
	if s.held[p] != nil {
		return
	}
	s.held[p] = a
	s.size += len(a.body)
	for old, b := range s.held { // whichever comes first
		if s.size <= shelfSize {
			break
		}
		delete(s.held, old)
		s.size -= len(b.body)
	}
}

// read takes an open picture into memory; nil if it is too large for that.
func (p picture) read() (*shelved, error) {
	size := p.info.Size()
	if size > smallSize {
		return nil, nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(p.File, body); err != nil {
		return nil, err
	}
	if sha256.Sum256(body) != p.Hash {
		return nil, errOther(p.Published.File)
	}
	return &shelved{
		body, []string{etag(p.Published)}, []string{p.modified().Format(http.TimeFormat)}, []string{strconv.FormatInt(size, 10)},
	}, nil
}

// answer answers what browsers ask, all of the picture or whether it is still
// the one they have, without what http.ServeContent needs for the rest. false
// means that nothing was answered; nil answers nothing.
func (a *shelved) answer(w http.ResponseWriter, r *http.Request) bool {
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
		return false // a list, a weak one, or a picture that was replaced
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

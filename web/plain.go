package web

import (
	"io"
	"net/http"
	"sync"
	"time"

	"picday/store"
)

// A plain is the answer to a plain request for a small picture, whole but for
// the date.
type plain struct{ head, body []byte }

// appendHead appends the head with its date.
func (a *plain) appendHead(to []byte, now time.Time) []byte {
	to = append(to, a.head...)
	to = now.UTC().AppendFormat(to, http.TimeFormat)
	return append(to, "\r\n\r\n"...)
}

// A shelf keeps plain answers at hand. The key says which bytes they are, so
// none is ever outdated; whether a link shows them is not known here.
type shelf struct {
	mu   sync.Mutex
	held map[store.Published]*plain
	size int
}

const (
	shelfSize = 32 << 20 // some 1,500 thumbs
	plainSize = 64 << 10 // larger pictures are net/http's: sendfile is better at them
)

func (s *shelf) get(p store.Published) *plain {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[p]
}

func (s *shelf) put(p store.Published, a *plain) {
	s.mu.Lock()
	defer s.mu.Unlock()
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

// plain makes the answer for an open picture; nil if it is too large, or not
// as long as it should be.
func (p picture) plain() *plain {
	size := p.info.Size()
	if size > plainSize {
		return nil
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(p.File, body); err != nil {
		return nil
	}
	return &plain{p.head(), body}
}

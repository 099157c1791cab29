package web

import (
	"net/http"
	"testing"
)

// nowhere is a ResponseWriter that costs nothing.
type nowhere struct{ h http.Header }

func (n nowhere) Header() http.Header         { return n.h }
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n nowhere) WriteHeader(int)             {}

// BenchmarkPublic is what a picture costs picday itself, without net/http.
func BenchmarkPublic(b *testing.B) {
	bed := newBed(b)
	bed.put("12", "Ann")
	for name, header := range map[string]string{"first": "", "again": "If-None-Match"} {
		b.Run(name, func(b *testing.B) {
			path := "/" + bed.link("12") + "/thumb.jpg"
			r, err := http.NewRequest("GET", path, nil)
			bed.must(err)
			if header != "" {
				r.Header.Set(header, bed.ask("GET", path).Header().Get("Etag"))
			}
			w := nowhere{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.h)
				bed.pub.ServeHTTP(w, r)
			}
		})
	}
}

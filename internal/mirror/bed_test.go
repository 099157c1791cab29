package mirror

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	firstBackOff = time.Millisecond
	m.Run()
}

// A server is an installation that a test says the answers of. The real one is in
// test/mirror_test.go; this one is for what a real one does not do.
type server struct {
	*testing.T
	*httptest.Server

	mu       sync.Mutex
	rows     []map[string]any
	pictures map[string]string // by path
	changed  int64
	waiting  chan struct{} // closed when rows change
	asked    []string      // the questions
	api      http.HandlerFunc
	picture  http.HandlerFunc // nil: as it should
}

func newServer(t *testing.T) *server {
	s := &server{T: t, pictures: map[string]string{}, changed: 1, waiting: make(chan struct{})}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	api, picture := s.api, s.picture
	s.mu.Unlock()
	switch {
	case !strings.HasPrefix(r.URL.Path, "/api/v1/"):
		if r.Header.Get("Authorization") != "" {
			s.Error("the token was sent with a question for a picture")
		}
		if picture != nil {
			picture(w, r)
			return
		}
		s.mu.Lock()
		text, ok := s.pictures[r.URL.Path]
		s.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(text))
	case api != nil:
		api(w, r)
	default:
		s.list(w, r)
	}
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"error": "Give a token."}`))
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.RawQuery)
	waiting := s.waiting
	s.mu.Unlock()
	if r.URL.Path == "/api/v1/accounts" {
		_, _ = w.Write([]byte(`{"accounts": [{"account": "lincoln"}], "next": null}`))
		return
	}
	var since int64
	_, _ = fmt.Sscan(r.FormValue("changed_since"), &since)
	find := func() (rows []map[string]any, changed int64) {
		s.mu.Lock()
		defer s.mu.Unlock()
		rows = []map[string]any{}
		for _, row := range s.rows {
			if row["changed"].(int64) > since && (since > 0 || row["withdrawn_at"] == nil) {
				rows = append(rows, row)
			}
		}
		return rows, s.changed
	}
	rows, changed := find()
	if len(rows) == 0 && r.FormValue("wait") != "" {
		select {
		case <-waiting:
		case <-r.Context().Done():
			return
		}
		rows, changed = find()
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"photos": rows, "next": nil, "changed_until": changed})
}

// put publishes a picture of a person; "" withdraws it.
func (s *server) put(person, content string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed++
	id := int64(len(person)*1000 + int(person[0]))
	s.rows = slices.DeleteFunc(s.rows, func(r map[string]any) bool { return r["person"] == person })
	link := fmt.Sprintf("%056x", s.changed)
	sum := sha256.Sum256([]byte(content))
	row := map[string]any{
		"id": id, "account": "lincoln", "person": person, "link": link, "url": s.URL + "/" + link + ".jpg", "changed": s.changed,
		"renditions": []map[string]any{
			{"name": "thumb", "width": 4, "height": 3, "bytes": 1, "sha256": strings.Repeat("0", 64)},
			{"name": "large", "width": 16, "height": 12, "bytes": len(content), "sha256": hex.EncodeToString(sum[:])},
		},
	}
	if content == "" {
		row["withdrawn_at"] = time.Now()
	}
	s.pictures["/"+link+"/large.jpg"] = content
	s.rows = append(s.rows, row)
	close(s.waiting)
	s.waiting = make(chan struct{})
	return row
}

func (s *server) say(status int, header, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.api = func(w http.ResponseWriter, _ *http.Request) {
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func (s *server) options(dir string) Options {
	return Options{URL: s.URL, Dir: dir, Token: func() (string, error) { return "secret", nil }}
}

func (s *server) once(dir string) error {
	s.Helper()
	o := s.options(dir)
	o.Once = true
	return Run(context.Background(), o)
}

// follow runs a mirror until the test ends.
func (s *server) follow(o Options) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, o) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.Error(err)
		}
	})
	s.Cleanup(stop)
	return stop
}

// has is what is in a directory: names and content.
func has(t *testing.T, dir string) string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) { // not made yet
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ownDir {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	var text string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text += name + "=" + all[name] + " "
	}
	return text
}

func eventually(t *testing.T, dir, want string) {
	t.Helper()
	for late := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		got := has(t, dir)
		if got == want {
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the directory has %q, not %q", got, want)
		}
	}
}

func stateOf(t *testing.T, dir string) (s state) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, stateFile))
	if os.IsNotExist(err) { // not saved yet
		return s
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

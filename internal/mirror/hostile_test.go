package mirror

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a server answers, nothing is written outside of the directory, nothing but
// what the list names is in it, and what was there stays.
func TestHostileAnswers(t *testing.T) {
	change := func(key string, value any) func(map[string]any) {
		return func(row map[string]any) { row[key] = value }
	}
	size := func(key string, value any) func(map[string]any) {
		return func(row map[string]any) { row["renditions"].([]map[string]any)[1][key] = value }
	}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer elsewhere.Close()
	other := strings.Replace(elsewhere.URL, "127.0.0.1", "127.0.0.2", 1)
	link := strings.Repeat("a", 56)
	for name, spoil := range map[string]func(map[string]any){
		"a path":                change("person", "../../evil"),
		"an absolute path":      change("person", "/tmp/evil"),
		"a folder":              change("person", "a/b"),
		"two dots":              change("person", ".."),
		"a hidden file":         change("person", ".bashrc"),
		"the mirror's own":      change("person", ".picday-mirror/state.json"),
		"a zero byte":           change("person", "evil\x00"),
		"a control character":   change("person", "evil\n"),
		"a very long name":      change("person", strings.Repeat("x", 300)),
		"another account":       change("account", "acme"),
		"no id":                 change("id", 0),
		"a negative id":         change("id", -5),
		"an id that is text":    change("id", "../evil"),
		"a link that is a path": change("link", "../evil"),
		"no link":               change("link", ""),
		"another host":          change("url", other+"/"+link+".jpg"),
		"a file":                change("url", "file:///etc/"+link+".jpg"),
		"a url without a link":  change("url", "http://127.0.0.1/evil.jpg"),
		"withdrawn at a word":   change("withdrawn_at", "yesterday"),
		"a size that is a path": size("name", "../large"),
		"huge":                  size("bytes", int64(1)<<50),
		"no bytes":              size("bytes", 0),
		"negative bytes":        size("bytes", -1),
		"a hash that is a word": size("sha256", "evil"),
		"other bytes":           size("sha256", strings.Repeat("0", 64)),
		"more bytes":            size("bytes", 2),
		"fewer bytes":           size("bytes", 4),
		"no sizes":              change("renditions", []any{}),
	} {
		t.Run(name, func(t *testing.T) {
			s, parent := newServer(t), t.TempDir()
			dir := filepath.Join(parent, "a", "b", "pictures")
			if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			s.put("12", "Ann")
			if err := s.once(dir); err != nil {
				t.Fatal(err)
			}
			row := s.put("13", "Ben")
			row["link"], row["url"] = link, s.URL+"/"+link+".jpg"
			s.pictures["/"+link+"/large.jpg"] = "Ben"
			spoil(row)
			if err := s.once(dir); err == nil {
				t.Error("no error")
			} else if strings.ContainsAny(err.Error(), "\x00\n") {
				t.Errorf("an error with raw bytes of the server's: %q", err)
			}
			if got := has(t, dir); got != "12.jpg=Ann " {
				t.Errorf("the directory has %s", got)
			}
			onlyIn(t, parent, dir)
		})
	}
}

// onlyIn looks for files outside of a directory, and for leftovers in it.
func onlyIn(t *testing.T, parent, dir string) {
	t.Helper()
	err := filepath.WalkDir(parent, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(path, dir+"/") {
			t.Errorf("there is %s", path)
		}
		if strings.HasPrefix(path, filepath.Join(dir, tempDir)+"/") {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Answers that are no list of photos change nothing.
func TestWrongLists(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":               ``,
		"null":                  `null`,
		"a page":                `<html>Welcome to nginx!`,
		"cut off":               `{"photos": [], "next": nul`,
		"no photos":             `{"next": null, "changed_until": 5}`,
		"no end":                `{"photos": [], "next": null, "changed_until": null}`,
		"two ends":              `{"photos": [], "next": "x", "changed_until": 5}`,
		"next leads nowhere":    `{"photos": [], "next": "x", "changed_until": null}`,
		"backwards":             `{"photos": [], "next": null, "changed_until": -1}`,
		"far ahead":             `{"photos": [], "next": null, "changed_until": 9223372036854775807}`,
		"more than asked for":   `{"photos": [` + strings.Repeat(`{},`, 1000) + `{}], "next": null, "changed_until": 5}`,
		"deep":                  strings.Repeat("[", 1_000_000),
		"of a strange type":     `{"photos": {"12": 1}, "next": 5, "changed_until": "x"}`,
		"withdrawn in the list": `{"photos": [{"id": 5, "account": "lincoln", "person": "12", "withdrawn_at": "2026-01-01T00:00:00Z"}], "next": null, "changed_until": 5}`,
		"endless":               strings.Repeat(" ", maxAnswer+10),
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newServer(t), t.TempDir()
			s.put("12", "Ann")
			if err := s.once(dir); err != nil {
				t.Fatal(err)
			}
			s.say(http.StatusOK, "", text)
			o := s.options(dir)
			o.Once, o.Check = true, true
			if err := Run(t.Context(), o); err == nil {
				t.Error("no error")
			} else if len(err.Error()) > 500 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			if got := has(t, dir); got != "12.jpg=Ann " {
				t.Errorf("the directory has %s", got)
			}
		})
	}
}

// A small answer that unpacks to a huge one is not read to its end.
func TestAPackedBomb(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	s.mu.Lock()
	s.api = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 200 {
			_, _ = z.Write(make([]byte, 1<<20))
		}
		_ = z.Close()
	}
	s.mu.Unlock()
	if err := s.once(dir); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
}

// Half bodies, redirects and wrong certificates leave no file, and none of them is told
// the token.
func TestHostilePictures(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"half a body": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			_, _ = w.Write([]byte("B"))
		},
		"half a body without a length": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("B"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"a short body without a length": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte("B"))
		},
		"a body without an end": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:1/x.jpg", http.StatusFound)
		},
		"a redirect to itself": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		},
		"a page":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"nothing":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"a part":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
		"the other way": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("neB")) },
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newServer(t), t.TempDir()
			s.put("12", "Ann")
			if err := s.once(dir); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			s.picture = serve
			s.mu.Unlock()
			s.put("12", "Ann, newer")
			s.put("13", "Ben")
			if err := s.once(dir); err == nil || !strings.Contains(err.Error(), "cannot be fetched") {
				t.Errorf("%v", err)
			}
			if got := has(t, dir); got != "12.jpg=Ann " {
				t.Errorf("the directory has %s", got)
			}
			onlyIn(t, dir, dir)
			if got := stateOf(t, dir).ChangedUntil; got > 2 {
				t.Errorf("the state says that all up to %d is done", got)
			}
			s.mu.Lock()
			s.picture = nil
			s.mu.Unlock()
			if err := s.once(dir); err != nil || has(t, dir) != "12.jpg=Ann, newer 13.jpg=Ben " {
				t.Errorf("when it is mended: %v, %s", err, has(t, dir))
			}
		})
	}
}

// A server whose certificate nobody vouches for is told nothing.
func TestABadCertificate(t *testing.T) {
	s := &server{T: t, pictures: map[string]string{}, changed: 1, waiting: make(chan struct{})}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	s.put("12", "Ann")
	dir := t.TempDir()
	if err := s.once(dir); err == nil || !strings.Contains(err.Error(), "certificate") || len(s.asked) > 0 {
		t.Errorf("%v, asked %v", err, s.asked)
	}
	pem := filepath.Join(t.TempDir(), "ca.pem")
	text := fmt.Sprintf("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", base64Lines(s.Certificate().Raw))
	if err := os.WriteFile(pem, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o := s.options(dir)
	var err error
	if o.Roots, err = Authorities(pem); err != nil {
		t.Fatal(err)
	}
	o.Once = true
	if err := Run(t.Context(), o); err != nil || has(t, dir) != "12.jpg=Ann " {
		t.Errorf("with --ca: %v", err)
	}
	// From a page over https nobody is led to one over http.
	row := s.put("13", "Ben")
	row["url"] = strings.Replace(row["url"].(string), "https:", "http:", 1)
	if err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "--pictures") {
		t.Errorf("pictures over http: %v", err)
	}
}

func base64Lines(raw []byte) string {
	text, _ := json.Marshal(raw) // as base64, in quotes
	return strings.Trim(string(text), `"`)
}

// Pictures may be on another host if that one was named.
func TestPicturesElsewhere(t *testing.T) {
	s, dir := newServer(t), t.TempDir()
	pictures := newServer(t)
	row := s.put("12", "Ann")
	link := row["link"].(string)
	other := strings.Replace(pictures.URL, "127.0.0.1", "localhost", 1)
	row["url"] = other + "/" + link + ".jpg"
	pictures.pictures["/"+link+"/large.jpg"] = "Ann"
	if err := s.once(dir); err == nil || !strings.Contains(err.Error(), "--pictures "+other) {
		t.Errorf("%v", err)
	}
	o := s.options(dir)
	o.Once, o.Pictures = true, other+"/"
	if err := Run(t.Context(), o); err != nil || has(t, dir) != "12.jpg=Ann " {
		t.Errorf("%v, %s", err, has(t, dir))
	}
	o.Pictures = "https://pics.example"
	o.Check = true
	if err := Run(t.Context(), o); err == nil {
		t.Error("another address than the one that was named is taken")
	}
}

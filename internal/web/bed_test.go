package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/layout"
	"picday/internal/rendition"
	"picday/internal/upload"
	"picday/store"
	"picday/store/pictures"
)

// A bed is a real catalogue with real files, and a public listener on it.
type bed struct {
	testing.TB
	s    *store.Store
	acct store.Account
	log  logBuffer
	pub  *Public
	ino  atomic.Uint64
}

// specs are the renditions of the configuration's defaults.
var specs = []rendition.Spec{{Name: "large", Longest: 1600, Quality: 85}, {Name: "thumb", Longest: 400, Quality: 80}}

func newBed(t testing.TB) *bed {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "picday-web-") // needs no disk, if there is one
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &bed{TB: t}
	b.s, _, err = store.Create(t.Context(), dir)
	b.must(err)
	t.Cleanup(func() { b.s.Close() })
	b.tx(func(tx *store.Tx) (err error) {
		b.acct, err = tx.AddAccount(store.Account{Name: "lincoln", Layout: layout.Portraits})
		return err
	})
	links, err := b.s.OpenLinks(t.Context(), "large")
	b.must(err)
	t.Cleanup(func() { links.Close() })
	b.pub = &Public{Pictures: links, Files: b.s.Files(), Healthy: func() error { return nil }, Log: zerolog.New(&b.log)}
	return b
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) tx(fn func(*store.Tx) error) { b.Helper(); b.must(b.s.Update(context.Background(), fn)) }

// serve starts the public listener as the daemon would.
func (b *bed) serve() string {
	b.Helper()
	server, err := New("web.public", "127.0.0.1:0", nil, b.pub, b.pub.Log)
	b.must(err)
	return b.run(server)
}

// run runs a server until the test ends, and tells where it listens.
func (b *bed) run(server *Server) (url string) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return "http://" + server.Addr()
}

// put publishes a portrait; the bytes of its renditions are made up of the
// content, so that a test knows what it must see.
func (b *bed) put(person, content string) {
	b.Helper()
	path := b.path(person)
	b.publish(b.acct, store.Place{Path: path, Shown: path, Person: person}, content)
}

func (b *bed) publish(acct store.Account, at store.Place, content string) {
	b.Helper()
	b.publishShot(acct, at, content, store.Camera{})
}

// publishShot publishes what a camera has taken.
func (b *bed) publishShot(acct store.Account, at store.Place, content string, camera store.Camera) {
	b.Helper()
	b.publishFile(acct, at, b.ino.Add(1), content, camera)
}

// publishFile publishes the file of an inode, which may have had another name before.
func (b *bed) publishFile(acct store.Account, at store.Place, ino uint64, content string, camera store.Camera) {
	b.Helper()
	sha := store.SHA(sha256.Sum256([]byte(content)))
	o := store.Original{SHA: sha, Bytes: int64(len(content)), Width: 800, Height: 600, Camera: camera}
	for _, spec := range specs {
		data := rendered(spec.Name, content)
		name := b.s.Files().Path(pictures.Rendition(sha, spec))
		if _, err := os.Lstat(name); err != nil {
			b.must(os.WriteFile(name+".tmp", data, 0o440))
			b.must(os.Rename(name+".tmp", name))
		}
		o.Renditions = append(o.Renditions, store.Rendition{Spec: spec, Width: 8, Height: 6, Bytes: int64(len(data)), Hash: sha256.Sum256(data)})
	}
	b.tx(func(tx *store.Tx) error {
		_, err := tx.Publish(store.Arrival{
			Account: acct, Place: at,
			Identity: upload.Identity{Volume: 1, Ino: ino, Size: o.Bytes, Ctime: time.Now().UnixNano()}, Original: o,
		}, gone{})
		return err
	})
}

func (b *bed) path(person string) string {
	return filepath.Join(b.acct.Name, "user-pictures", person+".jpg")
}

// rendered is long enough for ranges, and says in each line what it is.
func rendered(name, content string) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%s of %s\n", name, content), 100)
}

// withdraw takes a portrait back, as after its grace.
func (b *bed) withdraw(person string) {
	b.Helper()
	b.tx(func(tx *store.Tx) error {
		paths, _, err := tx.Missing(b.acct, b.path(person), "", 100, gone{})
		if err == nil && len(paths) != 1 {
			err = fmt.Errorf("missing: %v", paths)
		}
		if err != nil {
			return err
		}
		done, _, err := tx.Withdraw(-time.Hour, store.SweepPosition{}, 10, gone{})
		if err == nil && len(done) != 1 {
			err = fmt.Errorf("withdrawn: %v", done)
		}
		return err
	})
}

// link is a person's link, "" if nothing is published.
func (b *bed) link(person string) (link string) {
	b.Helper()
	all, err := b.s.All().Photos(context.Background(), store.PhotoQuery{Person: person})
	b.must(err)
	for _, p := range all {
		link = p.Link
	}
	return link
}

// A logBuffer takes lines from many goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// gone is an upload volume from which everything has gone.
type gone struct{}

func (gone) Look(context.Context, string, string) (store.Presence, upload.Identity) {
	return store.Absent, upload.Identity{}
}

func (gone) Find(context.Context, string, string, upload.Identity, store.SHA) (store.Presence, string) {
	return store.Absent, ""
}

func (gone) Verify(context.Context) error { return nil }

// ask puts one request to the handler, without a network.
func (b *bed) ask(method, path string, header ...string) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequest(method, "http://pics.example/", nil)
	u, err := r.URL.Parse(path)
	b.must(err)
	r.URL = u
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	http.Handler(b.pub).ServeHTTP(w, r)
	return w
}

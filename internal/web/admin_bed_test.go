package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"picday/internal/control"
	"picday/internal/layout"
	"picday/internal/upload"
	"picday/store"
)

// password is every operator's.
const password = "correct horse"

var passwordHash = sync.OnceValue(func() string { return quickHash(password) })

// quickHash is store.HashPassword at the least cost, because most of what these
// tests compute would be hashes. What a hash costs is a test of store's.
func quickHash(password string) string {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
}

// do is a Writer without the queue.
type do struct{ *store.Store }

func (d do) Do(ctx context.Context, apply func(*store.Tx) error) error {
	return d.Update(ctx, apply)
}

// An adminBed is a bed with a second account, and the administration listener.
type adminBed struct {
	*bed
	gate   *gate
	other  store.Account
	third  store.Account // of fullBed
	status control.Status
	clock  time.Time // see ownClock
}

func newAdminBed(t testing.TB) *adminBed {
	t.Helper()
	b := &adminBed{bed: newBed(t), status: control.NewStatus()}
	b.status.Running = true
	b.tx(func(tx *store.Tx) (err error) {
		b.other, err = tx.AddAccount(store.Account{Name: "acme", Layout: layout.Jobs})
		if err == nil {
			err = tx.AddJob(b.other, "job00001")
		}
		return err
	})
	b.gate = newGate(Admin{
		Store: b.s, Writer: do{b.s}, Healthy: func() error { return nil },
		Status:  func(context.Context) control.Status { return b.status },
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("picday_up 1\n")) }),
		Site: Site{
			PublicURL: "https://pics.example", Host: "sftp.example", Port: 22, Renditions: specs, Files: b.s.Files(),
		},
		Hosts: []string{"admin.example"}, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		BrowserKey: bytes.Repeat([]byte("k"), 32), Log: b.pub.Log,
	})
	return b
}

// addOperator makes an operator of one account, or (zero) of all.
func (b *adminBed) addOperator(name string, accountID int64) {
	b.Helper()
	b.tx(func(tx *store.Tx) error {
		return tx.AddOperator(store.Operator{Name: name, AccountID: accountID, Role: store.Admin}, passwordHash())
	})
}

// session is a cookie of an operator, as a header.
func (b *adminBed) session(name string) (cookie string) {
	b.Helper()
	b.tx(func(tx *store.Tx) (err error) {
		cookie, err = tx.StartSession(name, passwordHash())
		return err
	})
	return "picday=" + cookie
}

// token makes a token of one account, or (zero) of all, and gives the header.
func (b *adminBed) token(name string, accountID int64) (bearer string) {
	b.Helper()
	b.tx(func(tx *store.Tx) (err error) {
		bearer, err = tx.AddToken(store.Token{Name: name, AccountID: accountID})
		return err
	})
	return "Bearer " + bearer
}

// ask puts one request to the listener; form is for POST.
func (b *adminBed) ask(method, target string, form url.Values, header ...string) *httptest.ResponseRecorder {
	b.Helper()
	r := b.request(method, target, header...)
	if form != nil {
		r.Body = io.NopCloser(strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.answer(r)
}

func (b *adminBed) answer(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.gate.ServeHTTP(w, r)
	return w
}

// request comes from a proxy on this machine.
func (b *adminBed) request(method, target string, header ...string) *http.Request {
	b.Helper()
	r := httptest.NewRequest(method, "http://admin.example"+target, nil)
	r.RemoteAddr = "127.0.0.1:50000"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// photo finds a person's photo.
func (b *adminBed) photo(person string) store.Photo {
	b.Helper()
	all, err := b.s.View(0).Photos(context.Background(), store.PhotoQuery{Person: person, Show: store.ShowBoth})
	b.must(err)
	if len(all) != 1 {
		b.Fatalf("photos of %s: %+v", person, all)
	}
	return all[0]
}

// shoot publishes a photo of job00001 of acme.
func (b *adminBed) shoot(album, file string) {
	b.Helper()
	path := "job00001/" + album + "/" + file
	b.publish(b.other, store.Place{Path: path, Shown: path, Job: "job00001", Album: album, Area: "individuals"}, path)
}

func (b *adminBed) write(file, content string) {
	b.Helper()
	b.must(os.WriteFile(file, []byte(content), 0o640))
}

// spoil enters a problem of acme.
func (b *adminBed) spoil(path string) {
	b.Helper()
	b.tx(func(tx *store.Tx) error {
		id := upload.Identity{Volume: 1, Ino: b.ino.Add(1), Size: 3}
		return tx.Problem(b.other, store.Place{Path: path, Shown: path, Job: "job00001"}, id, layout.NotJPEG, 0, gone{})
	})
}

package roothelper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/crypto/bcrypt"

	"picday/internal/account"
	"picday/internal/config"
	"picday/internal/helper"
	"picday/internal/layout"
	"picday/internal/test/catalogues"
	"picday/store"
)

// password is every operator's.
const password = "correct horse"

var passwordHash = sync.OnceValue(func() string {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(hash)
})

// A bed is a helper of both parts over a catalogue with acme (jobs) and lincoln (portraits),
// for an ordinary user: its machine notes what it is told to do.
type bed struct {
	*testing.T
	dir    string // of the sockets
	s      *store.Store
	may    []string
	acme   store.Account
	peer   int
	now    time.Time
	config func() (config.Config, error)
	log    *bytes.Buffer
	mu     sync.Mutex
	calls  []string
	fail   error
	during func() // a call to the machine

	within   atomic.Int64 // how long a request is waited for whose connection begins now
	accepted atomic.Int64 // connections
}

const daemonUser = 77

func newBed(t *testing.T, may ...string) *bed {
	t.Helper()
	data := t.TempDir()
	s, _, err := store.Create(t.Context(), data)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	must(t, catalogues.Fill(t.Context(), s, catalogues.Plan{Pictures: catalogues.Pictures(1), Accounts: []catalogues.Account{
		{Name: "acme", Layout: layout.Jobs, Jobs: []catalogues.Job{{Name: "job1", Albums: []catalogues.Album{{Name: "A", Individuals: 2}}}, {Name: "empty"}}},
		{Name: "lincoln", Layout: layout.Portraits},
	}}))
	dir, err := os.MkdirTemp("/tmp", "picday-helper-") // short, for sockets
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &bed{T: t, dir: dir, s: s, may: may, peer: daemonUser, log: &bytes.Buffer{}}
	b.within.Store(int64(time.Minute))
	b.config = func() (config.Config, error) {
		cfg := config.Default()
		cfg.UploadDir, cfg.Web.May = t.TempDir(), b.may
		return cfg, nil
	}
	b.acme, err = s.All().Account(t.Context(), "acme")
	must(t, err)
	lincoln, err := s.All().Account(t.Context(), "lincoln")
	must(t, err)
	must(t, s.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.AddOperator(store.Operator{Name: "ann", Role: store.Admin}, passwordHash()),
			tx.AddOperator(store.Operator{Name: "lea", AccountID: lincoln.ID, Role: store.Admin}, passwordHash()),
			tx.AddOperator(store.Operator{Name: "wes", Role: store.Work}, passwordHash()), tx.AddOperator(store.Operator{Name: "lou", Role: store.Look}, passwordHash()))
	}))
	var served sync.WaitGroup
	t.Cleanup(served.Wait) // after the listeners are closed
	for _, part := range []helper.Part{helper.Files, helper.Accounts} {
		l, err := net.Listen("unix", part.Socket(dir))
		must(t, err)
		o := Options{
			Part: part, State: dir + "/recent",
			Config:  func() (config.Config, error) { return b.config() },
			Open:    func(context.Context) (*store.Store, error) { return s, nil },
			Machine: func(config.Config) Machine { return &machine{bed: b} },
			Daemon:  func() (int, error) { return daemonUser, nil },
			Peer:    func(*net.UnixConn) (int, error) { return b.peer, nil },
			Now:     func() time.Time { return time.Now().Add(time.Duration(b.now.UnixNano())) },
			Log:     zerolog.New(zerolog.SyncWriter(b.log)),
		}
		b.now = time.Unix(0, 0)
		served.Go(func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				o.Within = time.Duration(b.within.Load())
				b.accepted.Add(1)
				served.Go(func() { o.Serve(context.Background(), conn.(*net.UnixConn)) })
			}
		})
		t.Cleanup(func() { l.Close() })
	}
	return b
}

// ask sends a request of ann's, with her password where one is wanted.
func (b *bed) ask(verb helper.Verb, account string, change ...func(*helper.Request)) (helper.Answer, error) {
	b.Helper()
	r := helper.New(verb, "ann", account)
	if verb.Part() == helper.Accounts {
		r.Password = password
	}
	for _, c := range change {
		c(&r)
	}
	return helper.Ask(b.Context(), b.dir, r)
}

// refuses demands that a request was refused so, and nothing was told to the machine.
func (b *bed) refuses(what string, why helper.Why, err error) {
	b.Helper()
	var refused *helper.RefusalError
	if !errors.As(err, &refused) || refused.Why != why || refused.Sentence == "" {
		b.Errorf("%s: %v, want %s", what, err, why)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.calls) > 0 {
		b.Errorf("%s: %q was done", what, b.calls)
	}
	b.calls = nil
}

// did demands what was told to the machine since it was asked last.
func (b *bed) did(want string, err error) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if got := strings.Join(b.calls, "; "); err != nil || got != want {
		b.Errorf("done: %q, %v; want %q", got, err, want)
	}
	b.calls = nil
}

// raw sends bytes as they are, and returns the answer.
func (b *bed) raw(part helper.Part, text string, half bool) (a helper.Answer) {
	b.Helper()
	conn, err := net.Dial("unix", part.Socket(b.dir))
	must(b.T, err)
	defer conn.Close()
	_, _ = conn.Write([]byte(text)) // refused before its end: then the answer says so
	if !half {
		must(b.T, conn.(*net.UnixConn).CloseWrite())
	}
	answer, _ := io.ReadAll(conn)
	if err := json.Unmarshal(answer, &a); err != nil {
		b.Fatalf("%q: %v", answer, err)
	}
	return a
}

func (b *bed) activity() (all []string) {
	b.Helper()
	rows, err := b.s.All().Activity(b.Context(), store.ActivityQuery{})
	must(b.T, err)
	for _, a := range rows {
		if a.Operator != "" {
			all = append(all, strings.Join([]string{string(a.Event), a.Account, a.Path, a.Detail, a.Operator}, " "))
		}
	}
	return all
}

// machine stands in for account.System.
type machine struct{ *bed }

func (m *machine) called(words ...string) ([]string, error) {
	m.mu.Lock()
	during := m.during
	m.calls = append(m.calls, strings.Join(words, " "))
	m.mu.Unlock()
	if during != nil {
		during()
	}
	return words[:1], m.fail
}

func (m *machine) Lock(context.Context) (func(), error) { return func() {}, nil }
func (m *machine) Add(_ context.Context, s account.Spec, _ []store.Account) ([]string, error) {
	if len(s.Password) < 20 {
		m.Errorf("a password of %d letters", len(s.Password))
	}
	return m.called("add", s.Account.Name, string(bytes.Join(s.Keys, nil)))
}

func (m *machine) SetAllow(_ context.Context, a store.Account, _ []store.Account) ([]string, error) {
	return m.called("allow", a.Name)
}

func (m *machine) SetPassword(_ context.Context, name, _ string) ([]string, error) {
	return m.called("password", name)
}

func (m *machine) SetKeys(_ context.Context, name string, keys [][]byte) ([]string, error) {
	return m.called("keys", name, string(bytes.Join(keys, nil)))
}

func (m *machine) Enable(_ context.Context, a store.Account, _ []store.Account) ([]string, error) {
	return m.called("enable", a.Name)
}

func (m *machine) Disable(_ context.Context, a store.Account) ([]string, error) {
	return m.called("disable", a.Name)
}

func (m *machine) Remove(_ context.Context, a store.Account, _ []store.Account, _ bool) ([]string, error) {
	return m.called("REMOVE", a.Name)
}

func (m *machine) AddLogin(_ context.Context, a store.Account, s account.LoginSpec, _ []store.Account) ([]string, error) {
	return m.called("login", a.Name, s.Login.Name)
}

func (m *machine) RemoveLogin(_ context.Context, a store.Account, name string, _ []store.Account) ([]string, error) {
	return m.called("no login", a.Name, name)
}

func (m *machine) SetLoginEnd(_ context.Context, a store.Account, l store.Login, _ []store.Account) ([]string, error) {
	return m.called("end", a.Name, l.Name, l.Until.String())
}

func (m *machine) EndLogins(context.Context, []store.Account, time.Time) ([]string, error) {
	return nil, nil
}

func (m *machine) AddJob(account, job string) ([]string, error) {
	return m.called("job", account, job)
}

func (m *machine) RemoveJob(account, job string) ([]string, error) {
	return m.called("no job", account, job)
}
func (m *machine) HostKeys(context.Context) ([]store.HostKey, error) { return nil, nil }
func (m *machine) Base(account string) string                        { return filepath.Join(m.dir, account) }

func (m *machine) HiddenJobDir(account, job string) string {
	return filepath.Join(m.dir, ".active", account, job)
}

func (m *machine) RestoreFile(a store.Account, path string, _ func(io.Writer) error) (fs.FileInfo, error) {
	_, err := m.called("file", a.Name, path)
	fi, serr := os.Stat(m.dir)
	return fi, errors.Join(err, serr)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

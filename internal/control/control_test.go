package control

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

type fake struct {
	rescans chan string
	status  *Status
	teller  *Teller
}

func (f fake) Status(context.Context) Status { return *f.status }

func (f fake) Teller() *Teller { return f.teller }

func (f fake) Profiles() http.Handler { return http.NotFoundHandler() }

func (f fake) Looks(account, path string) Looks {
	return Looks{Looks: []Look{{Verdicts: []string{account, path}}}}
}

func (f fake) Rescan(_ context.Context, account string) error {
	f.rescans <- account
	if account == "bad" {
		return errors.New("no such account")
	}
	return nil
}

// serve answers in dir until the test ends or stop is called.
func serve(t *testing.T, dir string) (f fake, stop func()) {
	t.Helper()
	f = fake{make(chan string, 10), &Status{Running: true, Queued: 7}, &Teller{}}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, dir, f) }()
	stop = func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
	limit := time.Now().Add(10 * time.Second)
	for {
		_, err := Ask(t.Context(), dir)
		if err == nil {
			return f, stop
		}
		if time.Now().After(limit) {
			t.Fatal(err)
		}
	}
}

// Also below a directory whose name does not fit into a socket's.
func TestAskAndRescan(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 60))
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	f, stop := serve(t, dir)
	if s, err := Ask(t.Context(), dir); err != nil || !s.Running || s.Queued != 7 {
		t.Errorf("%+v %v", s, err)
	}
	*f.teller = Teller{Since: time.Unix(77, 0), Mailed: map[string]Mailbox{"eva": {"eva@example.org", "de"}}}
	if a, err := AskTeller(t.Context(), dir); err != nil || !a.Since.Equal(time.Unix(77, 0)) || a.Mailed["eva"].Address != "eva@example.org" {
		t.Errorf("%+v %v", a, err)
	}
	if fi, err := os.Stat(filepath.Join(dir, socketName)); err != nil || fi.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", fi, err)
	}
	if l, err := AskLooks(t.Context(), dir, "acme", "a\xff&b"); err != nil || len(l.Looks) != 1 || !reflect.DeepEqual(l.Looks[0].Verdicts, []string{"acme", "a\ufffd&b"}) {
		t.Errorf("%+v %v", l, err)
	}
	if err := Rescan(t.Context(), dir, "a&wait=x c", true); err != nil || <-f.rescans != "a&wait=x c" {
		t.Errorf("%v", err)
	}
	if err := Rescan(t.Context(), dir, "", false); err != nil || <-f.rescans != "" {
		t.Errorf("%v", err)
	}
	if err := Rescan(t.Context(), dir, "bad", true); err == nil || err.Error() != "picdayd: no such account" {
		t.Errorf("%v", err)
	}
	stop()
	if _, err := Ask(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, socketName)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

func TestNobodyAnswers(t *testing.T) {
	dir := t.TempDir()
	if _, err := Ask(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("never started: %v", err)
	}
	if err := Rescan(t.Context(), dir, "", true); !errors.Is(err, ErrNotRunning) {
		t.Errorf("never started: %v", err)
	}
	// A daemon that was killed leaves its socket.
	l, err := net.Listen("unix", filepath.Join(dir, socketName))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	if _, err := Ask(t.Context(), dir); !errors.Is(err, ErrNotRunning) {
		t.Errorf("killed: %v", err)
	}
	_, stop := serve(t, dir) // and the next one takes its place
	stop()
}

// The socket carries whole warnings; what commands and the API print is sentences.
func TestWarnings(t *testing.T) {
	dir := t.TempDir()
	f, stop := serve(t, dir)
	defer stop()
	*f.status = NewStatus()
	if s, err := Ask(t.Context(), dir); err != nil || !reflect.DeepEqual(s, NewStatus()) {
		t.Errorf("without warnings: %+v %v", s, err)
	}
	f.status.Warn("something")
	f.status.Warnings = append(f.status.Warnings, Warning{Kind: AccountAtLimit, Account: "acme", Text: "acme is full"})
	s, err := Ask(t.Context(), dir)
	if err != nil || !reflect.DeepEqual(s, *f.status) {
		t.Errorf("%+v %v", s, err)
	}
	text, err := json.Marshal(s)
	if err != nil || !strings.Contains(string(text), `"warnings":["something","acme is full"]`) {
		t.Errorf("%s %v", text, err)
	}
	var again Status
	if err := json.Unmarshal(text, &again); err != nil || len(again.Warnings) != 2 || again.Warnings[1].Text != "acme is full" {
		t.Errorf("%+v %v", again, err)
	}
}

// picdayd may be taken over: what it says is read up to a bound only.
func TestAnswersAreBounded(t *testing.T) {
	dir := t.TempDir()
	f, stop := serve(t, dir)
	defer stop()
	f.status.PolledDirs = []string{strings.Repeat("x", maxAnswer)}
	if _, err := Ask(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "longer than 64 MB") {
		t.Errorf("%v", err)
	}
}

package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

type fake struct{ rescans chan string }

func (f fake) Status(context.Context) Status { return Status{Running: true, Queued: 7} }

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
	f = fake{make(chan string, 10)}
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
	if fi, err := os.Stat(filepath.Join(dir, socketName)); err != nil || fi.Mode().Perm() != 0o660 {
		t.Errorf("%v %v", fi, err)
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

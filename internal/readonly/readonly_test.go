package readonly

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/control"
	"picday/store"
)

// freeAddr is an address of this machine on which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServe(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir, cfg.RunDir = t.TempDir(), t.TempDir()
	cfg.Web.Public, cfg.Web.Admin = freeAddr(t), freeAddr(t)
	s, _, err := store.Create(t.Context(), cfg.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var over atomic.Bool
	told := make(chan string, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(t.Context(), Options{
			Config: cfg, Why: errors.New("no space left on device"), Word: "disk-full",
			Over:   func(time.Time) bool { return over.Load() },
			Notify: func(state string) { told <- state },
			Log:    zerolog.Nop(),
		})
	}()
	var states []string
	for range 2 {
		select {
		case state := <-told:
			states = append(states, state)
		case err := <-ended:
			t.Fatal("ended: ", err)
		}
	}
	if !slices.Equal(states, []string{"READY=1", "WATCHDOG=1"}) {
		t.Errorf("systemd was told %q", states)
	}
	for url, want := range map[string]string{
		"http://" + cfg.Web.Public + "/healthz":                                "503 not proven alive: disk-full",
		"http://" + cfg.Web.Admin + "/healthz":                                 "503 not proven alive: disk-full",
		"http://" + cfg.Web.Public + "/" + strings.Repeat("0", 56) + ".jpg":    "404 There is no picture here.",
		"http://" + cfg.Web.Admin + "/":                                        "503 There are no pages at the moment.",
		"http://" + cfg.Web.Admin + "/api/v1/photos?changed_since=0&limit=100": "503 There are no pages at the moment.",
	} {
		if got := ask(t, url); got != want {
			t.Errorf("%s: %s", url, got)
		}
	}
	st := status(t, cfg.RunDir)
	if !st.Running || len(st.Warnings) != 1 || !strings.HasSuffix(st.Warnings[0].Text, "cannot be written: no space left on device") {
		t.Errorf("%+v", st)
	}
	if err := control.Rescan(t.Context(), cfg.RunDir, "", true); err == nil || !strings.Contains(err.Error(), "nothing else is done") {
		t.Errorf("rescan: %v", err)
	}
	over.Store(true)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if l, err := net.Listen("tcp", cfg.Web.Public); err != nil {
		t.Errorf("the address was not given back: %v", err)
	} else {
		l.Close()
	}
}

// status asks until the socket is there.
func status(t *testing.T, dir string) control.Status {
	t.Helper()
	for {
		st, err := control.Ask(t.Context(), dir)
		if !errors.Is(err, control.ErrNotRunning) {
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func ask(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Status[:3] + " " + strings.TrimSpace(string(body))
}

// Without a catalogue there is nothing to serve, and none is made.
func TestNoCatalogue(t *testing.T) {
	cfg := config.Default()
	cfg.DataDir, cfg.RunDir = t.TempDir(), t.TempDir()
	if err := Serve(context.Background(), Options{Config: cfg, Log: zerolog.Nop()}); err == nil {
		t.Error("served what is not there")
	}
}

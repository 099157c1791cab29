package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"picday/store"
)

// passing are checks that pass; a test replaces one.
func passing() Checks {
	ok := func() error { return nil }
	asked := func(context.Context) error { return nil }
	return Checks{Watcher: asked, Place: ok, Disk: ok, Catalogue: asked, Room: ok}
}

func TestHealth(t *testing.T) {
	broken := errors.New("input/output error")
	fails := func() error { return broken }
	asked := func(context.Context) error { return broken }
	hangs := func() error { time.Sleep(time.Hour); return nil }
	late := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		set     func(*Checks)
		word    string // for /healthz
		failing string // for the status
		fed     bool   // systemd's watchdog
	}{
		"passing":                   {func(*Checks) {}, "", "", true},
		"watcher fails":             {func(c *Checks) { c.Watcher = asked }, "watcher-failed", "the watcher does not answer: input", false},
		"watcher does not answer":   {func(c *Checks) { c.Watcher = late }, "watcher-stuck", "the watcher does not answer has", false},
		"directory cannot be read":  {func(c *Checks) { c.Place = fails }, "disk-failed", "the disk of the data directory: input", true},
		"disk is broken":            {func(c *Checks) { c.Disk = fails }, "disk-failed", "the disk of the data directory: input", true},
		"disk is frozen":            {func(c *Checks) { c.Disk = hangs }, "disk-stuck", "has not answered for 10s", true},
		"out of files":              {func(c *Checks) { c.Disk = func() error { return syscall.EMFILE } }, "out-of-files", "raise LimitNOFILE", false},
		"catalogue fails":           {func(c *Checks) { c.Catalogue = asked }, "catalogue-failed", "the catalogue: input", true},
		"catalogue does not answer": {func(c *Checks) { c.Catalogue = late }, "catalogue-stuck", "the catalogue has not answered", false},
		"disk is full":              {func(c *Checks) { c.Room = fails }, "disk-full", "input", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				var told []string
				m := New(Every, func(state string) { told = append(told, state) }, zerolog.Nop())
				if err := m.Healthy(); err == nil || err.Error() != "starting" {
					t.Errorf("before the first round: %v", err)
				}
				checks := passing()
				c.set(&checks)
				ended := make(chan error, 1)
				go func() { ended <- m.Run(ctx, checks) }()
				time.Sleep(4 * Every)
				synctest.Wait()
				if word := said(m.Healthy()); word != c.word {
					t.Errorf("healthy: %q", word)
				}
				if text := said(m.Failing()); !strings.Contains(text, c.failing) || (text == "") != (c.failing == "") {
					t.Errorf("failing: %q", text)
				}
				if fed := slices.Contains(told, "WATCHDOG=1"); fed != c.fed || slices.Contains(told, "READY=1") != c.fed {
					t.Errorf("systemd was told %q", told)
				}
				if m.Proven().IsZero() != (c.word != "") {
					t.Errorf("proven: %v", m.Proven())
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				time.Sleep(2 * time.Hour) // what hangs ends
			})
		})
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// One round that fails does not make picdayd unhealthy, three do; and it recovers.
func TestHealthyForThreeRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var broken atomic.Bool
		checks := passing()
		checks.Disk = func() error {
			if broken.Load() {
				return errors.New("broken")
			}
			return nil
		}
		m := New(Every, func(string) {}, zerolog.Nop())
		go func() { _ = m.Run(ctx, checks) }()
		synctest.Wait()
		broken.Store(true)
		time.Sleep(2*Every + time.Second)
		if err := m.Healthy(); err != nil || m.Failing() == nil {
			t.Errorf("after two rounds: %v %v", err, m.Failing())
		}
		time.Sleep(Every)
		if said(m.Healthy()) != "disk-failed" {
			t.Errorf("after three rounds: %v", m.Healthy())
		}
		broken.Store(false)
		time.Sleep(Every)
		if m.Healthy() != nil || m.Failing() != nil {
			t.Errorf("passing again: %v %v", m.Healthy(), m.Failing())
		}
		stop()
		synctest.Wait()
	})
}

// picdayd does not go on in a data directory that nobody else sees.
func TestReplacedDataDirectoryEndsIt(t *testing.T) {
	checks := passing()
	checks.Place = func() error { return fmt.Errorf("/data: %w", store.ErrReplaced) }
	m := New(Every, func(string) {}, zerolog.Nop())
	if err := m.Run(t.Context(), checks); !errors.Is(err, store.ErrReplaced) {
		t.Error(err)
	}
}

// That the catalogue is gone is noticed within two seconds, while a round is stuck too.
func TestAReplacedCatalogueIsNoticedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := passing()
		var gone atomic.Bool
		checks.Place = func() error {
			if gone.Load() {
				return fmt.Errorf("/data/catalogue.sqlite: %w", store.ErrReplaced)
			}
			return nil
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		checks.Disk = func() error { <-ctx.Done(); return ctx.Err() } // frozen
		m := New(Every, func(string) {}, zerolog.Nop())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx, checks) }()
		time.Sleep(time.Second)
		gone.Store(true)
		time.Sleep(placeEvery)
		synctest.Wait()
		select {
		case err := <-ended:
			if !errors.Is(err, store.ErrReplaced) {
				t.Error(err)
			}
		default:
			t.Error("not noticed")
		}
	})
}

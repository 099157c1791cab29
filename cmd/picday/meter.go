package main

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// A meter shows on a terminal how far long work is; elsewhere it is silent.
type meter struct {
	a    *app
	what string
	on   bool

	mu   sync.Mutex
	next time.Time
}

func (a *app) meter(what string) *meter {
	f, ok := a.stderr.(*os.File)
	return &meter{a: a, what: what, on: ok && term.IsTerminal(int(f.Fd()))}
}

func (m *meter) show(done, of int) {
	if !m.on {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.After(m.next) {
		m.next = now.Add(200 * time.Millisecond)
		fmt.Fprintf(m.a.stderr, "\r\x1b[K%d of %d %s", done, of, m.what)
	}
}

// end clears the line, so that what is said next has it to itself.
func (m *meter) end() {
	if m.on {
		m.mu.Lock()
		defer m.mu.Unlock()
		fmt.Fprint(m.a.stderr, "\r\x1b[K")
	}
}

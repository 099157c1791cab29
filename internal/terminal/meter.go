package terminal

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// clearLine moves to the beginning of the line and empties it.
const clearLine = "\r\x1b[K"

// A Meter shows in one line of a terminal how far long work is. Written to anything
// else, it is silent. Its methods may be called from several goroutines.
type Meter struct {
	w    io.Writer
	what string
	on   bool

	mu   sync.Mutex
	next time.Time // not shown again before
}

// NewMeter makes a meter for work that is counted in what.
func NewMeter(w io.Writer, what string) *Meter {
	f, ok := w.(*os.File)
	return &Meter{w: w, what: what, on: ok && term.IsTerminal(int(f.Fd()))}
}

// Show shows that so many are done. It may be called as often as one likes.
func (m *Meter) Show(done, of int) {
	if !m.on {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.After(m.next) {
		m.next = now.Add(200 * time.Millisecond)
		fmt.Fprintf(m.w, clearLine+"%d of %d %s", done, of, m.what)
	}
}

// End clears the line, so that what is said next has it to itself.
func (m *Meter) End() {
	if m.on {
		m.mu.Lock()
		defer m.mu.Unlock()
		fmt.Fprint(m.w, clearLine)
	}
}

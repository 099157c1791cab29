package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// push lets a picture be fetched. mu is held.
func (m *mirror) push(w *want) {
	m.todo = append(m.todo, w)
	signal(m.wake)
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// take is the next picture that is still wanted; nil if there is none.
func (m *mirror) take() *want {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.todo) > 0 {
		w := m.todo[0]
		m.todo[0] = nil
		m.todo = m.todo[1:]
		if m.wants[w.name] != w {
			continue
		}
		if len(m.todo) > 0 {
			signal(m.wake) // for the next fetcher
		}
		return w
	}
	return nil
}

// fetchAll is one of the fetchers.
func (m *mirror) fetchAll(ctx context.Context) {
	for {
		w := m.take()
		if w == nil {
			select {
			case <-m.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		var f *tempFile
		var err error
		if !m.dir.has(*w) {
			f, err = m.fetch(ctx, *w)
		}
		if ctx.Err() != nil {
			return
		}
		m.done(ctx, w, f, err)
	}
}

// fetch gets the bytes of a picture into a temporary file.
func (m *mirror) fetch(ctx context.Context, w want) (*tempFile, error) {
	ctx, cancel := context.WithTimeout(ctx, pictureTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "picday-mirror")
	r.Header.Set("Accept-Encoding", "identity")
	res, err := m.client.http.Do(r)
	if err != nil {
		return nil, explain(err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, errors.New("its link shows nothing")
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return nil, fmt.Errorf("%s sends on to another place, where it is not fetched from", r.URL.Host)
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answers %s", r.URL.Host, res.Status)
	case res.ContentLength >= 0 && res.ContentLength != w.bytes:
		return nil, fmt.Errorf("it has %d bytes, and the list says %d", res.ContentLength, w.bytes)
	}
	f, err := m.dir.write(res.Body, w)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("its bytes broke off: %w", err)
	}
	return f, err
}

// done puts a picture into its place, unless the list has said something else meanwhile.
func (m *mirror) done(ctx context.Context, w *want, f *tempFile, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer signal(m.calm)
	if m.wants[w.name] != w {
		if f != nil {
			_ = m.dir.root.Remove(f.name)
		}
		return
	}
	if f != nil {
		if err = m.dir.put(f, w.name); err == nil {
			m.step.Fetched++
		}
	}
	if err == nil {
		delete(m.wants, w.name)
		m.report()
		return
	}
	w.failed++
	w.fault = err
	// Most often the photo has changed since the list was read, and the next answer says
	// so: that is no trouble.
	if w.failed > 1 {
		m.troubleLocked(fmt.Errorf("a picture cannot be fetched: %w", err))
	}
	if m.o.Once && w.failed >= tries {
		return
	}
	time.AfterFunc(backOff(w.failed), func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if ctx.Err() == nil && m.wants[w.name] == w {
			m.push(w)
		}
	})
}

// report says what was done, once all is in step. mu is held.
func (m *mirror) report() {
	if len(m.wants) > 0 || m.step == (Step{}) {
		return
	}
	s := m.step
	m.step = Step{}
	if m.o.Step != nil {
		m.o.Step(s)
	}
}

// trouble says what does not work, once for as long as it stays the same.
func (m *mirror) trouble(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.troubleLocked(err)
}

func (m *mirror) troubleLocked(err error) {
	if m.said == err.Error() {
		return
	}
	m.said = err.Error()
	if m.o.Trouble != nil {
		m.o.Trouble(err)
	}
}

// works says that the trouble is over, if a question is answered and no picture fails.
func (m *mirror) works() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.wants {
		if w.fault != nil {
			return
		}
	}
	if m.said == "" {
		return
	}
	m.said = ""
	if m.o.Trouble != nil {
		m.o.Trouble(nil)
	}
}

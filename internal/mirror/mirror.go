package mirror

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	waitFor        = 30 * time.Second // for a change
	fetchers       = 4
	saveEvery      = time.Second
	longestBackOff = time.Minute
	tries          = 4 // of a question or a picture, with Once
)

// firstBackOff is the time until what failed is tried again; it doubles each time.
var firstBackOff = time.Second

// A want is a picture that is to be in the directory.
type want struct {
	name, url, hash string
	bytes           int64
	pixels          int

	asked  int64 // the changed_since of the question that told it
	failed int   // how often it could not be fetched
	fault  error // why, the last time
}

// A mirror is one run.
type mirror struct {
	o      Options
	client *client
	allows allows
	dir    *dir

	mu    sync.Mutex
	saved state            // what the state file says
	now   state            // what it may say once wants is empty
	known bool             // the installation has answered for the account
	wants map[string]*want // by name: what is not in the directory yet
	todo  []*want          // what is to be fetched, or was, but is not wanted any more
	step  Step
	said  string // the trouble that was said last

	wake chan struct{} // todo has something
	calm chan struct{} // something was fetched, or could not be
}

// Run mirrors until ctx ends, or (Once) until the directory is in step. It returns nil
// when ctx ends. Errors: ErrInvalid, ErrNotFound, ErrRefused, or what keeps it from its work: with Once
// anything that does, else only what has to do with the directory at the start.
func Run(ctx context.Context, o Options) error {
	m, err := open(o)
	if err != nil {
		return err
	}
	defer m.dir.close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer stop()
		return m.follow(ctx)
	})
	for range fetchers {
		group.Go(func() error { m.fetchAll(ctx); return nil })
	}
	group.Go(func() error { m.saveOften(ctx); return nil })
	return errors.Join(group.Wait(), m.save())
}

func open(o Options) (m *mirror, err error) {
	base, err := o.base()
	if err != nil {
		return nil, err
	}
	m = &mirror{o: o, wants: map[string]*want{}, wake: make(chan struct{}, 1), calm: make(chan struct{}, 1)}
	if m.allows, err = o.allows(base); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = fetchers + 1
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.TLSClientConfig = &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12}
	m.client = &client{base: base, token: o.Token, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if m.dir, err = openDir(o.Dir); err != nil {
		return nil, err
	}
	if err := m.load(base.String()); err != nil {
		m.dir.close()
		return nil, err
	}
	return m, nil
}

// load reads the state, and refuses a directory that mirrors something else.
func (m *mirror) load(base string) error {
	s, found, err := m.dir.state()
	if err != nil {
		return err
	}
	m.saved = s
	m.now = state{Version: 1, URL: base, Account: m.o.Account, Rendition: m.o.Rendition}
	if !found {
		return nil
	}
	if s.URL != base || m.o.Account != "" && s.Account != m.o.Account {
		return refused("%s mirrors the account %s of %s: give this one another directory, or delete that one", m.o.Dir, brief(s.Account), brief(s.URL))
	}
	m.now.Account = s.Account
	if s.Rendition == m.o.Rendition {
		m.now.ChangedUntil = s.ChangedUntil
	}
	return nil
}

// follow asks for changes, again and again.
func (m *mirror) follow(ctx context.Context) error {
	anew := m.o.Check || m.now.ChangedUntil == 0
	first := m.now.ChangedUntil == 0
	again := false
	for failed := 0; ; {
		began, quick := time.Now(), failed > 0 // to know soon that it works again
		told, err := m.round(ctx, anew, quick)
		var status statusError
		errors.As(err, &status)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			anew, first, failed = false, false, 0
			m.works()
			if m.o.Once {
				// Pictures that cannot be fetched may be others by now: ask again, once.
				if err := m.settled(ctx); err == nil || again {
					return err
				}
				again = true
			} else if told == 0 && !quick && time.Since(began) < time.Second && !sleep(ctx, time.Second) {
				return nil // whoever answers does not wait as picday does
			}
			continue
		case errors.Is(err, ErrInvalid):
			return err
		case status.status == http.StatusNotFound && first:
			return kindError{ErrNotFound, status.text}
		case status.status == http.StatusGone && !anew:
			anew = true
			continue
		}
		failed++
		if m.o.Once && failed >= tries {
			return err
		}
		m.trouble(err)
		if !sleep(ctx, max(backOff(failed), status.wait)) {
			return nil
		}
	}
}

// round asks once for all that has changed, or (anew) for the whole list, and says what is
// to be done about it.
func (m *mirror) round(ctx context.Context, anew, quick bool) (told int, err error) {
	if m.now.Account == "" {
		name, err := m.client.account(ctx)
		if err != nil {
			return told, err
		}
		m.mu.Lock()
		m.now.Account = name
		m.mu.Unlock()
	}
	since, wait := m.now.ChangedUntil, waitFor
	seen := map[string]bool{}
	if anew {
		since = 0
	}
	if m.o.Once || quick {
		wait = 0
	}
	var until int64
	for after := ""; ; {
		a, err := m.client.photos(ctx, m.now.Account, since, after, wait)
		if err != nil {
			return told, err
		}
		m.mu.Lock()
		m.known = true
		m.mu.Unlock()
		for _, p := range a.Photos {
			if err := m.apply(p, since); err != nil {
				return told, err
			}
			if anew {
				seen[p.name()] = true
			}
		}
		if told += len(a.Photos); told > maxPhotos {
			return told, wrong("the list has no end")
		}
		if a.Next == nil {
			until = *a.ChangedUntil
			break
		}
		after = *a.Next
	}
	if anew {
		if err := m.removeOthers(seen); err != nil {
			return told, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.ChangedUntil = until
	m.report()
	return told, nil
}

// apply does what a row of the list asks for: at once if a picture is withdrawn.
func (m *mirror) apply(p row, since int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.WithdrawnAt != nil {
		return m.remove(p.name())
	}
	w, err := p.wants(m.o.Rendition, m.allows)
	w.asked = since
	m.wants[w.name] = &w
	if err != nil {
		w.fault, w.failed = err, tries // only another answer can mend that
		m.troubleLocked(err)
		return nil
	}
	m.push(&w)
	return nil
}

// remove removes a picture. mu is held.
func (m *mirror) remove(name string) error {
	delete(m.wants, name)
	was, err := m.dir.remove(name)
	if was {
		m.step.Removed++
	}
	if err != nil {
		return fmt.Errorf("a picture that was withdrawn cannot be removed: %w", err)
	}
	return nil
}

// removeOthers removes the pictures that are not in the list.
func (m *mirror) removeOthers(seen map[string]bool) error {
	names, err := m.dir.pictures()
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.wants {
		if !seen[name] {
			delete(m.wants, name)
		}
	}
	for _, name := range names {
		if !seen[name] {
			if err := m.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// settled waits until every picture is fetched, or has failed too often.
func (m *mirror) settled(ctx context.Context) error {
	for {
		m.mu.Lock()
		open, hopeless := 0, 0
		var fault error
		for _, w := range m.wants {
			if w.failed < tries {
				open++
			} else {
				hopeless++
				fault = w.fault
			}
		}
		m.mu.Unlock()
		switch {
		case open == 0 && hopeless == 0:
			return nil
		case open == 0:
			return fmt.Errorf("%d of the pictures cannot be fetched, such as: %w", hopeless, fault)
		}
		select {
		case <-m.calm:
		case <-ctx.Done():
			return nil
		}
	}
}

// save writes the state, if it has changed.
func (m *mirror) save() error {
	m.mu.Lock()
	s := m.now
	for _, w := range m.wants {
		s.ChangedUntil = min(s.ChangedUntil, w.asked)
	}
	same := s == m.saved || !m.known
	m.mu.Unlock()
	if same {
		return nil
	}
	err := m.dir.save(s)
	if err == nil {
		m.mu.Lock()
		m.saved = s
		m.mu.Unlock()
	}
	return err
}

func (m *mirror) saveOften(ctx context.Context) {
	tick := time.NewTicker(saveEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := m.save(); err != nil {
				m.trouble(fmt.Errorf("the state cannot be saved: %w", err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// backOff is how long to wait after so many failures.
func backOff(failed int) time.Duration {
	d := min(longestBackOff, firstBackOff<<min(failed-1, 10))
	return d/2 + rand.N(d/2+1)
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

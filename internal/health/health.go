// Package health proves again and again that picdayd works: the watcher answers,
// the data directory is the one that is open, a file and a row of the catalogue
// reach the disk, and there is room for more. /healthz, the status and systemd's
// watchdog are told how that ends.
package health

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"picday/store"
)

// Every is the time from one round of checks to the next.
const Every = 10 * time.Second

// placeEvery is the time from one look whether the data directory and the catalogue are still
// the ones that are open to the next. It costs some microseconds.
const placeEvery = 2 * time.Second

// Checks are done in this order; the first that fails ends the round.
type Checks struct {
	Watcher   func(context.Context) error // it answers
	Place     func() error                // the data directory at its path is the one that is open
	Disk      func() error                // takes a file
	Catalogue func(context.Context) error // takes a row
	Room      func() error                // for more
}

// A Monitor knows the last time that all checks passed, and why they have not since.
type Monitor struct {
	log    zerolog.Logger
	every  time.Duration
	notify func(state string) // tells systemd

	// stage is the check that is under way. One that does not end, because the disk is
	// frozen, goes on in a goroutine of its own; no other round begins meanwhile.
	stage atomic.Int32

	mu     sync.Mutex
	proven time.Time
	word   string // for /healthz: why it has not been proven again
	err    error
}

// New is a Monitor that checks every so often: Every, or less if systemd's watchdog
// asks for it. notify tells systemd.
func New(every time.Duration, notify func(state string), log zerolog.Logger) *Monitor {
	return &Monitor{log: log, every: every, notify: notify}
}

func (m *Monitor) set(proven time.Time, word string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		m.proven = proven
	}
	m.word, m.err = word, err
}

// Proven is when all checks passed last, zero if never.
func (m *Monitor) Proven() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.proven
}

// Failing is why the last round failed, nil if it passed.
func (m *Monitor) Failing() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err
}

// Healthy is nil if all checks passed within the last three rounds, otherwise a word
// that says why not. It does no check itself, so it answers at once.
func (m *Monitor) Healthy() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case time.Since(m.proven) < 3*m.every:
		return nil
	case m.word != "":
		return errors.New(m.word)
	}
	return errors.New("starting")
}

// The stages of a round.
const (
	atWatcher int32 = iota
	atDisk
	atCatalogue
	atRoom
)

// stages say of each what is wrong if it fails or does not end: word for /healthz,
// what for the status.
var stages = map[int32]struct{ word, what string }{
	atWatcher:   {"watcher", "the watcher does not answer"},
	atDisk:      {"disk", "the disk of the data directory"},
	atCatalogue: {"catalogue", "the catalogue"},
	atRoom:      {"disk-full", "the disk of the data directory"},
}

func (m *Monitor) check(ctx context.Context, c Checks) error {
	m.stage.Store(atWatcher)
	if err := c.Watcher(ctx); err != nil {
		return err
	}
	m.stage.Store(atDisk)
	if err := c.Place(); err != nil {
		return err
	}
	if err := c.Disk(); err != nil {
		return err
	}
	m.stage.Store(atCatalogue)
	if err := c.Catalogue(ctx); err != nil {
		return err
	}
	m.stage.Store(atRoom)
	return c.Room()
}

// Run checks until ctx ends. It tells systemd when picdayd is ready, and feeds its
// watchdog as long as nothing is wrong that a restart could mend. It fails when the
// data directory is not the one that is open: the next start takes what is there, or
// says that nothing is.
func (m *Monitor) Run(ctx context.Context, c Checks) error {
	tick := time.NewTicker(m.every)
	defer tick.Stop()
	ready := false
	look := time.NewTicker(min(m.every, placeEvery))
	defer look.Stop()
	placed, looking := make(chan error, 1), false
	answer := make(chan error, 1)
	begin := func() {
		ctx, cancel := context.WithTimeout(ctx, m.every)
		go func() { defer cancel(); answer <- m.check(ctx, c) }()
	}
	begin()
	for running := true; ; {
		var err error
		select {
		case err = <-answer:
			running = false
			if errors.Is(err, store.ErrReplaced) {
				return replaced(err)
			}
		case <-look.C:
			if !looking {
				looking = true
				go func() { placed <- c.Place() }()
			}
			continue
		case err := <-placed:
			if looking = false; errors.Is(err, store.ErrReplaced) {
				return replaced(err)
			}
			continue // a round meets any other error
		case <-tick.C:
			if !running {
				running = true
				begin()
				continue
			}
			err = context.DeadlineExceeded
		case <-ctx.Done():
			return nil
		}
		if m.judge(m.stage.Load(), err) && ctx.Err() == nil {
			if !ready {
				m.notify(daemon.SdNotifyReady)
				m.log.Info().Msg("ready")
				ready = true
			}
			m.notify(daemon.SdNotifyWatchdog)
		}
	}
}

func replaced(err error) error {
	return fmt.Errorf("%w. picdayd ends, so that it does not go on in what nobody else sees", err)
}

// judge notes how a round ended, and tells whether systemd's watchdog is fed. It is
// when a disk is full, broken or frozen: a restart would not mend that, and would take
// the published pictures off the web meanwhile.
func (m *Monitor) judge(stage int32, err error) (well bool) {
	if err == nil {
		if before := m.Failing(); before != nil {
			m.log.Info().Msg("proven to work again")
		}
		m.set(time.Now().UTC(), "", nil)
		return true
	}
	stuck := errors.Is(err, context.DeadlineExceeded)
	at := stages[stage]
	word := at.word
	switch {
	case stage == atRoom:
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		// Unlike a disk, a restart may mend this.
		word, stage = "out-of-files", atWatcher
		err = fmt.Errorf("picdayd may open no more files: raise LimitNOFILE in its unit: %w", err)
	case stuck:
		word += "-stuck"
		err = fmt.Errorf("%s has not answered for %v: is it frozen, or away?", at.what, Every)
	default:
		word += "-failed"
		err = fmt.Errorf("%s: %w", at.what, err)
	}
	if before := m.Failing(); before == nil || before.Error() != err.Error() {
		m.log.Error().Err(err).Msg("not proven to work")
	}
	m.set(time.Time{}, word, err)
	return !stuck && stage != atWatcher || stage == atDisk
}

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"picday/store"
)

// A proof is the last time that the whole line was seen to work: the watcher's
// keeper answered, the data directory is the one that is open, a file and a row
// of the catalogue were written to the disk, and there is room for more.
type proof struct {
	mu sync.Mutex
	at time.Time
	// within is how fresh it must be for picdayd to call itself healthy: as fresh as
	// two rounds, and the time that a third may take, make it.
	within time.Duration
	word   string // why it has not been proven again
	err    error
}

func (p *proof) set(t time.Time, word string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.at = t
	}
	p.word, p.err = word, err
}

func (p *proof) get() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// failing is why the last round proved nothing, nil if it did.
func (p *proof) failing() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// healthy says in a word why picdayd is not proven to work. It asks nobody, so
// that the answer comes whatever else does not.
func (p *proof) healthy() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case time.Since(p.at) < p.within:
		return nil
	case p.word != "":
		return errors.New(p.word)
	}
	return errors.New("starting")
}

const proveEvery = 10 * time.Second

// stages of a proof; each says what is the matter if it does not end.
const (
	atWatcher int32 = iota
	atDisk
	atCatalogue
	atRoom
)

var stages = map[int32]struct{ word, what string }{
	atWatcher:   {"watcher", "the watcher does not answer"},
	atDisk:      {"disk", "the disk of the data directory"},
	atCatalogue: {"catalogue", "the catalogue"},
	atRoom:      {"disk-full", "the disk of the data directory"},
}

// A prober goes through one proof after the other. One that does not end, because
// the disk is frozen, is left to itself until it does: the prober goes on telling.
type prober struct {
	*service
	anchor *store.Anchor
	stage  atomic.Int32
}

func (p *prober) prove(ctx context.Context) error {
	p.stage.Store(atWatcher)
	if err := p.watcher.Alive(ctx); err != nil {
		return err
	}
	p.stage.Store(atDisk)
	if err := p.anchor.Check(); err != nil {
		return err
	}
	if err := p.anchor.ProveDisk(); err != nil {
		return err
	}
	p.stage.Store(atCatalogue)
	if err := p.writer.Do(ctx, (*store.Tx).Prove); err != nil {
		return err
	}
	p.stage.Store(atRoom)
	return p.room.Check(0)
}

// keepProving tells systemd that picdayd is ready, and feeds its watchdog, as long
// as nothing is the matter that a restart could mend. It ends with an error when
// the data directory is not the one that is open: the next start takes what is
// there, or says that nothing is.
func (s *service) keepProving(ctx context.Context) error {
	// A sandbox in which no decoder can start is seen by whoever starts us.
	select {
	case <-s.decoder.Ready():
	case <-ctx.Done():
		return nil
	}
	anchor, err := s.store.Anchor()
	if err != nil {
		return err
	}
	p := &prober{service: s, anchor: anchor}
	every := proveEvery
	if limit, err := daemon.SdWatchdogEnabled(false); err == nil && limit > 0 {
		every = min(every, limit/3)
	}
	s.proof.mu.Lock()
	s.proof.within = 3 * every
	s.proof.mu.Unlock()
	tick := time.NewTicker(every)
	defer tick.Stop()
	ready := false
	answer := make(chan error, 1)
	begin := func() {
		ctx, cancel := context.WithTimeout(ctx, every)
		go func() { defer cancel(); answer <- p.prove(ctx) }()
	}
	begin()
	for running := true; ; {
		var err error
		select {
		case err = <-answer:
			running = false
			if errors.Is(err, store.ErrReplaced) {
				return fmt.Errorf("%w. picdayd ends, so that it does not go on in what nobody else sees", err)
			}
		case <-tick.C:
			if !running {
				running = true
				begin()
				continue
			}
			err = context.DeadlineExceeded
		case <-ctx.Done():
			if !running {
				anchor.Close()
			}
			return nil
		}
		if s.judge(p.stage.Load(), err) && ctx.Err() == nil {
			if !ready {
				notify(daemon.SdNotifyReady)
				s.log.Info().Msg("ready")
				ready = true
			}
			notify(daemon.SdNotifyWatchdog)
		}
	}
}

// judge notes how a round ended, and tells whether picdayd itself is well: a disk
// that is full, broken or frozen does not get better by a restart, in which even
// the pictures would be off.
func (s *service) judge(stage int32, err error) (well bool) {
	if err == nil {
		if before := s.proof.failing(); before != nil {
			s.log.Info().Msg("proven to work again")
		}
		s.proof.set(time.Now().UTC(), "", nil)
		return true
	}
	stuck := errors.Is(err, context.DeadlineExceeded)
	at := stages[stage]
	word := at.word
	switch {
	case stage == atRoom:
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		// Unlike a disk's, this trouble may end with the process.
		word, stage = "out-of-files", atWatcher
		err = fmt.Errorf("picdayd may open no more files: raise LimitNOFILE in its unit: %w", err)
	case stuck:
		word += "-stuck"
		err = fmt.Errorf("%s has not answered for %v: is it frozen, or away?", at.what, proveEvery)
	default:
		word += "-failed"
		err = fmt.Errorf("%s: %w", at.what, err)
	}
	if before := s.proof.failing(); before == nil || before.Error() != err.Error() {
		s.log.Error().Err(err).Msg("not proven to work")
	}
	s.proof.set(time.Time{}, word, err)
	return !stuck && stage != atWatcher || stage == atDisk
}

// notify is a no-op unless systemd asked to be told.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

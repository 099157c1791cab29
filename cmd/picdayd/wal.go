package main

import (
	"context"
	"fmt"
	"time"

	"picday/store"
)

const (
	walEvery = 15 * time.Second
	walHeld  = time.Minute // a page or a list is done by then
)

// keepWAL empties the catalogue's write-ahead log when nobody else does, and
// says so while somebody keeps it from that.
func (s *service) keepWAL(ctx context.Context) error {
	tick := time.NewTicker(walEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		w, err := s.store.EmptyWAL(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error().Err(err).Msg("the write-ahead log is not emptied, will try again")
		}
		switch text := walWarning(w, time.Now()); {
		case text != "" && said == "":
			s.log.Warn().Int64("bytes", w.Bytes).Msg(text)
			said = text
		case text == "" && said != "":
			s.log.Info().Int64("bytes", w.Bytes).Msg("the catalogue's write-ahead log is emptied again")
			said = ""
		}
	}
}

// walWarning is a sentence if somebody has kept the write-ahead log from being
// emptied for a while.
func walWarning(w store.WAL, now time.Time) string {
	if w.HeldSince.IsZero() || now.Sub(w.HeldSince) < walHeld {
		return ""
	}
	return fmt.Sprintf("a program has been reading the catalogue since %s or longer, so its write-ahead log cannot be emptied and grows: it has %d MB. It is a long picday command, a backup or sqlite3; \"fuser -v\" with the catalogue's file names it",
		w.HeldSince.UTC().Format(time.RFC3339), w.Bytes>>20)
}

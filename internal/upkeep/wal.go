// Package upkeep does what the catalogue needs from time to time: disk space in
// reserve, a write-ahead log that does not grow, and a copy in case it is lost.
package upkeep

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/bytesize"
	"picday/store"
)

const (
	walEvery = 15 * time.Second
	walHeld  = time.Minute // pages and lists have been read by then
)

// WAL empties the catalogue's write-ahead log, which nobody else does while nothing is
// written, until ctx ends. It logs when a reader keeps it from that. empty is
// store.Store.EmptyWAL.
func WAL(ctx context.Context, empty func(context.Context) (store.WAL, error), log zerolog.Logger) error {
	tick := time.NewTicker(walEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		w, err := empty(ctx)
		if err != nil && ctx.Err() == nil {
			log.Error().Err(err).Msg("the write-ahead log is not emptied, will try again")
		}
		switch text := WALWarning(w, time.Now()); {
		case text != "" && said == "":
			log.Warn().Int64("bytes", w.Bytes).Msg(text)
			said = text
		case text == "" && said != "":
			log.Info().Int64("bytes", w.Bytes).Msg("the catalogue's write-ahead log is emptied again")
			said = ""
		}
	}
}

// WALWarning is a sentence for the status if a reader has kept the write-ahead log from
// being emptied for a minute, otherwise "".
func WALWarning(w store.WAL, now time.Time) string {
	if w.HeldSince.IsZero() || now.Sub(w.HeldSince) < walHeld {
		return ""
	}
	return fmt.Sprintf("a program has been reading the catalogue since %s or longer, so its write-ahead log cannot be emptied and grows: it has %s. It is a long picday command, a backup or sqlite3; \"fuser -v\" with the catalogue's file names it",
		w.HeldSince.UTC().Format(time.RFC3339), bytesize.Format(w.Bytes))
}

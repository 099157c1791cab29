package upkeep

import (
	"context"
	"time"

	"github.com/rs/zerolog"
)

// Reserve keeps the disk space reserved for the catalogue until ctx ends. keep takes
// the space, or gives it back where the disk is full (store.Room.Keep).
func Reserve(ctx context.Context, keep func() error, log zerolog.Logger) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	said := ""
	for {
		what := ""
		if err := keep(); err != nil {
			what = err.Error()
		}
		if what != said && what != "" {
			log.Warn().Str("error", what).Msg("the reserve for the catalogue cannot be kept")
		}
		said = what
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

package upkeep

import (
	"context"
	"time"

	"github.com/rs/zerolog"
)

const (
	firstManifest = time.Minute     // after the start
	manifestEvery = 5 * time.Minute // what is done in between, a rebuilt catalogue does not know
	// A manifest of a large catalogue takes long, so the next one comes after so many
	// times as long.
	manifestShare = 200
)

// Manifest writes the copy of the catalogue from which a lost one is rebuilt, until ctx ends,
// if something has changed since the last one. mark is the same as long as nothing changes
// (store.View.ChangeMark); write is store.Store.WriteManifest; room fails if the disk of the
// data directory is too full.
func Manifest(ctx context.Context, mark func(context.Context) (string, error), room func() error, write func(context.Context) error, log zerolog.Logger) error {
	wait, last, failing := firstManifest, "", false
	for {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil
		}
		wait = manifestEvery
		now, err := mark(ctx)
		if err == nil && now == last {
			continue
		}
		began := time.Now()
		if err == nil {
			err = room()
		}
		if err == nil {
			err = write(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !failing:
			log.Warn().Err(err).Msg("the manifest, from which a lost catalogue is rebuilt, is not written, will try again")
		case err == nil:
			last = now
		}
		failing = err != nil
		wait = max(wait, manifestShare*time.Since(began))
	}
}

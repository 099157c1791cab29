package main

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"picday/internal/config"
	"picday/internal/readonly"
	"picday/store"
)

// retryEvery is the time between two attempts to open a service that failed for another
// reason than a full disk.
const retryEvery = time.Minute

// openOrServe opens the service. As long as that fails because the disk of the data
// directory takes nothing, it serves what is published and does nothing else. It returns
// neither a service nor an error when ctx has ended.
func openOrServe(ctx context.Context, cfg config.Config, log zerolog.Logger) (*service, error) {
	for {
		room, err := store.OpenRoom(cfg.DataDir, int64(cfg.Reserve)<<20)
		if err == nil {
			var s *service
			if s, err = open(ctx, cfg, room, log); err == nil {
				return s, nil
			}
		}
		if !store.Unwritable(err) {
			return nil, unusable(err, cfg)
		}
		over := func(since time.Time) bool {
			_, rerr := store.OpenRoom(cfg.DataDir, int64(cfg.Reserve)<<20)
			return rerr == nil && (errors.Is(err, store.ErrNoRoom) || time.Since(since) > retryEvery)
		}
		if serr := readonly.Serve(ctx, readonly.Options{Config: cfg, Why: err, Word: "disk-full", Over: over, Notify: tellSystemd, Log: log}); serr != nil {
			return nil, errors.Join(unusable(err, cfg), serr)
		}
		if ctx.Err() != nil {
			return nil, nil
		}
	}
}

// serveReadOnly serves what is published for as long as the disk is read-only. Its error
// makes systemd start picdayd again.
func serveReadOnly(ctx context.Context, cfg config.Config, why error, log zerolog.Logger) error {
	over := func(time.Time) bool { return !store.DiskReadOnly(cfg.DataDir) }
	err := readonly.Serve(ctx, readonly.Options{Config: cfg, Why: why, Word: "disk-read-only", Over: over, Notify: tellSystemd, Log: log})
	if err == nil && ctx.Err() == nil {
		return errors.New("the disk of the data directory can be written again")
	}
	return err
}

// standBy says that the catalogue, or the data directory, is not the one that was open, for as
// long as there is none that can be opened. Its error makes systemd start picdayd again.
func standBy(ctx context.Context, cfg config.Config, why error, log zerolog.Logger) error {
	over := func(time.Time) bool {
		s, err := store.Open(ctx, cfg.DataDir)
		return err == nil && s.Close() == nil
	}
	if over(time.Time{}) {
		return why
	}
	err := readonly.Serve(ctx, readonly.Options{Config: cfg, Why: why, Gone: true, Word: "catalogue-gone", Over: over, Notify: tellSystemd, Log: log})
	if err == nil && ctx.Err() == nil {
		return errors.New("there is a catalogue again")
	}
	return err
}

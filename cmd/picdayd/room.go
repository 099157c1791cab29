package main

import (
	"context"
	"time"
)

// keepRoom looks after the reserve until ctx ends.
func (s *service) keepRoom(ctx context.Context) error {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	said := ""
	for {
		what := ""
		if err := s.room.Keep(); err != nil {
			what = err.Error()
		}
		if what != said && what != "" {
			s.log.Warn().Str("error", what).Msg("the reserve for the catalogue cannot be kept")
		}
		said = what
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

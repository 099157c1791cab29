package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
)

// Listeners are the servers of one daemon. Add them all before Run.
type Listeners struct {
	Proxies []netip.Prefix // the networks of web servers in front
	Log     zerolog.Logger

	servers []*Server
}

// Add listens on the address of a configuration key, such as web.public, unless it is "".
// An address that is taken is an error now, not when the daemon is at work.
func (l *Listeners) Add(key, addr string, h http.Handler) error {
	if addr == "" {
		return nil
	}
	server, err := New(key, addr, l.Proxies, h, l.Log)
	if err != nil {
		return err
	}
	l.servers = append(l.servers, server)
	l.Log.Info().Str("listener", key).Str("addr", server.Addr()).Msg("listening")
	return nil
}

// Warnings has a sentence for each listener that does not answer everybody.
func (l *Listeners) Warnings() (all []string) {
	for _, server := range l.servers {
		if w := server.Warning(); w != "" {
			all = append(all, w)
		}
	}
	return all
}

// Run answers until ctx ends.
func (l *Listeners) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, server := range l.servers {
		group.Go(func() error { return server.Run(ctx) })
	}
	return group.Wait()
}

// Close gives the addresses back, where Run has not.
func (l *Listeners) Close() (err error) {
	for _, server := range l.servers {
		err = errors.Join(err, server.Close())
	}
	return err
}

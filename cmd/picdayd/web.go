package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"picday/card"
	"picday/store"
	"picday/web"
)

// provenWithin is how fresh the last proof must be for picdayd to call itself
// healthy: as fresh as the unit's watchdog wants it.
const provenWithin = time.Minute

func (s *service) healthy() bool { return time.Since(s.proof.get()) < provenWithin }

// A listeners is what picdayd serves over HTTP.
type listeners []*web.Server

// listen opens what the configuration names, so that an address that is taken
// is known at the start.
func (s *service) listen() (all listeners, err error) {
	add := func(server *web.Server, err error) error {
		if err == nil {
			all = append(all, server)
			s.log.Info().Str("addr", server.Addr()).Msg("listening")
		}
		return err
	}
	if addr := s.cfg.Web.Public; addr != "" {
		public := &web.Public{Pictures: s.store, Default: s.cfg.Images.Renditions[0].Name, Healthy: s.healthy, Log: s.log}
		if err := add(web.New("web.public", addr, public, s.log)); err != nil {
			return nil, errors.Join(err, all.close())
		}
	}
	if addr := s.cfg.Web.Admin; addr != "" {
		admin := web.NewAdmin(web.Admin{
			Store: s.store, Writer: s.writer, Status: s.Status, Healthy: s.healthy, Site: s.site(), Log: s.log,
		})
		if err := add(web.New("web.admin", addr, admin, s.log)); err != nil {
			return nil, errors.Join(err, all.close())
		}
	}
	return all, nil
}

// site is what the administration listener knows of the configuration.
func (s *service) site() web.Site {
	site := web.Site{
		PublicURL: s.cfg.Web.PublicURL, Host: card.Host(s.cfg.SSHD.Host), Port: s.cfg.SSHD.Port,
		Originals: s.store.OriginalPath, Files: s.store.RenditionPath,
	}
	for _, r := range s.cfg.Images.Renditions {
		site.Renditions = append(site.Renditions, store.RenditionSpec(r))
	}
	return site
}

func (all listeners) close() (err error) {
	for _, server := range all {
		err = errors.Join(err, server.Close())
	}
	return err
}

func (all listeners) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, server := range all {
		group.Go(func() error { return server.Run(ctx) })
	}
	return group.Wait()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"picday/internal/config"
	"picday/internal/control"
	"picday/internal/version"
	"picday/store"
	"picday/web"
)

// How often picdayd looks whether there is room again, and tries to do all of its
// work where it is not for want of room that it cannot.
const (
	stillLook  = 5 * time.Second
	stillRetry = time.Minute
)

// openOrServe opens the service. As long as that fails because the disk of the
// data directory takes nothing, it serves what is published and does nothing else.
// It returns neither when ctx has ended.
func openOrServe(ctx context.Context, cfg config.Config, log zerolog.Logger) (*service, error) {
	for {
		room, err := store.MakeRoom(cfg.DataDir, int64(cfg.Reserve)<<20)
		if err == nil {
			var s *service
			if s, err = open(ctx, cfg, room, log); err == nil {
				return s, nil
			}
		}
		if !store.Unwritable(err) {
			return nil, unusable(err, cfg)
		}
		again := func(since time.Time) bool {
			_, merr := store.MakeRoom(cfg.DataDir, int64(cfg.Reserve)<<20)
			return merr == nil && (errors.Is(err, store.ErrNoRoom) || time.Since(since) > stillRetry)
		}
		if serr := serveStill(ctx, cfg, "disk-full", err, again, log); serr != nil {
			return nil, errors.Join(unusable(err, cfg), serr)
		}
		if ctx.Err() != nil {
			return nil, nil
		}
	}
}

// serveReadOnly serves what is published for as long as the disk is read-only. Its
// error makes systemd start picdayd again.
func serveReadOnly(ctx context.Context, cfg config.Config, why error, log zerolog.Logger) error {
	again := func(time.Time) bool { return !store.DiskReadOnly(cfg.DataDir) }
	err := serveStill(ctx, cfg, "disk-read-only", why, again, log)
	if err == nil && ctx.Err() == nil {
		return errors.New("the disk of the data directory can be written again")
	}
	return err
}

// A still is the daemon as control sees it while only pictures are served.
type still struct {
	why   error
	since time.Time
}

func (s still) warning() string {
	return "published pictures are served, and nothing else is done, because the catalogue cannot be written: " + s.why.Error()
}

func (s still) Status(context.Context) control.Status {
	return control.Status{
		Running: true, Version: version.String(), Since: &s.since,
		InProgress: []control.Progress{}, Uploading: []control.Progress{}, PolledDirs: []string{}, Warnings: []string{s.warning()},
	}
}

func (s still) Rescan(context.Context, string) error { return errors.New(s.warning()) }

// serveStill returns when again says so. word is what /healthz says.
func serveStill(ctx context.Context, cfg config.Config, word string, why error, again func(since time.Time) bool, log zerolog.Logger) error {
	links, err := store.OpenStill(ctx, cfg.DataDir, cfg.Images.Renditions[0].Name)
	if err != nil {
		return err
	}
	defer links.Close()
	proxies, err := cfg.Web.ProxyNetworks()
	if err != nil {
		return err
	}
	s := still{why, time.Now().UTC()}
	unwell := func() error { return errors.New(word) }
	f := &front{}
	defer f.close()
	public := &web.Public{Pictures: links, Healthy: unwell, Log: log}
	for key, l := range map[string]struct {
		addr    string
		handler http.Handler
	}{"web.public": {cfg.Web.Public, public}, "web.admin": {cfg.Web.Admin, &web.Closed{Healthy: unwell}}} {
		if l.addr == "" {
			continue
		}
		if err := f.add(key, l.addr, proxies, l.handler, log); err != nil {
			return err
		}
	}
	log.Error().Err(why).Msg("only what is published already is served")
	group, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	group.Go(func() error { return f.run(ctx) })
	group.Go(func() error { return control.Serve(ctx, cfg.RunDir, s) })
	group.Go(func() error {
		defer cancel()
		tick := time.NewTicker(stillLook)
		defer tick.Stop()
		notify(daemon.SdNotifyReady)
		for {
			notify(daemon.SdNotifyWatchdog)
			select {
			case <-tick.C:
			case <-ctx.Done():
				return nil
			}
			if again(s.since) {
				return nil
			}
		}
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("serve what is published: %w", err)
	}
	return nil
}

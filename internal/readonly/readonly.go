// Package readonly serves published pictures, and does nothing else, while the data
// directory cannot be written: its disk is full or read-only when picdayd starts. While the
// catalogue is gone it only says so.
package readonly

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
	"picday/internal/web"
	"picday/store"
	"picday/store/pictures"
)

// Options are what Serve needs; all are required.
type Options struct {
	Config config.Config
	Why    error  // the catalogue cannot be written, or is gone
	Gone   bool   // it is gone: nothing can be served
	Word   string // the same for /healthz
	// Over tells whether there is reason to try again to do all of the work; since is
	// when Serve began. It is asked every five seconds.
	Over   func(since time.Time) bool
	Notify func(state string) // tells systemd
	Log    zerolog.Logger
}

const lookEvery = 5 * time.Second

// Serve returns without an error when Over says so or ctx has ended.
func Serve(ctx context.Context, o Options) error {
	cfg := o.Config
	unhealthy := func() error { return errors.New(o.Word) }
	nothing := &web.NoPages{Healthy: unhealthy}
	var public http.Handler = nothing
	if !o.Gone {
		links, err := store.OpenReadOnlyLinks(ctx, cfg.DataDir, cfg.Images.Renditions[0].Name)
		if err != nil {
			return err
		}
		defer links.Close()
		public = &web.Public{Pictures: links, Files: pictures.In(cfg.DataDir), Healthy: unhealthy, Log: o.Log}
	}
	proxies, err := cfg.Web.ProxyNetworks()
	if err != nil {
		return err
	}
	listeners := &web.Listeners{Proxies: proxies, Log: o.Log}
	defer listeners.Close()
	if err := listeners.Add("web.public", cfg.Web.Public, public); err != nil {
		return err
	}
	if err := listeners.Add("web.admin", cfg.Web.Admin, nothing); err != nil {
		return err
	}
	says := answers{why: o.Why, since: time.Now().UTC(), gone: o.Gone}
	o.Log.Error().Msg(says.warning())
	group, ctx := errgroup.WithContext(ctx)
	ctx, cancel := context.WithCancel(ctx)
	group.Go(func() error { return listeners.Run(ctx) })
	group.Go(func() error { return control.Serve(ctx, cfg.RunDir, says) })
	group.Go(func() error {
		defer cancel()
		o.wait(ctx, says.since)
		return nil
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("serve what is published: %w", err)
	}
	return nil
}

// wait returns when it is over or ctx has ended. Until then systemd is told that all is
// well: a restart would mend nothing.
func (o Options) wait(ctx context.Context, began time.Time) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	o.Notify(daemon.SdNotifyReady)
	for {
		o.Notify(daemon.SdNotifyWatchdog)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if o.Over(began) {
			return
		}
	}
}

// answers is what the tool gets for an answer over the socket.
type answers struct {
	why   error
	since time.Time
	gone  bool
}

func (a answers) warning() string {
	if a.gone {
		return "nothing is served and nothing is taken in: " + a.why.Error() + ". Put the catalogue back, from a backup with 'picday restore', or make it anew with 'picday rebuild'; picdayd goes on by itself"
	}
	return "published pictures are served, and nothing else is done, because the catalogue cannot be written: " + a.why.Error()
}

func (a answers) Status(context.Context) control.Status {
	st := control.NewStatus()
	st.Running, st.Version, st.Since = true, version.String(), &a.since
	st.Warn(a.warning())
	return st
}

func (a answers) Teller() *control.Teller { return nil }

func (a answers) Profiles() http.Handler { return nil }

func (a answers) Looks(string, string) control.Looks { return control.Looks{} }

func (a answers) Rescan(context.Context, string) error { return errors.New(a.warning()) }

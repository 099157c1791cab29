package main

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"picday/contract"
	"picday/store"
	"picday/web"
)

// A front is what picdayd shows over HTTP.
type front struct {
	links   *store.Links
	servers []*web.Server
}

// openFront listens where the configuration says, before anything else is
// done: an address that is taken is a reason not to start.
func (s *service) openFront(ctx context.Context) (f *front, err error) {
	f = &front{}
	proxies, err := s.cfg.Web.ProxyNetworks()
	if err != nil {
		return nil, err
	}
	if s.cfg.Web.Public != "" {
		if f.links, err = s.store.OpenLinks(ctx, s.cfg.Images.Renditions[0].Name); err != nil {
			return nil, err
		}
		public := &web.Public{Pictures: f.links, Healthy: s.proof.healthy, Log: s.log}
		if err := f.add("web.public", s.cfg.Web.Public, proxies, public, s.log); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	if s.cfg.Web.Admin != "" {
		site := s.site()
		key, err := s.store.DeriveKey(web.BrowserKeyPurpose)
		if err != nil {
			return nil, errors.Join(err, f.close())
		}
		admin := web.NewAdmin(web.Admin{
			Store: s.store, Writer: s.writer, Status: s.Status, Healthy: s.proof.healthy, Metrics: s.metrics, Site: site, Hosts: s.adminHosts(site.Host), Proxies: proxies, BrowserKey: key, Log: s.log,
		})
		if err := f.add("web.admin", s.cfg.Web.Admin, proxies, admin, s.log); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	s.front = f
	return f, nil
}

// warnings is what keeps the listeners from answering everybody.
func (f *front) warnings() (all []string) {
	for _, server := range f.servers {
		if w := server.Warning(); w != "" {
			all = append(all, w)
		}
	}
	return all
}

// adminHosts are the names by which the administration listener is reached;
// machine is what connection cards call the machine.
func (s *service) adminHosts(machine string) []string {
	if len(s.cfg.Web.AdminHosts) > 0 {
		return s.cfg.Web.AdminHosts
	}
	hosts := []string{machine}
	if name, err := os.Hostname(); err == nil {
		hosts = append(hosts, name)
	}
	if u, err := url.Parse(s.cfg.Web.PublicURL); err == nil {
		hosts = append(hosts, u.Host)
	}
	return hosts
}

// site is what the administration listener knows of the configuration.
func (s *service) site() web.Site {
	site := web.Site{
		PublicURL: s.cfg.Web.PublicURL, Host: contract.Host(s.cfg.SSHD.Host), Port: s.cfg.SSHD.Port,
		Originals: s.store.OriginalPath, Files: s.store.RenditionPath,
		TrashKeep: s.cfg.Upload.TrashKeep.Std(), Disks: s.disks,
	}
	for _, r := range s.cfg.Images.Renditions {
		site.Renditions = append(site.Renditions, store.RenditionSpec(r))
	}
	return site
}

func (f *front) add(key, addr string, proxies []netip.Prefix, h http.Handler, log zerolog.Logger) error {
	server, err := web.New(key, addr, proxies, h, log)
	if err == nil {
		f.servers = append(f.servers, server)
		log.Info().Str("listener", key).Str("addr", server.Addr()).Msg("listening")
	}
	return err
}

// run answers until ctx ends.
func (f *front) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, server := range f.servers {
		group.Go(func() error { return server.Run(ctx) })
	}
	return group.Wait()
}

func (f *front) close() (err error) {
	for _, server := range f.servers {
		err = errors.Join(err, server.Close())
	}
	if f.links != nil {
		err = errors.Join(err, f.links.Close())
	}
	return err
}

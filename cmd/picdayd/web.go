package main

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"os"

	"picday/internal/contract"
	"picday/internal/helper"
	"picday/internal/language"
	"picday/internal/web"
)

// listen makes the listeners of the configuration, before anything else is done: an address
// that is taken is a reason not to start. close is for after they have run.
func (s *service) listen(ctx context.Context) (l *web.Listeners, close func(), err error) {
	proxies, err := s.cfg.Web.ProxyNetworks()
	if err != nil {
		return nil, nil, err
	}
	l = &web.Listeners{Proxies: proxies, Log: s.log}
	links, err := s.store.OpenLinks(ctx, s.cfg.Images.Renditions[0].Name)
	if err != nil {
		return nil, nil, err
	}
	close = func() { _ = errors.Join(l.Close(), links.Close()) }
	public := &web.Public{Pictures: links, Files: s.store.Files(), Healthy: s.health.Healthy, Log: s.log}
	if err = l.Add("web.public", s.cfg.Web.Public, public); err == nil {
		err = s.listenAdmin(l, proxies)
	}
	if err != nil {
		close()
		return nil, nil, err
	}
	return l, close, nil
}

func (s *service) listenAdmin(l *web.Listeners, proxies []netip.Prefix) error {
	key, err := s.store.DeriveKey(web.BrowserKeyPurpose)
	if err != nil {
		return err
	}
	site := s.site()
	var onPages web.Jobs
	if s.cfg.Web.MayActivate {
		onPages = jobs{s}
	}
	return l.Add("web.admin", s.cfg.Web.Admin, web.NewAdmin(web.Admin{
		Store: s.store, Writer: s.writer, Jobs: onPages, Root: s.root(), Preview: s.previews.Make, Status: s.Status, Healthy: s.health.Healthy, Metrics: s.metrics,
		Site: site, Hosts: s.adminHosts(site.Host), Proxies: proxies, BrowserKey: key, Log: s.log,
	}))
}

// root asks root's helper for what the configuration lists.
func (s *service) root() web.Root {
	return web.Root{May: s.cfg.Web.May, Ask: func(ctx context.Context, r helper.Request) (helper.Answer, error) {
		return helper.Ask(ctx, s.cfg.HelperDir, r)
	}}
}

// adminHosts are the names by which the administration listener is reached; machine is the
// machine's name on connection cards.
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
	return web.Site{
		PublicURL: s.cfg.Web.PublicURL, Host: contract.Host(s.cfg.SSHD.Host), Port: s.cfg.SSHD.Port,
		Files:     s.store.Files(),
		TrashKeep: s.cfg.Upload.TrashKeep.Std(), Disks: s.disks,
		Renditions: s.cfg.Images.Renditions, Language: language.Language(s.cfg.Language),
	}
}

package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"picday/internal/helper"
)

func (w Web) validate() error {
	for key, addr := range map[string]string{"web.public": w.Public, "web.admin": w.Admin} {
		if addr == "" {
			continue
		}
		_, port, err := net.SplitHostPort(addr)
		if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 {
			return fmt.Errorf("%s = %q: give an address with its port, such as \"127.0.0.1:8480\", or \"\" for none", key, addr)
		}
	}
	if w.Public == w.Admin && w.Public != "" {
		return fmt.Errorf("web.public and web.admin are both %q: give each its own port", w.Public)
	}
	u, err := url.Parse(w.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(w.PublicURL, "?#") || strings.HasSuffix(w.PublicURL, "/") {
		return fmt.Errorf("web.public_url = %q: give the beginning of a link, such as \"https://pics.example.com\", without a slash at its end", w.PublicURL)
	}
	if _, err := w.ProxyNetworks(); err != nil {
		return err
	}
	for _, verb := range w.May {
		if helper.Verb(verb).Part() == "" {
			return fmt.Errorf("web.may has %q: there are %q", verb, helper.Verbs)
		}
	}
	for _, host := range w.AdminHosts {
		if host == "" || strings.Trim(strings.ToLower(host), "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" {
			return fmt.Errorf("web.admin_hosts has %q: give names such as \"admin.example.com\", without http:// and without a port", host)
		}
	}
	return nil
}

// ProxyNetworks are web.proxies as networks. An address is a network of one address.
func (w Web) ProxyNetworks() (networks []netip.Prefix, err error) {
	for _, text := range w.Proxies {
		network, err := netip.ParsePrefix(text)
		if addr, aerr := netip.ParseAddr(text); aerr == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
		}
		if err != nil || network.Addr().Is4In6() {
			return nil, fmt.Errorf("web.proxies has %q: give addresses or networks such as \"127.0.0.1\" or \"10.1.0.0/24\"", text)
		}
		if network.Bits() == 0 {
			return nil, fmt.Errorf("web.proxies has %q, which is everybody: then anybody could say that he asks for somebody else. Name the web servers only", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}

package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"picday/internal/layout"
)

// clientAddr is where a request comes from. A web server in front (web.proxies) appends the
// address of its client to X-Forwarded-For. The address before that was given to it by
// that client, and is believed only if the client is one of web.proxies, too.
func (g *gate) clientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv6Unspecified() // does not happen; all such peers would count as one
	}
	addr := peer.Addr().Unmap().WithZone("")
	forwarded := strings.Join(r.Header.Values("X-Forwarded-For"), ",")
	if forwarded != "" && !contains(g.Proxies, addr) {
		g.unnamed.Do(func() {
			g.Log.Warn().Stringer("from", addr).Msg("what this address says of whom it asks for is not believed: if it is your web server's, put it into proxies under [web], or all who come through it count as one")
		})
	}
	for forwarded != "" && contains(g.Proxies, addr) {
		last := strings.TrimSpace(forwarded[strings.LastIndexByte(forwarded, ',')+1:])
		forwarded = forwarded[:max(0, strings.LastIndexByte(forwarded, ','))]
		given, err := netip.ParseAddr(last)
		if err != nil {
			with, err := netip.ParseAddrPort(last) // some proxies write the port, too
			if err != nil {
				break
			}
			given = with.Addr()
		}
		addr = given.Unmap().WithZone("")
	}
	return addr
}

// networkOf is the network whose failed log-ins count together: /24 of IPv4, and of IPv6
// /56, which is what one customer is given.
func networkOf(addr netip.Addr) string {
	bits := 24
	if addr.Is6() {
		bits = 56
	}
	network, _ := addr.Prefix(bits) // shorter than any address: cannot fail
	return network.String()
}

// checkHost refuses requests for a host name that is not this listener's, against DNS
// rebinding: the owner of any name can make it resolve to this machine for a moment, and a
// browser then takes his page and these pages for the same site. Addresses and localhost
// cannot be used for that; /healthz and assets tell nothing.
func (g *gate) checkHost(r *http.Request) error {
	name := hostName(r.Host)
	if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" || g.hosts[name] ||
		r.URL.Path == healthPath || strings.HasPrefix(r.URL.Path, "/assets/") {
		return nil
	}
	shown := layout.Shown(name[:min(len(name), 100)])
	return refuse(http.StatusMisdirectedRequest, "%s is not a name of these pages. If you did not type it yourself, close this page. "+
		"To make it one: admin_hosts = [\"%s\"] under [web] in picday.toml, then 'systemctl restart picdayd'.", shown, shown)
}

// hostName is the name in a Host header or an address, without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

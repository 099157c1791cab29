package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// clientAddr is where a request comes from. A web server in front (web.proxies)
// says for whom it asks, in the last place of the header; what stands before
// that it was told, and is believed only from another one of them.
func (g *gate) clientAddr(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv6Unspecified() // there are no such peers: all of them are one
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
			with, err := netip.ParseAddrPort(last) // some write the port, too
			if err != nil {
				break
			}
			given = with.Addr()
		}
		addr = given.Unmap().WithZone("")
	}
	return addr
}

// networkOf is whose failed log-ins count together: neighbours in IPv4, and
// what one customer is given of IPv6.
func networkOf(addr netip.Addr) string {
	bits := 24
	if addr.Is6() {
		bits = 56
	}
	network, _ := addr.Prefix(bits) // shorter than any address: cannot fail
	return network.String()
}

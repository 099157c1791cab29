package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"picday/layout"
)

// checkHost refuses a request that was made to a name which is not this
// listener's. Whoever owns a name can make it lead here for a moment, and then
// a page of his own, open in a browser that gets here, is the same site to the
// browser as these pages. Addresses and localhost are nobody's to lead
// elsewhere; /healthz and what pages are drawn with tell nothing.
func (g *gate) checkHost(r *http.Request) error {
	name := hostName(r.Host)
	if _, err := netip.ParseAddr(name); err == nil || name == "" || name == "localhost" || g.hosts[name] ||
		r.URL.Path == healthPath || strings.HasPrefix(r.URL.Path, "/assets/") {
		return nil
	}
	shown := layout.Shown(name[:min(len(name), 100)])
	return refuse(http.StatusMisdirectedRequest, fmt.Sprintf("%s is not a name of these pages. If you did not type it yourself, close this page. "+
		"To make it one: admin_hosts = [%q] under [web] in picday.toml, then 'systemctl restart picdayd'.", shown, shown))
}

// hostName is the name in a Host header or an address, without its port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

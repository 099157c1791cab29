package notify

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"

	"picday/internal/config"
)

// A destination is a host outside of this machine that picdayd has to reach.
type destination struct {
	what, host string
	addresses  []netip.Addr
}

// hosts returns the hosts of the configuration that are not this machine.
func hosts(c config.Config) (all []destination) {
	add := func(what, host string) {
		if host != "" && !config.IsLocal(host) {
			all = append(all, destination{what: what, host: host})
		}
	}
	if host, _, err := net.SplitHostPort(c.Mail.Server); err == nil {
		add("mail.server", host)
	}
	for _, w := range c.Webhooks {
		if u, err := url.Parse(w.URL); err == nil {
			add("webhook "+w.Name, u.Hostname())
		}
	}
	return all
}

// A resolver finds the addresses of a host.
type resolver func(ctx context.Context, host string) ([]netip.Addr, error)

// resolve uses the same resolver as picdayd.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for i := range all {
		all[i] = all[i].Unmap()
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all), err
}

// destinations returns the hosts with their addresses, and the name servers of resolv.conf
// if a host has to be resolved.
func destinations(ctx context.Context, c config.Config, ask resolver, resolvConf []byte) ([]destination, error) {
	all := hosts(c)
	named := false
	for i, d := range all {
		if addr, err := netip.ParseAddr(d.host); err == nil {
			all[i].addresses = []netip.Addr{addr.Unmap()}
			continue
		}
		named = true
		var err error
		if all[i].addresses, err = ask(ctx, d.host); err != nil {
			return nil, fmt.Errorf("%s: %w", d.what, err)
		}
	}
	for line := range bytes.Lines(resolvConf) {
		fields := strings.Fields(string(line))
		if !named || len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(fields[1]); err == nil && !addr.IsLoopback() {
			all = append(all, destination{"name server", fields[1], []netip.Addr{addr.WithZone("").Unmap()}})
		}
	}
	return all, nil
}

// Sandbox returns a drop-in for picdayd's unit that lets it connect to the hosts of the
// configuration, and to nothing else. It is empty if all of them are this machine.
func Sandbox(ctx context.Context, c config.Config) (string, error) {
	conf, err := os.ReadFile("/etc/resolv.conf")
	if err != nil && !os.IsNotExist(err) {
		return "", err
	}
	all, err := destinations(ctx, c, resolve, conf)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return sandbox(all), nil
}

func sandbox(all []destination) string {
	var b strings.Builder
	b.WriteString("# From 'picday events sandbox': where picdayd may connect to, besides this machine.\n[Service]\n")
	for _, d := range all {
		fmt.Fprintf(&b, "# %s: %s\nIPAddressAllow=", d.what, d.host)
		for i, addr := range d.addresses {
			b.WriteString([]string{"", " "}[min(i, 1)] + addr.String())
		}
		b.WriteString("\n")
	}
	return b.String()
}

// InstallSandbox is the command that installs the drop-in.
const InstallSandbox = "picday events sandbox | install -Dm644 /dev/stdin /etc/systemd/system/picdayd.service.d/50-events.conf && systemctl daemon-reload && systemctl restart picdayd"

// blocked finds the destinations that the unit's IPAddressDeny and IPAddressAllow, as
// systemctl shows them, do not let picdayd reach.
func blocked(all []destination, deny, allow string) (out []destination) {
	prefixes := func(text string) (all []netip.Prefix) {
		for field := range strings.FieldsSeq(text) {
			if p, err := netip.ParsePrefix(field); err == nil {
				all = append(all, p)
			}
		}
		return all
	}
	denied, allowed := prefixes(deny), prefixes(allow)
	for _, d := range all {
		in := func(p netip.Prefix) bool {
			return slices.ContainsFunc(d.addresses, p.Contains)
		}
		if slices.ContainsFunc(denied, in) && !slices.ContainsFunc(allowed, in) {
			out = append(out, d)
		}
	}
	return out
}

// unitProperty returns a property of a unit, "" if there is no systemd.
func unitProperty(ctx context.Context, unit, property string) string {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--value", "-p", property, unit).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

package store

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// maxNetworks is far more than a customer needs. It is limited because sshd checks all
// of them at every log-in.
const maxNetworks = 1000

// ParseNetworks reads networks and single addresses and returns them canonical,
// sorted and without duplicates. It refuses a network with host bits set, because
// 203.0.113.7/24 may have been meant as one address.
func ParseNetworks(list []string) (networks []netip.Prefix, err error) {
	for _, text := range list {
		p, err := parseNetwork(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		networks = append(networks, p)
	}
	slices.SortFunc(networks, func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	networks = slices.Compact(networks)
	if len(networks) > maxNetworks {
		return nil, fmt.Errorf("%d networks are too many: give at most %d, wider ones", len(networks), maxNetworks)
	}
	return networks, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	bad := errors.New(brief(text) + " is not a network: write for example 203.0.113.0/24, 2001:db8::/32 or a single address")
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, bad
		}
		addr = addr.Unmap() // sshd sees IPv4 clients as IPv4, also on an IPv6 socket
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, bad
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, bad
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p.Masked() != p {
		return netip.Prefix{}, fmt.Errorf("%s is an address inside a network: write %s for the network, or %s for the one address",
			text, p.Masked(), p.Addr())
	}
	return p, nil
}

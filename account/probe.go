package account

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"picday/store"
)

// A probe is one way to come in that sshd is asked about.
type probe struct {
	addr, host, laddr, rdomain string // "" = what goes with addr
	lport                      int    // 0 = the configured one
	block                      *block // of which it was made; nil = of no one
}

func from(addr string) probe { return probe{addr: addr} }

// spec is what sshd takes after -C.
func (p probe) spec(user string, port int) string {
	if p.addr == "" {
		p.addr = probes4[0]
	}
	if p.host == "" {
		p.host = p.addr
	}
	if p.laddr == "" {
		p.laddr = "127.0.0.1"
		if strings.Contains(p.addr, ":") {
			p.laddr = "::1"
		}
	}
	if p.lport == 0 {
		p.lport = port
	}
	spec := fmt.Sprintf("user=%s,host=%s,addr=%s,laddr=%s,lport=%d", user, p.host, p.addr, p.laddr, p.lport)
	if p.rdomain != "" {
		spec += ",rdomain=" + p.rdomain
	}
	return spec
}

// String is for a sentence.
func (p probe) String() string {
	text := p.addr
	if text == "" {
		text = "anywhere"
	}
	if p.host != "" {
		text += " (" + p.host + ")"
	}
	if p.laddr != "" || p.lport != 0 {
		text += " to " + p.laddr
		if p.lport != 0 {
			text += ":" + strconv.Itoa(p.lport)
		}
	}
	return text
}

// maxProbes is how many ways in one block is asked about at most. One whom a
// block means is enough to see what it does; more are for blocks that overlap.
const maxProbes = 32

// probes are ways in whom the block means, and some whom it leaves out; it is
// an error if none can be made of its patterns.
func (b *block) probes() ([]probe, error) {
	all := []probe{{block: b}}
	for _, c := range []struct {
		name   string
		sample func(pattern string) ([]string, bool)
		means  func(value, list string) bool
		set    func(p *probe, value string)
	}{
		{"address", sampleAddrs, listedAddr, func(p *probe, v string) { p.addr = v }},
		{"host", sampleWord, listed, func(p *probe, v string) { p.host = v }},
		{"localaddress", sampleAddrs, listedAddr, func(p *probe, v string) { p.laddr = v }},
		{"localport", samplePort, listed, func(p *probe, v string) { p.lport, _ = strconv.Atoi(v) }},
		{"rdomain", sampleWord, listed, func(p *probe, v string) { p.rdomain = v }},
	} {
		list, given := b.criteria[c.name]
		if !given {
			continue
		}
		var values, others []string
		for pattern := range strings.SplitSeq(list, ",") {
			some, ok := c.sample(strings.TrimPrefix(pattern, "!"))
			if !ok {
				return nil, fmt.Errorf("picday cannot tell whom %q means", pattern)
			}
			for _, v := range some {
				if c.means(v, list) {
					values = append(values, v)
				} else {
					others = append(others, v)
				}
			}
		}
		if len(values) == 0 {
			return nil, fmt.Errorf("picday finds nobody whom %q means", list)
		}
		values = append(values, others[:min(len(others), 3)]...)
		var next []probe
		for _, v := range values {
			for _, p := range all {
				if c.set(&p, v); len(next) < maxProbes {
					next = append(next, p)
				}
			}
		}
		all = next
	}
	return all, nil
}

// sampleAddrs are addresses that a pattern for addresses means, the first and
// the last of a network, and its neighbours, which the same list may mean
// because the pattern is one of those that it leaves out.
func sampleAddrs(pattern string) (some []string, ok bool) {
	if p, err := netip.ParsePrefix(pattern); err == nil {
		first, last := p.Masked().Addr(), lastOf(p)
		for _, addr := range []netip.Addr{first, last, first.Prev(), last.Next()} {
			if addr.IsValid() && !slices.Contains(some, addr.String()) {
				some = append(some, addr.String())
			}
		}
		return some, true
	}
	if pattern == "*" {
		return slices.Concat(probes4, probes6), true
	}
	for _, fill := range []string{"7", "7.7", "7.7.7", "77", "77::77", ":77"} {
		text := strings.ReplaceAll(strings.ReplaceAll(pattern, "?", "7"), "*", fill)
		if addr, err := netip.ParseAddr(text); err == nil {
			return []string{addr.String()}, true
		}
	}
	return nil, false
}

// listedAddr is sshd's match of an address against a list of networks and
// patterns.
func listedAddr(addr, list string) bool {
	found := false
	for pattern := range strings.SplitSeq(list, ",") {
		pattern, not := strings.CutPrefix(pattern, "!")
		if inNetwork(pattern, addr) || wild(pattern, addr) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

func lastOf(p netip.Prefix) netip.Addr {
	bytes := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(bytes)*8; bit++ {
		bytes[bit/8] |= 1 << (7 - bit%8)
	}
	addr, _ := netip.AddrFromSlice(bytes)
	return addr
}

// sampleWord is a name that a pattern means. What sshd could not be told with
// -C is no such name.
func sampleWord(pattern string) ([]string, bool) {
	word := strings.NewReplacer("*", "x", "?", "x").Replace(pattern)
	return []string{word}, word != "" && !strings.ContainsAny(word, ", =\t")
}

func samplePort(pattern string) ([]string, bool) {
	n, err := strconv.Atoi(pattern)
	return []string{pattern}, err == nil && n > 0 && n < 65536
}

// maxInside is of how many of an account's networks an address is asked about.
const maxInside = 50

// sample picks addresses inside and outside the account's networks.
func (s *System) sample(a store.Account) (inside, outside []probe) {
	if len(a.AllowFrom) == 0 {
		return []probe{from(probes4[0]), from(probes6[0])}, nil
	}
	// With very many, some of all parts of the list.
	for i := 0; i < len(a.AllowFrom); i += 1 + len(a.AllowFrom)/maxInside {
		inside = append(inside, from(a.AllowFrom[i].Addr().String()))
	}
	for _, family := range [][]string{probes4, probes6} {
		for _, addr := range family {
			if !allowed(a, addr) {
				outside = append(outside, from(addr))
				break
			}
		}
	}
	return inside, outside
}

// allowed tells whether the account may come from this address.
func allowed(a store.Account, addr string) bool {
	ip, err := netip.ParseAddr(addr)
	return err == nil && (len(a.AllowFrom) == 0 || slices.ContainsFunc(a.AllowFrom, func(p netip.Prefix) bool { return p.Contains(ip) }))
}

// waysIn are the probes of all blocks that could mean the account, and the
// blocks of which none can be made. Accounts of one class get the same answers
// to all of them.
func (s *System) waysIn(a store.Account) (ways []probe, odd []*block, class string, err error) {
	blocks, err := s.blocks()
	if err != nil {
		return nil, nil, "", err
	}
	groups, err := groupsOf(a.Name)
	if err != nil {
		return nil, nil, "", err
	}
	class = fmt.Sprint(a.Layout, groups[1:]) // without its own
	for i, b := range blocks {
		if !b.concerns(a.Name) {
			continue
		}
		if list, given := b.criteria["group"]; given && listed(a.Name, list) {
			class += fmt.Sprint(" by its own group ", i)
		}
		class += fmt.Sprint(" ", i)
		some, err := b.probes()
		if err != nil && b.odd == "" {
			b.odd = err.Error()
		}
		if b.odd != "" {
			odd = append(odd, b)
			continue
		}
		ways = append(ways, some...)
	}
	return ways, odd, class, nil
}

// A round is one look at many accounts. Every account is asked about, but each
// block's ways in only once for a class of accounts.
type round struct{ jailed, admitted map[string]bool }

func newRound() *round { return &round{map[string]bool{}, map[string]bool{}} }

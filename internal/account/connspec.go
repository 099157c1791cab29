package account

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"picday/store"
)

// A connSpec is one connection that sshd -T -C is asked about.
type connSpec struct {
	addr, host, laddr, rdomain string // "" = what fits addr
	lport                      int    // 0 = the configured one
	block                      *block // the Match block it was made for; nil = none
}

func from(addr string) connSpec { return connSpec{addr: addr} }

// spec is the argument of -C.
func (p connSpec) spec(user string, port int) string {
	if p.addr == "" {
		p.addr = sampleIPv4[0]
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

// String describes the connection in a sentence.
func (p connSpec) String() string {
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

// maxConnSpecs is how many connections are made for one block at most. One that the
// block applies to shows what the block does; more are for blocks that overlap.
const maxConnSpecs = 32

// connSpecs returns connections that the block applies to, and some that it does
// not. It is an error if none can be made from its patterns.
func (b *block) connSpecs() ([]connSpec, error) {
	all := []connSpec{{block: b}}
	for _, c := range []struct {
		name   string
		sample func(pattern string) ([]string, bool)
		means  func(value, list string) bool
		set    func(p *connSpec, value string)
	}{
		{"address", sampleAddrs, listedAddr, func(p *connSpec, v string) { p.addr = v }},
		{"host", sampleWord, listed, func(p *connSpec, v string) { p.host = v }},
		{"localaddress", sampleAddrs, listedAddr, func(p *connSpec, v string) { p.laddr = v }},
		{"localport", samplePort, listed, func(p *connSpec, v string) { p.lport, _ = strconv.Atoi(v) }},
		{"rdomain", sampleWord, listed, func(p *connSpec, v string) { p.rdomain = v }},
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
		var next []connSpec
		for _, v := range values {
			for _, p := range all {
				if c.set(&p, v); len(next) < maxConnSpecs {
					next = append(next, p)
				}
			}
		}
		all = next
	}
	return all, nil
}

// sampleAddrs returns addresses that a pattern matches: of a network the first and
// the last. It adds their neighbours outside, because the pattern may be an
// exclusion in a list that matches those.
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
		return slices.Concat(sampleIPv4, sampleIPv6), true
	}
	for _, fill := range []string{"7", "7.7", "7.7.7", "77", "77::77", ":77"} {
		text := strings.ReplaceAll(strings.ReplaceAll(pattern, "?", "7"), "*", fill)
		if addr, err := netip.ParseAddr(text); err == nil {
			return []string{addr.String()}, true
		}
	}
	return nil, false
}

// listedAddr matches an address against a list of networks and patterns as sshd
// does.
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

// sampleWord returns a name that a pattern matches, if it can be written after -C.
func sampleWord(pattern string) ([]string, bool) {
	word := strings.NewReplacer("*", "x", "?", "x").Replace(pattern)
	return []string{word}, word != "" && !strings.ContainsAny(word, ", =\t")
}

func samplePort(pattern string) ([]string, bool) {
	n, err := strconv.Atoi(pattern)
	return []string{pattern}, err == nil && n > 0 && n < 65536
}

// maxInside is how many of an account's networks sshd is asked about, roughly.
const maxInside = 50

// sample picks addresses inside and outside the account's networks.
func (s *System) sample(a store.Account) (inside, outside []connSpec) {
	if len(a.AllowFrom) == 0 {
		return []connSpec{from(sampleIPv4[0]), from(sampleIPv6[0])}, nil
	}
	// If there are very many, take some from all parts of the list.
	for i := 0; i < len(a.AllowFrom); i += 1 + len(a.AllowFrom)/maxInside {
		inside = append(inside, from(a.AllowFrom[i].Addr().String()))
	}
	for _, family := range [][]string{sampleIPv4, sampleIPv6} {
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

// connSpecsFor returns connections for all Match blocks that may apply to the
// entrance, and the blocks for which none can be made. sshd answers all entrances of
// one class alike: those of a log-in's class are of one account.
func (s *System) connSpecsFor(e entrance) (specs []connSpec, unclear []*block, class string, err error) {
	blocks, err := s.blocks()
	if err != nil {
		return nil, nil, "", err
	}
	groups, err := e.groups()
	if err != nil {
		return nil, nil, "", err
	}
	class = fmt.Sprint(e.acct.Layout, groups[1:]) // without its own group
	for i, b := range blocks {
		if !b.concerns(e.name) {
			continue
		}
		if list, given := b.criteria["group"]; given && listed(e.name, list) {
			class += fmt.Sprint(" by its own group ", i)
		}
		class += fmt.Sprint(" ", i)
		some, err := b.connSpecs()
		if err != nil && b.unclear == "" {
			b.unclear = err.Error()
		}
		if b.unclear != "" {
			unclear = append(unclear, b)
			continue
		}
		specs = append(specs, some...)
	}
	return specs, unclear, class, nil
}

// askedClasses remembers, while many accounts are checked, for which classes of
// accounts sshd has been asked about the connections of all Match blocks.
type askedClasses struct{ jailed, admitted map[string]bool }

func newAskedClasses() *askedClasses { return &askedClasses{map[string]bool{}, map[string]bool{}} }

package account

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"picday/store"
)

// A Firewall says who may open connections to sshd at all: the networks of all
// enabled accounts, and the admin's own.
type Firewall struct {
	Port int
	Out  []string // enabled accounts without an allowlist, whose networks are unknown

	networks []network
	also     bool // the admin named networks of his own
}

// A network, and who is in it for the comment beside it.
type network struct {
	netip.Prefix
	who []string
}

// alsoName stands for the admin's own networks among the accounts' names; no
// account can be called so.
const alsoName = "--also"

// NewFirewall collects the networks; also are the admin's own.
func NewFirewall(port int, accounts []store.Account, also []string) (Firewall, error) {
	f := Firewall{Port: port, also: len(also) > 0}
	list, err := ParseAllow(also)
	if err != nil {
		return f, err
	}
	f.add(alsoName, list)
	for _, a := range accounts {
		// The text is loaded by root, so only parsed values may get into it.
		if err := a.Flawed(); err != nil {
			return f, refused("%v", err)
		}
		if err := ValidName(a.Name); err != nil {
			return f, err
		}
		if !a.Enabled {
			continue
		}
		if len(a.AllowFrom) == 0 {
			f.Out = append(f.Out, a.Name)
		}
		f.add(a.Name, a.AllowFrom)
	}
	f.merge()
	return f, nil
}

func (f *Firewall) add(who string, list []netip.Prefix) {
	for _, p := range list {
		f.networks = append(f.networks, network{p, []string{who}})
	}
}

// merge removes networks that are part of another one: nftables refuses a set of
// overlapping intervals, and its own auto-merge differs between releases.
func (f *Firewall) merge() {
	// Wide before narrow, so that what covers a network stands right before it.
	slices.SortFunc(f.networks, func(a, b network) int {
		if d := a.Addr().Compare(b.Addr()); d != 0 {
			return d
		}
		return a.Bits() - b.Bits()
	})
	var merged []network
	for _, n := range f.networks {
		if last := len(merged) - 1; last >= 0 && merged[last].Overlaps(n.Prefix) {
			merged[last].who = append(merged[last].who, n.who...)
			continue
		}
		merged = append(merged, n)
	}
	for i := range merged {
		slices.Sort(merged[i].who)
		merged[i].who = slices.Compact(merged[i].who)
	}
	f.networks = merged
}

// Check refuses rules that would shut out somebody of whom the admin may not think:
// accounts whose networks are unknown, unless ignoreOpen; himself, unless noAdmin; or
// everybody. connection is the value of SSH_CONNECTION, "" if there is none.
func (f Firewall) Check(ignoreOpen, noAdmin bool, connection string) error {
	if len(f.Out) > 0 && !ignoreOpen {
		return refused("these accounts may upload from anywhere, and a firewall would shut them out: %s\n"+
			"To give each its networks: picday account allow NAME CIDR...\nTo print it all the same, add --ignore-open", strings.Join(f.Out, ", "))
	}
	if !f.also && !noAdmin {
		return refused("no network of yours is named, and this is about your own SSH logins too.\n"+
			"To name yours, add --also CIDR\nIf nobody administers this machine by SSH on port %d, add --no-admin", f.Port)
	}
	if len(f.networks) == 0 {
		return refused("no account has networks, so nobody at all could connect to port %d.\nTo name networks: picday account allow NAME CIDR...", f.Port)
	}
	if from, ok := sessionFrom(connection, f.Port); ok && !noAdmin && !f.Admits(from) {
		return refused("you are logged in from %s, which this would shut out: add it with --also %[1]s", from)
	}
	return nil
}

// Admits tells whether somebody at this address could connect.
func (f Firewall) Admits(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(f.networks, func(n network) bool { return n.Contains(addr) })
}

// Nft is the file for nft -f. It replaces its own table and touches no other,
// in one transaction. It drops and never accepts on behalf of others: what the
// admin's own tables refuse stays refused.
//
// Only the packet that opens a connection is judged. Asking conntrack for
// "established" instead would cut running sessions on the first load, because
// conntrack has not seen them begin.
func (f Firewall) Nft() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# Who may connect to SSH (TCP port %[1]d) of this machine: the networks of picday's
# accounts, and those given with --also. Nobody else gets an answer.
#
# WARNING: this is about every login by SSH on that port, yours too. Before you
# load it, look for your own address below, and keep a session open until a
# second one has worked: open connections go on, whatever is loaded.
#
#   load, or load anew:  picday firewall --also YOUR-NETWORK | nft -f -
#   take away:           nft delete table inet picday
#
# A reboot or "nft flush ruleset" takes it away too. See picday(1).
`, f.Port)
	if len(f.Out) > 0 {
		fmt.Fprintf(&b, "#\n# Shut out, unless they are in a network of somebody else, because they have no\n# networks of their own: %s\n", strings.Join(f.Out, ", "))
	}
	fmt.Fprint(&b, "\ntable inet picday\ndelete table inet picday\n\ntable inet picday {\n")
	f.set(&b, "allowed4", "ipv4_addr", netip.Addr.Is4)
	f.set(&b, "allowed6", "ipv6_addr", netip.Addr.Is6)
	fmt.Fprintf(&b, `	chain sshd {
		type filter hook input priority filter; policy accept;
		iif "lo" accept
		tcp dport %[1]d tcp flags & (fin | syn | rst | ack) == syn ip saddr != @allowed4 counter drop
		tcp dport %[1]d tcp flags & (fin | syn | rst | ack) == syn ip6 saddr != @allowed6 counter drop
	}
}
`, f.Port)
	return b.Bytes()
}

func (f Firewall) set(b *bytes.Buffer, name, kind string, in func(netip.Addr) bool) {
	fmt.Fprintf(b, "\tset %s {\n\t\ttype %s\n\t\tflags interval\n", name, kind)
	head := "\t\telements = {\n"
	for _, n := range f.networks {
		if in(n.Addr()) {
			fmt.Fprintf(b, "%s\t\t\t%s, # %s\n", head, n.Prefix, strings.Join(n.who, ", "))
			head = ""
		}
	}
	if head == "" { // nft does not take an empty list
		b.WriteString("\t\t}\n")
	}
	b.WriteString("\t}\n")
}

// sessionFrom is the address from which a session came in by SSH on the port, by the
// value of SSH_CONNECTION. It is false for one on another port or from this machine, and
// where sudo has removed the variable.
func sessionFrom(connection string, port int) (netip.Addr, bool) {
	fields := strings.Fields(connection) // client's address and port, ours
	if len(fields) != 4 || fields[3] != strconv.Itoa(port) {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(fields[0])
	return addr, err == nil && !addr.IsLoopback()
}

package account

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"picday/store"
)

func TestFirewallText(t *testing.T) {
	accounts := []store.Account{
		{Name: "lincoln", Enabled: true, AllowFrom: networks("203.0.113.0/24", "2001:db8::/32")},
		{Name: "acme", Enabled: true, AllowFrom: networks("203.0.113.7/32", "192.0.2.0/25")},
		{Name: "parted", AllowFrom: networks("10.0.0.0/8")},
		{Name: "open", Enabled: true},
		{Name: "parted-too"},
	}
	f, err := NewFirewall(2222, accounts, []string{"198.51.100.9", "192.0.2.0/24"})
	if err != nil || !slices.Equal(f.Out, []string{"open"}) {
		t.Fatalf("%+v %v", f, err)
	}
	text := string(f.Nft())
	for _, want := range []string{
		"TCP port 2222", "WARNING", "nft delete table inet picday", "networks of their own: open\n",
		"elements = {\n\t\t\t192.0.2.0/24, # --also, acme\n\t\t\t198.51.100.9/32, # --also\n\t\t\t203.0.113.0/24, # acme, lincoln\n\t\t}\n",
		"elements = {\n\t\t\t2001:db8::/32, # lincoln\n\t\t}\n", "tcp dport 2222 ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("not in the file: %q\n%s", want, text)
		}
	}
	for _, never := range []string{"10.0.0.0", "parted", "203.0.113.7", "\nflush"} {
		if strings.Contains(text, never) {
			t.Errorf("in the file: %q\n%s", never, text)
		}
	}
	for addr, want := range map[string]bool{"203.0.113.7": true, "::ffff:203.0.113.7": true, "198.51.100.9": true, "198.51.100.8": false, "2001:db8::%eth0": true, "10.0.0.1": false} {
		if f.Admits(netip.MustParseAddr(addr)) != want {
			t.Errorf("admits %s: %v", addr, !want)
		}
	}
	if _, err := NewFirewall(22, nil, []string{"10.0.0.1/8"}); err == nil {
		t.Error("a network with host bits was taken")
	}
}

// However networks overlap, the sets hold the same addresses without overlap,
// and nftables takes the file, twice.
func TestFirewallMergesAndLoads(t *testing.T) {
	if whyNotReal != "" {
		t.Skip(whyNotReal)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		var accounts []store.Account
		var all []netip.Prefix
		for i := range random.IntN(8) {
			a := store.Account{Name: fmt.Sprintf("a%d", i), Enabled: true}
			for range 1 + random.IntN(6) {
				p := randomPrefix(random)
				all = append(all, p)
				a.AllowFrom = append(a.AllowFrom, p)
			}
			accounts = append(accounts, a)
		}
		f, err := NewFirewall(22, accounts, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range f.networks {
			if !slices.Contains(all, n.Prefix) || len(n.who) == 0 {
				t.Errorf("round %d: %v was made up", round, n)
			}
			for _, m := range f.networks[:i] {
				if n.Overlaps(m.Prefix) {
					t.Errorf("round %d: %v and %v overlap", round, n, m)
				}
			}
		}
		for _, p := range all {
			if !f.Admits(p.Addr()) {
				t.Errorf("round %d: %v got lost", round, p)
			}
		}
		text := f.Nft()
		for range 2 {
			cmd := exec.Command("nft", "-f", "-")
			cmd.Stdin = bytes.NewReader(text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("nft: %v\n%s\n%s", err, out, text)
			}
		}
	}
}

// randomPrefix is from so few that they often overlap.
func randomPrefix(r *rand.Rand) netip.Prefix {
	addr := netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(3)), byte(r.IntN(256))})
	bits := r.IntN(33)
	if r.IntN(3) == 0 {
		addr = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, byte(r.IntN(3)), 15: byte(r.IntN(256))})
		bits = r.IntN(129)
	}
	p, _ := addr.Prefix(bits)
	return p
}

// Nobody is shut out of whom the admin may not have thought.
func TestFirewallIsRefused(t *testing.T) {
	known := store.Account{Name: "acme", Enabled: true, AllowFrom: networks("203.0.113.0/24")}
	open := store.Account{Name: "open", Enabled: true}
	const session = "198.51.100.9 50000 192.0.2.1 22"
	for _, c := range []struct {
		name                string
		accounts            []store.Account
		also                []string
		ignoreOpen, noAdmin bool
		connection          string
		want                string // "" = printed
	}{
		{"all is said", []store.Account{known}, []string{"198.51.100.0/24"}, false, false, session, ""},
		{"an account without networks", []store.Account{known, open}, []string{"198.51.100.0/24"}, false, false, session, "shut them out: open\n"},
		{"and it does not matter", []store.Account{known, open}, []string{"198.51.100.0/24"}, true, false, session, ""},
		{"no network of the admin's", []store.Account{known}, nil, false, false, "", "add --also CIDR"},
		{"and nobody needs one", []store.Account{known}, nil, false, true, session, ""},
		{"nobody at all", nil, nil, false, true, "", "nobody at all could connect to port 22"},
		{"only the admin", nil, []string{"198.51.100.9"}, false, false, session, ""},
		{"another network than the admin's", []store.Account{known}, []string{"192.0.2.1"}, false, false, session, "--also 198.51.100.9"},
		{"sudo hides where the admin is", []store.Account{known}, []string{"192.0.2.1"}, false, false, "", ""},
	} {
		f, err := NewFirewall(22, c.accounts, c.also)
		if err != nil {
			t.Fatal(err)
		}
		err = f.Check(c.ignoreOpen, c.noAdmin, c.connection)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSessionFrom(t *testing.T) {
	for connection, want := range map[string]string{
		"203.0.113.7 50000 192.0.2.1 22":   "203.0.113.7",
		"2001:db8::7 50000 2001:db8::1 22": "2001:db8::7",
		"203.0.113.7 50000 192.0.2.1 2222": "", // of another sshd
		"127.0.0.1 50000 127.0.0.1 22":     "",
		"somebody 50000 192.0.2.1 22":      "",
		"203.0.113.7":                      "",
		"":                                 "",
	} {
		addr, ok := sessionFrom(connection, 22)
		if got := addr.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %v", connection, got, ok)
		}
	}
}

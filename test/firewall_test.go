package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// loadFirewall runs what a sysadmin types: picday firewall … | nft -f -
func (s *site) loadFirewall(n *bed.Network, flags ...string) {
	s.t.Helper()
	cmd := n.Command("nft", "-f", "-")
	cmd.Stdin = strings.NewReader(s.MustPicday(append([]string{"firewall"}, flags...)...))
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("nft: %v\n%s", err, out)
	}
}

// droppedPackets is how many packets the rules have dropped, of IPv4 and of IPv6.
func (s *site) droppedPackets(n *bed.Network) (counts []string) {
	s.t.Helper()
	out, err := n.Command("nft", "list", "table", "inet", "picday").CombinedOutput()
	if err != nil {
		s.t.Fatalf("nft list: %v\n%s", err, out)
	}
	for _, m := range regexp.MustCompile(`counter packets (\d+) .* drop`).FindAllStringSubmatch(string(out), -1) {
		counts = append(counts, m[1])
	}
	return counts
}

// quickSSH tries to log in with a short timeout. The tests also check the counter of dropped
// packets, so that a timeout on a slow machine is not taken for a dropped packet.
func quickSSH(l bed.Login) *exec.Cmd {
	cmd := l.SSH("-s", l.Host, "sftp")
	at := slices.Index(cmd.Args, "ssh") + 1 // the first value of an option wins
	cmd.Args = slices.Insert(cmd.Args, at, "-o", "ConnectTimeout=3")
	return cmd
}

// runFirewallUnit runs the commands of picday-firewall.service, with its capabilities.
func (s *site) runFirewallUnit(n *bed.Network, flags string) *exec.Cmd {
	s.t.Helper()
	text, err := os.ReadFile("../systemd/picday-firewall.service")
	s.must(err)
	value := func(pattern string) string {
		m := regexp.MustCompile(pattern).FindSubmatch(text)
		if m == nil {
			s.t.Fatalf("no %s in\n%s", pattern, text)
		}
		return string(m[1])
	}
	caps := strings.ReplaceAll(strings.ToLower(value(`(?m)^CapabilityBoundingSet=(.*)$`)), "cap_", "+")
	script := strings.ReplaceAll(value(`(?m)^ExecStart=/bin/sh -c '(.*)'$`), "$$", "$")
	cmd := n.Command("setpriv", "--no-new-privs", "--bounding-set=-all,"+strings.ReplaceAll(caps, " ", ","), "/bin/sh", "-c", script)
	cmd.Env = append(os.Environ(), "PICDAY_FIREWALL="+flags, "PICDAY_CONFIG="+s.Config,
		"PATH="+filepath.Dir(s.PicdayCmd().Path)+":/usr/sbin:/usr/bin:/sbin:/bin")
	return cmd
}

func TestFirewall(t *testing.T) {
	bed.Root(t)
	bed.Need(t, "nft", "nftables")
	s := newQuietSite(t)
	school := s.portraits("fire", "--allow-from", "203.0.113.0/24", "--allow-from", "2001:db8:1::/64")
	// Allow a network and another inside of it. nftables would refuse a set with both.
	other := s.portraits("fireother", "--allow-from", "203.0.113.2", "--allow-from", "2001:db8::/33", "--allow-from", "192.0.2.0/24")
	n := s.Network()
	inside := n.Host("inside", "203.0.113.0/24", "2001:db8:1::/64")
	outside := n.Host("outside", "198.51.100.0/24", "2001:db8:8000::/64")
	admin := s.AddUnixUser("admin")

	works := func(what string, l bed.Login) *bed.Wire {
		t.Helper()
		var wire *bed.Wire
		s.Eventually(what, func() (bool, any) {
			var err error
			wire, err = l.Wire()
			return err == nil, err
		})
		return wire
	}
	timesOut := func(what string, l bed.Login) {
		t.Helper()
		if out, err := quickSSH(l).CombinedOutput(); err == nil || !strings.Contains(string(out), "timed out") {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
	}
	open := map[string]*bed.Wire{}
	for name, l := range map[string]bed.Login{
		"school": inside.Login(school.ByKey(), inside.Server4), "admin": outside.Login(admin, outside.Server4),
		"school, IPv6": inside.Login(school.ByKey(), inside.Server6), "admin, IPv6": outside.Login(admin, outside.Server6),
	} {
		open[name] = works(name+" before there is a firewall", l)
	}
	goOn := func(when string) {
		t.Helper()
		for name, wire := range open {
			if _, err := wire.List("/"); err != nil {
				t.Errorf("%s: the open connection of %s: %v", when, name, err)
			}
		}
	}

	s.loadFirewall(n, "--no-admin")
	goOn("first load")
	s.loadFirewall(n, "--no-admin")
	goOn("second load")
	if tables, err := n.Command("nft", "list", "tables").CombinedOutput(); string(tables) != "table inet picday\n" {
		t.Errorf("after loading twice: %v\n%s", err, tables)
	}
	works("the school by IPv4", inside.Login(school.ByPassword(), inside.Server4))
	works("the school by IPv6", inside.Login(other.ByKey(), inside.Server6))
	if got := s.droppedPackets(n); got[0] != "0" || got[1] != "0" {
		t.Errorf("before a stranger came, dropped: %q", got)
	}
	timesOut("a stranger by IPv4", outside.Login(school.ByKey(), outside.Server4))
	timesOut("a stranger by IPv6", outside.Login(school.ByKey(), outside.Server6))
	if got := s.droppedPackets(n); got[0] == "0" || got[1] == "0" {
		t.Errorf("dropped of a stranger: %q", got)
	}

	s.loadFirewall(n, "--also", "198.51.100.2", "--also", "2001:db8:8000::/64")
	works("the admin by IPv4", outside.Login(admin, outside.Server4))
	works("the admin by IPv6", outside.Login(admin, outside.Server6))

	// Change the school's network.
	s.MustPicday("account", "allow", school.Name, "198.51.100.0/24")
	s.MustPicday("account", "disable", other.Name)
	n.ReloadSSHD()
	s.loadFirewall(n, "--no-admin")
	works("the school from its new network", outside.Login(school.ByKey(), outside.Server4))
	timesOut("its old network", inside.Login(school.ByKey(), inside.Server4))
	timesOut("a disabled account's network", inside.Login(other.ByKey(), inside.Server6))
	goOn("the third load")

	// The unit loads the new rules, or keeps the old ones if it fails.
	if out, err := s.runFirewallUnit(n, "--also 203.0.113.2 --also 2001:db8:1::2").CombinedOutput(); err != nil {
		t.Fatalf("the unit: %v\n%s", err, out)
	}
	works("the admin that the unit names", inside.Login(admin, inside.Server6))
	s.MustPicday("account", "allow", school.Name) // from anywhere
	if out, err := s.runFirewallUnit(n, "--no-admin").CombinedOutput(); err == nil || !strings.Contains(string(out), school.Name) {
		t.Errorf("the unit, with an account that is open: %v\n%s", err, out)
	}
	works("and the set that was good is still there", inside.Login(admin, inside.Server4))
	if out, err := s.runFirewallUnit(n, "").CombinedOutput(); err == nil {
		t.Errorf("the unit as it is installed: %v\n%s", err, out)
	}

	if out, err := n.Command("nft", "delete", "table", "inet", "picday").CombinedOutput(); err != nil {
		t.Errorf("taking it away: %v\n%s", err, out)
	}
	works("anybody, without the table", inside.Login(admin, inside.Server4))
}

// The command refuses to print rules that would lock people out of the machine.
func TestFirewallRefusals(t *testing.T) {
	s := newQuietSite(t)
	refused := func(says string, args ...string) {
		t.Helper()
		r := s.Picday(append([]string{"firewall"}, args...)...)
		if r.Code != 4 || !strings.Contains(r.Stderr, says) {
			t.Errorf("want exit status 4 and %q: %v", says, r)
		}
		requireErrorMessage(t, r)
	}
	refused("nobody at all could connect", "--no-admin")
	refused("no network of yours")
	s.MustPicday("firewall", "--also", "192.0.2.1") // before the first account

	u := s.jobs("anywhere")
	for _, flag := range []string{"--no-admin", "--also=192.0.2.1"} {
		refused(u.Name, flag)
	}
	refused("nobody at all could connect", "--no-admin", "--ignore-open")
	if out := s.MustPicday("firewall", "--also", "192.0.2.1", "--ignore-open"); !strings.Contains(out, u.Name) {
		t.Errorf("whom it shuts out is not in the file:\n%s", out)
	}
	s.MustPicday("account", "disable", u.Name)
	s.MustPicday("firewall", "--also", "192.0.2.1")
	s.MustPicday("account", "enable", u.Name)
	s.MustPicday("account", "allow", u.Name, "203.0.113.0/24")

	r := s.Picday("firewall", "--also", "nonsense")
	if r.Code != 2 {
		t.Error(r)
	}
	requireErrorMessage(t, r)

	// The address of the admin's own session is checked, if it is known.
	as := func(connection string, args ...string) (string, error) {
		cmd := s.PicdayCmd(append([]string{"firewall"}, args...)...)
		cmd.Env = append(os.Environ(), "SSH_CONNECTION="+strings.ReplaceAll(connection, "PORT", strconv.Itoa(s.Port)))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for connection, admitted := range map[string]bool{
		"198.51.100.9 50000 192.0.2.1 PORT": false, "2001:db8::9 50000 2001:db8::1 PORT": false,
		"203.0.113.9 50000 192.0.2.1 PORT": true, "192.0.2.7 1 192.0.2.1 PORT": true,
		"198.51.100.9 50000 192.0.2.1 1": true, "127.0.0.1 1 127.0.0.1 PORT": true, "nonsense": true, "a b c PORT": true,
	} {
		out, err := as(connection, "--also", "192.0.2.7")
		if (err == nil) != admitted || !admitted && !strings.Contains(out, "you are logged in from "+strings.Fields(connection)[0]) {
			t.Errorf("from %s: %v\n%s", connection, err, out)
		}
		if out, err := as(connection, "--no-admin"); err != nil {
			t.Errorf("--no-admin from %s: %v\n%s", connection, err, out)
		}
	}
}

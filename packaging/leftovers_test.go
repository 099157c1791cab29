package packaging_test

import (
	"strings"
	"testing"
)

// What an admin has done by README, a colleague in the group picday and the
// firewall's units enabled, comes and goes with the package.
func TestMembersAndFirewallUnits(t *testing.T) {
	needs(t)
	m := newServer(t, "trixie")
	deb := build(t, "deb", shipped)
	state := func(want string) {
		t.Helper()
		out, _ := m.try("systemctl", "is-active", "picday-firewall.path", "picday-firewall.timer")
		if out != strings.Repeat(want+"\n", 2) {
			t.Errorf("the units are not %s:\n%s", want, out)
		}
	}
	m.install(deb)
	m.sh(`useradd -m clerk; gpasswd -a clerk picday
		systemctl enable picday-firewall.service picday-firewall.path picday-firewall.timer
		systemctl start picday-firewall.path picday-firewall.timer`)
	state("active")
	m.install(build(t, "deb", next))
	state("active")
	m.run("apt-get", "remove", "-qq", "-y", "picday")
	state("inactive")
	m.install(deb)
	state("active")
	m.run("apt-get", "purge", "-qq", "-y", "picday")
	state("inactive")
	if left := m.sh("ls /etc/systemd/system/*.wants | grep picday || true; getent group picday picday-sftp || true; getent passwd picday || true"); left != "" {
		t.Errorf("purging has left behind:\n%s", left)
	}
	m.install(deb)
	m.healthy()
	state("inactive")
}

package packaging_test

import (
	"strings"
	"testing"
)

// Where the machine uses picday's names for something else it is not
// installed, says why, and changes nothing.
func TestNamesThatAreTaken(t *testing.T) {
	needs(t)
	m := newServer(t, "bookworm")
	deb := build(t, "deb", next)
	sshd := m.run("/usr/sbin/sshd", "-T")
	for _, c := range []struct{ name, take, why, give string }{
		{
			"another package's file",
			`mkdir -p /root/other/DEBIAN /root/other/usr/bin; echo mine >/root/other/usr/bin/picday
			printf 'Package: other\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x.org>\nDescription: x\n' >/root/other/DEBIAN/control
			dpkg-deb --build /root/other /root/other.deb >/dev/null; dpkg -i /root/other.deb`,
			"which is also in package other",
			"grep -qx mine /usr/bin/picday; dpkg -r other",
		},
		{"the admin's user", "useradd -m -s /bin/bash picday", "the Unix user picday is somebody else's", "getent passwd picday | grep -q bash; userdel -r picday 2>/dev/null"},
		{"another package's user", "useradd -r -s /usr/sbin/nologin picday", "the Unix user picday is somebody else's", "userdel picday"},
		{"a group", "groupadd picday", "the Unix group picday is somebody else's", "groupdel picday"},
		{"a member", "groupadd picday-sftp; useradd -G picday-sftp carol", "carol is in the group picday-sftp", "userdel carol; groupdel picday-sftp"},
		{"a file of sshd's", "echo '# mine' >/etc/ssh/sshd_config.d/00-picday.conf", "00-picday.conf is not picday's", "grep -qx '# mine' /etc/ssh/sshd_config.d/00-picday.conf; rm /etc/ssh/sshd_config.d/00-picday.conf"},
	} {
		m.sh(c.take)
		out, err := m.tryInstall(deb)
		if err == nil || !strings.Contains(out, c.why) {
			t.Errorf("%s: want a refusal with %q, got %v\n%s", c.name, c.why, err, out)
		}
		m.sh(c.give)
		if left := m.sh("ls -d /etc/picday /var/lib/picday /srv/picday /usr/sbin/picdayd /etc/ssh/sshd_config.d/* 2>/dev/null || true; getent passwd picday || true; dpkg --audit"); left != "" {
			t.Errorf("%s: left behind:\n%s", c.name, left)
		}
		if m.run("/usr/sbin/sshd", "-T") != sshd {
			t.Errorf("%s: sshd's configuration has changed", c.name)
		}
	}
	m.install(deb)
	m.healthy()
}

// A first installation that cannot be set up is seen to have failed, and
// finished by apt once the reason is gone; a removal that would leave accounts
// unjailed does not happen.
func TestBrokenSSH(t *testing.T) {
	needs(t)
	m := newServer(t, "bookworm")
	deb := build(t, "deb", next)
	m.give("/etc/ssh/sshd_config.d/99-typo.conf", "Nonsense yes\n")
	out, err := m.tryInstall(deb)
	if err == nil || !strings.Contains(out, "sshd's configuration is broken already") || !strings.Contains(out, "picday is not set up") {
		t.Errorf("got %v\n%s", err, out)
	}
	m.run("rm", "/etc/ssh/sshd_config.d/99-typo.conf")
	m.run("dpkg", "--configure", "-a")
	m.healthy()
	u := m.addAccount("lincoln", "portraits")
	m.give("/etc/ssh/sshd_config.d/99-typo.conf", "Nonsense yes\n")
	m.refuses("picday stays installed", "apt-get", "remove", "-qq", "-y", "picday")
	m.run("rm", "/etc/ssh/sshd_config.d/99-typo.conf")
	m.healthy()
	u.getsIn()
	u.put(true, "user-pictures/1.jpg", 1)
	m.published("lincoln/user-pictures/1.jpg")
}

package packaging_test

import (
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// The unit's template mirrors on this Debian too, and is stopped with the package. That of
// the other one: TestHelperUnits.
func TestMirrorUnit(t *testing.T) {
	one(t, newServer, "trixie", func(m *machine) {
		m.install(build(m.T, "deb", next))
		m.healthy()
		m.mirrors()
		m.sh("apt-get remove -y picday >/dev/null 2>&1")
		if out, _ := m.try("systemctl", "is-active", "picday-mirror@till"); strings.TrimSpace(out) == "active" {
			m.Error("it is at work while the package is removed")
		}
	})
}

// mirrors: the unit's template mirrors with its sandbox on, as a user of its own whose group
// reads the pictures, where picday is installed.
func (m *machine) mirrors() {
	m.Helper()
	m.sh("sed -i 's/^#delete_grace = .*/delete_grace = \"1s\"/' /etc/picday/picday.toml; systemctl restart picdayd")
	m.healthy()
	before := m.paths()
	u := m.addAccount("lincoln", "portraits")
	u.put(false, "user-pictures/1.jpg", 1)
	m.published(append(before, "lincoln/user-pictures/1.jpg")...)
	var made struct{ Token string }
	m.json(&made, "token", "add", "till", "--account", "lincoln")
	m.sh("mkdir -p /etc/picday/mirror")
	m.give("/etc/picday/mirror/till.conf", "URL=http://127.0.0.1:8481\nOPTIONS=--rendition thumb\n")
	m.give("/etc/picday/mirror/till.token", made.Token+"\n")
	m.sh("chmod 0600 /etc/picday/mirror/till.token; systemctl enable --now picday-mirror@till")
	bed.Eventually(m.T, "the picture is in the mirror", func() (bool, any) {
		out, _ := m.try("systemctl", "status", "--no-pager", "picday-mirror@till")
		return m.has("/var/lib/picday-mirror/till/1.jpg"), out
	})
	if got := strings.TrimSpace(m.sh("stat -c '%U %G %a' /var/lib/picday-mirror/till /var/lib/picday-mirror/till/1.jpg | tr '\\n' ' '")); got != "picday-mirror picday-mirror 750 picday-mirror picday-mirror 640" {
		m.Errorf("the mirror is of %s", got)
	}
	m.sh("rm /srv/picday/lincoln/lincoln/user-pictures/1.jpg")
	bed.Eventually(m.T, "and gone when it is withdrawn", func() (bool, any) {
		return !m.has("/var/lib/picday-mirror/till/1.jpg"), nil
	})
	pid := strings.TrimSpace(m.run("systemctl", "show", "-P", "MainPID", "picday-mirror@till"))
	for path, writable := range map[string]bool{"/etc/x": false, "/var/lib/x": false, "/var/lib/picday-mirror/till/x": true} {
		if out, err := m.try("nsenter", "-t", pid, "-m", "touch", path); (err == nil) != writable {
			m.Errorf("the mirror's %s: %v %s", path, err, out)
		}
	}
}

package packaging_test

import (
	"slices"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// Where the uploads are a volume of their own it may come up late, not at all,
// or go away: nothing is withdrawn, and nothing needs a restart.
func TestVolumeLateAndAbsent(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"/srv", "/srv/picday"} {
		t.Run(strings.TrimPrefix(at, "/"), func(t *testing.T) {
			m := newServer(t, "bookworm")
			unit := strings.ReplaceAll(strings.TrimPrefix(at, "/"), "/", "-") + ".mount"
			m.give("/etc/systemd/system/"+unit, "[Mount]\nWhat=/disk\nWhere="+at+"\nType=none\nOptions=bind\n[Install]\nWantedBy=multi-user.target\n")
			m.sh("mkdir -p /disk " + at + "; systemctl daemon-reload; systemctl enable --now " + unit)
			m.install(build(t, "deb", shipped))
			m.sh("sed -i 's/^#delete_grace = .*/delete_grace = \"1s\"/; s/^#rescan = .*/rescan = \"1s\"/' /etc/picday/picday.toml; systemctl restart picdayd")
			m.healthy()
			u := m.addAccount("lincoln", "portraits")
			u.put(false, "user-pictures/1.jpg", 1)
			m.published("lincoln/user-pictures/1.jpg")

			published := []string{"lincoln/user-pictures/1.jpg"}
			absent := func() {
				t.Helper()
				bed.Eventually(t, "the daemon misses its volume and has looked again", func() (bool, any) {
					out, err := m.try("picday", "rescan", "--wait")
					return err != nil && strings.Contains(out, "not mounted"), out
				})
				if out, _ := m.try("picday", "status"); !strings.Contains(out, "not mounted") {
					t.Errorf("status does not say it:\n%s", out)
				}
				if have := m.paths(); !slices.Equal(have, published) {
					t.Errorf("published: %q", have)
				}
			}
			// Not at all, and an upgrade meanwhile.
			m.run("systemctl", "disable", unit)
			m.reboot()
			absent()
			if out := m.install(build(t, "deb", next)); !strings.Contains(out, "picday is not set up") {
				t.Errorf("the upgrade does not say that the volume is missing:\n%s", out)
			}
			absent()
			// Late.
			daemon := m.run("systemctl", "show", "-P", "MainPID", "picdayd")
			m.run("systemctl", "start", unit)
			m.run("picday", "init")
			u.put(false, "user-pictures/2.jpg", 2)
			m.published("lincoln/user-pictures/1.jpg", "lincoln/user-pictures/2.jpg")
			if now := m.run("systemctl", "show", "-P", "MainPID", "picdayd"); now != daemon {
				t.Error("the daemon was restarted")
			}
			m.healthy()

			// Gone while the daemon runs, and back.
			published = append(published, "lincoln/user-pictures/2.jpg")
			m.run("systemctl", "stop", unit)
			absent()
			m.run("systemctl", "start", unit)
			u.put(false, "user-pictures/3.jpg", 3)
			m.published("lincoln/user-pictures/1.jpg", "lincoln/user-pictures/2.jpg", "lincoln/user-pictures/3.jpg")

			// A number that uploads out of sight belong to is not given to others.
			m.run("systemctl", "stop", unit)
			if out := m.run("apt-get", "purge", "-qq", "-y", "picday"); !strings.Contains(out, "lincoln stays, locked out") {
				t.Errorf("purging does not say what stays:\n%s", out)
			}
			u.lockedOut()
		})
	}
}

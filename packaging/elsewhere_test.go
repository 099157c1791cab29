package packaging_test

import (
	"strings"
	"testing"
)

// Uploads and photos on disks of the admin's choice: purging, which finds no
// configuration any more, still closes the trees and says where all is.
func TestOtherDirectories(t *testing.T) {
	needs(t)
	m := newServer(t, "bookworm")
	m.install(build(t, "deb", next))
	m.sh(`sed -i 's,^#upload_dir = .*,upload_dir = "/data/up",; s,^#data_dir = .*,data_dir = "/data/photos",' /etc/picday/picday.toml
		mkdir /data; picday init; systemctl stop picdayd`)
	// Who forgets the unit is told, and can start it as soon as that is mended.
	if _, err := m.try("systemctl", "start", "picdayd"); err == nil {
		t.Error("it starts where it may not write")
	}
	said := m.run("journalctl", "-b", "--no-pager", "-u", "picdayd")
	if !strings.Contains(said, "ReadWritePaths=/data/up /data/photos") {
		t.Errorf("it does not say what to do:\n%s", said)
	}
	if state := m.sh("systemctl show -P ActiveState -P NRestarts picdayd"); state != "failed\n0\n" && state != "0\nfailed\n" {
		t.Errorf("what cannot work is tried again: %q", state)
	}
	m.give("/etc/systemd/system/picdayd.service.d/dirs.conf", "[Service]\nReadWritePaths=/data\n")
	m.sh("systemctl daemon-reload; systemctl restart picdayd")
	m.healthy()
	u := m.addAccount("lincoln", "portraits")
	u.put(true, "user-pictures/1.jpg", 1)
	m.published("lincoln/user-pictures/1.jpg")
	out := m.run("apt-get", "purge", "-qq", "-y", "picday")
	if !strings.Contains(out, "in /data/photos, the uploads in /data/up.") {
		t.Errorf("it does not say where the photos are:\n%s", out)
	}
	if tree := m.sh("stat -c '%U %G %a' /data/up/lincoln"); tree != "root root 700\n" {
		t.Errorf("the tree of the deleted user is not closed: %s", tree)
	}
	if m.has("/etc/picday") || m.has("/srv/picday") {
		t.Error("empty directories are left over")
	}
	u.lockedOut()
}

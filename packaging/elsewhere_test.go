package packaging_test

import (
	"strings"
	"testing"
)

// Uploads and photos on disks of the admin's choice: purging, which finds no
// configuration any more, still closes the trees and says where all is.
func TestOtherDirectories(t *testing.T) {
	needs(t)
	m := newMachine(t, "bookworm")
	m.install(build(t, "deb", "1.0"))
	m.give("/etc/systemd/system/picdayd.service.d/dirs.conf", "[Service]\nReadWritePaths=/data\n")
	m.sh(`sed -i 's,^#upload_dir = .*,upload_dir = "/data/up",; s,^#data_dir = .*,data_dir = "/data/photos",' /etc/picday/picday.toml
		mkdir /data; picday init; systemctl daemon-reload; systemctl restart picdayd`)
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

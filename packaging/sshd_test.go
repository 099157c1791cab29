package packaging_test

import (
	"strings"
	"testing"
)

// Where a socket starts an sshd for every connection there is none to reload.
func TestSocketActivatedSSH(t *testing.T) {
	each(t, newServer, func(m *machine) {
		m.sh("systemctl disable --now ssh.service; systemctl enable --now ssh.socket")
		m.install(build(m.T, "deb", next))
		m.healthy()
		if state, _ := m.try("systemctl", "is-active", "ssh.service"); state != "inactive\n" {
			m.Fatalf("ssh.service is %s: this test proves nothing", state)
		}
		u := m.addAccount("lincoln", "portraits")
		u.getsIn()
		u.put(true, "user-pictures/1.jpg", 1)
		m.published("lincoln/user-pictures/1.jpg")
		m.run("apt-get", "remove", "-qq", "-y", "picday")
		u.lockedOut()
	})
}

// An admin who has restricted SSH keeps it exactly so, before, with and after
// picday, and picday's accounts get in all the same.
func TestAdminsOwnSSH(t *testing.T) {
	needs(t)
	m := newServer(t, "bookworm")
	m.sh(`groupadd admins; useradd -m -s /bin/sh -G admins alice; useradd -m -s /bin/sh bob
		echo 'alice:Alice-pass-1' | chpasswd; echo 'bob:Bob-pass-1' | chpasswd`)
	m.give("/etc/ssh/sshd_config.d/00-admin.conf", "AllowGroups admins\nPasswordAuthentication no\n"+
		"Match User alice Address 127.0.0.0/8\n\tPasswordAuthentication yes\n\tForceCommand echo hello alice\n")
	m.run("systemctl", "reload", "ssh")
	effective := func() string {
		var all strings.Builder
		for _, user := range []string{"root", "alice", "bob"} {
			for _, addr := range []string{"127.0.0.1", "192.0.2.1"} {
				all.WriteString(m.run("/usr/sbin/sshd", "-T", "-C", "user="+user+",host=h,addr="+addr))
			}
		}
		return all.String()
	}
	alice := uploader{m: m, name: "alice", password: "Alice-pass-1", key: t.TempDir() + "/none"}
	bob := uploader{m: m, name: "bob", password: "Bob-pass-1", key: t.TempDir() + "/none"}
	login := func() {
		t.Helper()
		out, err := alice.outside(true, "ssh", append(alice.options(true), "alice@127.0.0.1")...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "hello alice") {
			t.Errorf("alice: %v\n%s", err, out)
		}
		if out, err := bob.outside(true, "ssh", append(bob.options(true), "bob@127.0.0.1", "id")...).CombinedOutput(); err == nil {
			t.Errorf("bob gets in:\n%s", out)
		}
	}
	before := effective()
	login()
	m.install(build(t, "deb", next))
	m.healthy()
	u := m.addAccount("acme", "jobs")
	m.run("picday", "job", "add", "acme", "job1")
	u.getsIn()
	login()
	if effective() != before {
		t.Error("picday has changed what sshd does for the machine's own users")
	}
	m.run("apt-get", "remove", "-qq", "-y", "picday")
	u.lockedOut()
	login()
	if effective() != before {
		t.Error("the removal has changed what sshd does for the machine's own users")
	}
}

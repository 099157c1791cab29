package packaging_test

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"picday/internal/test/bed"
)

// TestLife is what a machine lives through with picday on it.
func TestLife(t *testing.T) {
	each(t, newListed, life)
}

func life(m *machine) {
	m.install(build(m.T, "deb", shipped))
	m.healthy()
	acme, lincoln := m.addAccount("acme", "jobs"), m.addAccount("lincoln", "portraits")
	closed := m.addAccount("closed", "portraits")
	m.run("picday", "job", "add", "acme", "job00001")
	m.run("picday", "account", "disable", "closed")
	acme.getsIn()
	lincoln.getsIn()
	closed.lockedOut()
	if out, err := acme.sftp(false, `mkdir "job00001/Class 1"`); err != nil {
		m.Fatalf("mkdir: %v\n%s", err, out)
	}
	acme.put(false, "job00001/Class 1/IMG_1.jpg", 1)
	lincoln.put(true, "user-pictures/2012.jpg", 2)
	photos := []string{"job00001/Class 1/IMG_1.jpg", "lincoln/user-pictures/2012.jpg"}
	m.published(photos...)

	m.reboot()
	m.healthy()
	m.published(photos...)
	acme.put(true, "job00001/Class 1/IMG_2.jpg", 3)
	photos = append(photos, "job00001/Class 1/IMG_2.jpg")
	m.published(photos...)

	m.upgradeDuringAnUpload(acme)
	photos = append(photos, "job00001/Class 1/slow.jpg")
	m.published(photos...)
	m.healthy()

	// Without its jail nobody may get in, a live session included.
	held := acme.hold()
	m.run("apt-get", "remove", "-qq", "-y", "picday")
	m.ends(held)
	for _, u := range []uploader{acme, lincoln, closed} {
		u.lockedOut()
	}
	if m.has("/etc/ssh/sshd_config.d/00-picday.conf") || !m.has("/etc/picday/picday.toml") {
		m.Error("after the removal the drop-in is there, or the configuration is not")
	}
	m.reboot()
	acme.lockedOut()

	m.install(build(m.T, "deb", next))
	m.healthy()
	m.published(photos...)
	acme.getsIn()
	lincoln.getsIn()
	closed.lockedOut()
	lincoln.put(true, "user-pictures/2013.jpg", 4)
	photos = append(photos, "lincoln/user-pictures/2013.jpg")
	m.published(photos...)

	out := m.run("apt-get", "purge", "-qq", "-y", "picday")
	if !strings.Contains(out, "/var/lib/picday") || !strings.Contains(out, "/srv/picday") {
		m.Errorf("purging does not say where the photos are:\n%s", out)
	}
	if users := m.sh("getent passwd acme lincoln closed || true; getent group picday-sftp || true"); users != "" || m.has("/etc/picday") {
		m.Errorf("purging has left behind: %s, /etc/picday: %v", users, m.has("/etc/picday"))
	}
	if trees := m.sh("stat -c '%U %G %a' /srv/picday/acme /srv/picday/lincoln"); trees != "root root 700\nroot root 700\n" {
		m.Errorf("the trees of the deleted users are not closed:\n%s", trees)
	}

	m.install(build(m.T, "deb", next))
	m.published(photos...)
	m.run("picday", "account", "remove", "acme", "--keep")
	acme = m.addAccount("acme", "jobs")
	acme.getsIn()
	acme.put(true, "job00001/Class 1/IMG_3.jpg", 5)
	m.published(append(photos, "job00001/Class 1/IMG_3.jpg")...)
}

// upgradeDuringAnUpload installs the next version while a client is half-way
// through a file.
func (m *machine) upgradeDuringAnUpload(u uploader) {
	m.Helper()
	photo, err := os.ReadFile(u.photo(9))
	must(m.T, err)
	cmd := u.outside(false, "curl", "-sS", "--insecure", "--interface", someAddress(), "--user", u.name+":"+u.password,
		"-T", "-", "sftp://127.0.0.1/job00001/Class%201/slow.jpg")
	in, err := cmd.StdinPipe()
	must(m.T, err)
	var said bytes.Buffer
	cmd.Stderr = &said
	must(m.T, cmd.Start())
	half := len(photo) / 2
	_, err = in.Write(photo[:half])
	must(m.T, err)
	file := m.dir + "/srv/picday/" + u.name + "/job00001/Class 1/slow.jpg"
	bed.Eventually(m.T, "the upload has begun", func() (bool, any) {
		fi, err := os.Stat(file)
		if err != nil {
			return false, err
		}
		return fi.Size() > 0, fi.Size()
	})
	before := m.run("systemctl", "show", "-P", "MainPID", "picdayd")
	m.install(build(m.T, "deb", next))
	m.healthy()
	if now := m.run("systemctl", "show", "-P", "MainPID", "picdayd"); now == before {
		m.Errorf("the daemon was not restarted")
	}
	if v := m.run("picday", "--version"); !strings.Contains(v, "2.0") {
		m.Errorf("not upgraded: %s", v)
	}
	_, err = in.Write(photo[half:])
	must(m.T, err)
	must(m.T, in.Close())
	if err := cmd.Wait(); err != nil {
		m.Fatalf("the upload did not survive the upgrade: %v\n%s", err, said.String())
	}
}

// hold opens a session that stays; the channel closes when it has ended.
func (u uploader) hold() <-chan struct{} {
	u.m.Helper()
	cmd := u.outside(false, "ssh", append(u.options(false), "-s", u.name+"@127.0.0.1", "sftp")...)
	in, err := cmd.StdinPipe()
	must(u.m.T, err)
	out, err := cmd.StdoutPipe()
	must(u.m.T, err)
	must(u.m.T, cmd.Start())
	_, err = in.Write([]byte{0, 0, 0, 5, 1, 0, 0, 0, 3}) // SSH_FXP_INIT, version 3
	must(u.m.T, err)
	_, err = io.ReadFull(out, make([]byte, 9))
	must(u.m.T, err)
	done := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, out); _ = cmd.Wait(); close(done) }()
	u.m.Cleanup(func() { _ = cmd.Process.Kill(); <-done })
	return done
}

// ends waits for a session to end.
func (m *machine) ends(session <-chan struct{}) {
	m.Helper()
	select {
	case <-session:
	case <-time.After(bed.Limit):
		m.Error("a live session goes on")
	}
}

package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestLogInsEndOnTheirLastDay: the package's timer runs, and what it starts ends a
// log-in with its session, within its sandbox, on the machine's OpenSSH. Log-ins come
// and go with the package.
func TestLogInsEndOnTheirLastDay(t *testing.T) {
	one(t, newServer, "trixie", logIns)
}

// addLogin makes a log-in of u's account with a password and a key.
func (u uploader) addLogin(name string, flags ...string) uploader {
	m := u.m
	m.Helper()
	l := uploader{m: m, name: name, key: filepath.Join(m.TempDir(), "key")}
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", l.key).CombinedOutput(); err != nil {
		m.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	public, err := os.ReadFile(l.key + ".pub")
	must(m.T, err)
	m.give("/root/"+name+".pub", string(public))
	var card struct{ Password string }
	m.json(&card, append([]string{"account", "login", "add", u.name, name, "--key", "/root/" + name + ".pub"}, flags...)...)
	l.password = card.Password
	return l
}

// zone sets the machine's clock to a zone: in the east it is a later date than in the
// west, at every moment.
func (m *machine) zone(name string) {
	m.Helper()
	data, err := os.ReadFile("/usr/share/zoneinfo/" + name)
	must(m.T, err)
	m.run("rm", "-f", "/etc/localtime")
	m.give("/etc/localtime", string(data))
}

func logIns(m *machine) {
	const west, east = "Etc/GMT+12", "Etc/GMT-14"
	deb := build(m.T, "deb", shipped)
	m.install(deb)
	timer := func(want string) {
		m.Helper()
		if out, _ := m.try("systemctl", "is-active", "picday-logins.timer"); out != want+"\n" {
			m.Errorf("the timer is %s, not %s", strings.TrimSpace(out), want)
		}
	}
	timer("active")
	m.zone(west)
	acme := m.addAccount("acme", "jobs")
	m.run("picday", "job", "add", "acme", "job1")
	anna := acme.addLogin("anna", "--until", time.Now().In(time.FixedZone("", -12*60*60)).Format(time.DateOnly))
	bert := acme.addLogin("bert")
	anna.getsIn()
	mine, others := anna.hold(), bert.hold()
	m.run("systemctl", "start", "picday-logins.service")
	select {
	case <-mine:
		m.Error("ended on its last day")
	default:
	}
	m.zone(east)
	m.run("systemctl", "start", "picday-logins.service")
	m.ends(mine)
	select {
	case <-others:
		m.Error("the other's session was ended too")
	default:
	}
	anna.lockedOut()
	bert.getsIn()
	acme.getsIn()
	m.healthy()

	m.run("apt-get", "remove", "-qq", "-y", "picday")
	timer("inactive")
	m.ends(others)
	bert.lockedOut()
	m.install(deb)
	timer("active")
	anna.lockedOut()
	bert.getsIn()
	m.healthy()
	m.run("apt-get", "purge", "-qq", "-y", "picday")
	timer("inactive")
	bert.lockedOut()
	if left := m.sh("getent passwd acme anna bert || true; getent group acme anna bert picday-sftp || true; ls /etc/systemd/system/*.wants | grep picday || true"); left != "" {
		m.Errorf("purging has left behind:\n%s", left)
	}
}

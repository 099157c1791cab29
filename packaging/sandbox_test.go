package packaging_test

import (
	"os/exec"
	"strings"
	"testing"

	"picday/internal/test/bed"
)

// The units' exposure as systemd counts it, in tenths.
func TestExposure(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	for unit, most := range map[string]string{"picdayd.service": "15", "picday-mirror@.service": "15", "picday-watch.service": "18"} {
		out, err := exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+most, "../systemd/"+unit).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", unit, err, out)
		}
	}
}

// TestSandbox has the daemon do all its work with the sandbox on.
func TestSandbox(t *testing.T) {
	each(t, newServer, sandbox)
}

func sandbox(m *machine) {
	m.install(build(m.T, "deb", next))
	m.sh("sed -i 's/^#stray_keep = .*/stray_keep = \"1s\"/' /etc/picday/picday.toml")
	m.give("/etc/systemd/system/picdayd.service.d/fast.conf", "[Service]\nWatchdogSec=3\n")
	m.sh("systemctl daemon-reload; systemctl restart picdayd")
	m.healthy()
	u := m.addAccount("lincoln", "portraits")
	u.put(false, "user-pictures/1.jpg", 1)
	u.put(false, "user-pictures/not a number.jpg", 2)
	m.published("lincoln/user-pictures/1.jpg")
	pics := "/srv/picday/lincoln/lincoln/user-pictures/"
	bed.Eventually(m.T, "the stray is deleted", func() (bool, any) {
		return !m.has(pics + "not a number.jpg"), m.sh("ls -la " + pics)
	})

	// Leases: a file that somebody holds open for writing is not taken.
	hold := m.inside("sh", "-c", "exec 9>>"+pics+"2.jpg; cat >/dev/null")
	in, err := hold.StdinPipe()
	must(m.T, err)
	must(m.T, hold.Start())
	bed.Eventually(m.T, "the file is held", func() (bool, any) { return m.has(pics + "2.jpg"), nil })
	photo := u.photo(3)
	if out, err := exec.Command("cp", photo, m.dir+pics+"2.jpg").CombinedOutput(); err != nil {
		m.Fatalf("%v\n%s", err, out)
	}
	bed.Eventually(m.T, "it waits", func() (bool, any) {
		var st struct {
			Waiting  int
			Warnings []string
			Oldest   float64 `json:"oldest_waiting_seconds"`
		}
		m.json(&st, "status")
		if len(st.Warnings) > 0 {
			m.Fatalf("the daemon warns: %q", st.Warnings)
		}
		return st.Waiting == 1 && st.Oldest > 3, st
	})
	m.published("lincoln/user-pictures/1.jpg")
	must(m.T, in.Close())
	must(m.T, hold.Wait())
	m.published("lincoln/user-pictures/1.jpg", "lincoln/user-pictures/2.jpg")

	pid := strings.TrimSpace(m.run("systemctl", "show", "-P", "MainPID", "picdayd"))
	for _, child := range strings.Fields(m.sh("cat /proc/" + pid + "/task/*/children")) {
		status := m.run("cat", "/proc/"+child+"/status")
		for _, line := range []string{"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
			if !strings.Contains(status, line) {
				m.Errorf("a decoder has not %q:\n%s", line, status)
			}
		}
	}
	if log := m.run("journalctl", "-u", "picdayd", "--no-pager"); strings.Contains(log, "no Landlock") {
		m.Error("the decoders go without Landlock")
	}
	for path, writable := range map[string]bool{"/usr/x": false, "/etc/x": false, "/var/x": false, "/srv/x": false, "/srv/picday/x": true, "/var/lib/picday/x": true} {
		out, err := m.try("nsenter", "-t", pid, "-m", "touch", path)
		if (err == nil) != writable || !writable && !strings.Contains(out, "Read-only file system") {
			m.Errorf("the daemon's %s: %v %s", path, err, out)
		}
	}

	// A daemon that stands still is killed and started again.
	m.run("kill", "-STOP", pid)
	bed.Eventually(m.T, "the watchdog has another daemon started", func() (bool, any) {
		now := strings.TrimSpace(m.run("systemctl", "show", "-P", "MainPID", "picdayd"))
		active, _ := m.try("systemctl", "is-active", "picdayd")
		return now != pid && now != "0" && active == "active\n", now + " " + active
	})
	if log := m.run("journalctl", "-u", "picdayd", "--no-pager"); !strings.Contains(log, "Watchdog timeout") {
		m.Errorf("it was not the watchdog:\n%s", log)
	}
	m.healthy()
	u.put(true, "user-pictures/3.jpg", 4)
	m.published("lincoln/user-pictures/1.jpg", "lincoln/user-pictures/2.jpg", "lincoln/user-pictures/3.jpg")

	// A wrong configuration is seen, not tried again and again.
	m.sh("echo 'nonsense = 1' >>/etc/picday/picday.toml; systemctl restart picdayd || true")
	bed.Eventually(m.T, "the daemon stays down", func() (bool, any) {
		state := m.run("systemctl", "show", "-p", "ActiveState,ExecMainStatus,NRestarts", "picdayd")
		return strings.Contains(state, "ActiveState=failed") && strings.Contains(state, "ExecMainStatus=2") && strings.Contains(state, "NRestarts=0"), state
	})
	m.sh("sed -i '/^nonsense/d' /etc/picday/picday.toml; systemctl restart picdayd")
	m.healthy()

	// Nor does it pass for started where no decoder can be confined.
	m.give("/etc/systemd/system/picdayd.service.d/tight.conf", "[Service]\nSystemCallFilter=~capget\n")
	m.run("systemctl", "daemon-reload")
	m.refuses("systemctl status picdayd.service", "systemctl", "restart", "picdayd")
}

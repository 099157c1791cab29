package bed

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// One host key is made per test binary.
var hostKey = sync.OnceValues(func() (string, error) {
	path := base + "/host_ed25519"
	return path, keygen(path, "picday-test")
})

func keygen(path, comment string) error {
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	return nil
}

// reloadScript makes sshd read its configuration again, and returns when it listens again.
// After kill -HUP alone, connections are refused for a moment.
const reloadScript = `#!/bin/sh
count() { grep -c '^Server listening' %[1]s; }
before=$(count)
kill -HUP "$(cat %[2]s)" || exit 1
for i in $(seq 500); do
	[ "$(count)" -ge $((before + %[3]d)) ] && exit 0
	sleep 0.02
done
echo "sshd does not listen any more" >&2
exit 1
`

// startSSHD starts the machine's real sshd with a configuration like Debian's,
// on a free port of loopback, after sshd -t has found it good.
func (w *World) startSSHD() {
	w.T.Helper()
	key, err := hostKey()
	w.must(err)
	addresses := w.loopbackPort()
	var listen strings.Builder
	for _, a := range addresses {
		fmt.Fprintf(&listen, "ListenAddress %s\n", a)
	}
	config, pidFile := w.Dir+"/sshd_config", w.Dir+"/sshd.pid"
	text := fmt.Sprintf(`Include %s/*.conf
Port %d
%sHostKey %s
PidFile %s
LogLevel VERBOSE
MaxStartups 500
KbdInteractiveAuthentication no
PasswordAuthentication yes
UsePAM yes
PrintMotd no
PrintLastLog no
X11Forwarding yes
AcceptEnv LANG LC_*
Subsystem sftp internal-sftp
`, w.dropIns, w.Port, listen.String(), key, pidFile)
	w.must(os.WriteFile(config, []byte(text), 0o600))
	w.must(os.WriteFile(w.Dir+"/reload-sshd", fmt.Appendf(nil, reloadScript, w.sshdLog, pidFile, len(addresses)), 0o755))
	if out, err := exec.Command("/usr/sbin/sshd", "-t", "-f", config).CombinedOutput(); err != nil {
		w.T.Fatalf("sshd -t: %v\n%s", err, out)
	}
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-f", config, "-E", w.sshdLog)
	w.sshd = start(w.T, cmd)
	w.Eventually("sshd listens", func() (bool, any) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", w.Port))
		if err != nil {
			return false, fmt.Sprintf("%v\n%s", err, tail(w.sshdLog, 5))
		}
		return true, conn.Close()
	})
}

// Reload makes sshd read its configuration again, as picday's reload does.
func (w *World) Reload() {
	w.T.Helper()
	if out, err := exec.Command(w.Dir + "/reload-sshd").CombinedOutput(); err != nil {
		w.T.Fatalf("reload sshd: %v\n%s\n%s", err, out, tail(w.sshdLog, 10))
	}
}

// DropIn writes a file below sshd_config.d, as an admin would.
func (w *World) DropIn(name, text string) {
	w.T.Helper()
	w.must(os.WriteFile(filepath.Join(w.dropIns, name), []byte(text), 0o644))
}

// SSHDLog returns the end of sshd's log.
func (w *World) SSHDLog() string { return tail(w.sshdLog, 40) }

// loopbackPort sets w.Port to a port that is free on all loopback addresses.
func (w *World) loopbackPort() (addresses []string) {
	w.T.Helper()
	// 127.0.0.2 lets a test come from a second address of the machine.
	addresses = []string{"127.0.0.1"}
	if HasIPv6() {
		addresses = append(addresses, "::1")
	}
	w.Port = w.freePort(addresses...)
	return addresses
}

// The ports are below 32768, above which the kernel chooses ports of outgoing connections
// (ip-sysctl). Otherwise such a connection could take a free port before its server
// listens, or while it restarts. For the same reason each port is used once per run, and
// simultaneous runs begin at different ports.
const firstPort, lastPort = 10000, 32000

var portsGiven, portsFrom = new(atomic.Int64), rand.IntN(lastPort - firstPort)

// freePort returns a port on which nobody listens, and that no other World gets.
func (w *World) freePort(addresses ...string) int {
	w.T.Helper()
	for range 100 {
		port, free := firstPort+(portsFrom+int(portsGiven.Add(1)))%(lastPort-firstPort), true
		for _, a := range addresses {
			l, err := net.Listen("tcp", net.JoinHostPort(a, strconv.Itoa(port)))
			if free = free && err == nil; err == nil {
				w.must(l.Close())
			}
		}
		if free {
			return port
		}
	}
	w.T.Fatalf("no port is free on %q", addresses)
	return 0
}

// HasIPv6 tells whether ::1 can be used.
func HasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// FreeAddr returns a loopback address and port on which nobody listens.
func (w *World) FreeAddr() string {
	return fmt.Sprintf("127.0.0.1:%d", w.freePort("127.0.0.1"))
}

// hostKeyFields are the type and the base64 body of the host's public key.
func hostKeyFields() []string {
	path, _ := hostKey()
	text, _ := os.ReadFile(path + ".pub")
	return strings.Fields(string(text))[:2]
}

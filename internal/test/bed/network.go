package bed

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
)

// Network is a server and hosts connected to it. Each is a network namespace that only
// this test binary can see.
type Network struct {
	w    *World
	sshd *proc
	name string
	n    int
}

// Network makes the server and starts the World's sshd in it, on all addresses. Add the
// accounts before, because picday does not reload this sshd.
func (w *World) Network() *Network {
	w.T.Helper()
	Need(w.T, "ip", "iproute2")
	n := &Network{w: w, name: w.netns("server")}
	config, err := os.ReadFile(w.Dir + "/sshd_config")
	w.must(err)
	everywhere := regexp.MustCompile(`(?m)^(ListenAddress|PidFile) .*\n`).ReplaceAllString(string(config), "")
	everywhere += "PidFile none\n"
	file := w.Dir + "/sshd_config.network"
	w.must(os.WriteFile(file, []byte(everywhere), 0o600))
	n.sshd = start(w.T, n.Command("/usr/sbin/sshd", "-D", "-f", file, "-E", w.sshdLog))
	w.T.Cleanup(n.sshd.kill)
	return n
}

// netns makes a network namespace with a working loopback.
func (w *World) netns(word string) string {
	w.T.Helper()
	name := w.Name(word)
	w.ip("netns", "add", name)
	w.T.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
	w.ip("-n", name, "link", "set", "lo", "up")
	return name
}

func (w *World) ip(args ...string) {
	w.T.Helper()
	if out := run(exec.Command("ip", args...)); out.Err != nil {
		w.T.Fatal(out.Err)
	}
}

// Command prepares a program that runs on the server.
func (n *Network) Command(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.name, name}, args...)...)
}

// ReloadSSHD makes the server's sshd read its configuration again.
func (n *Network) ReloadSSHD() {
	n.w.T.Helper()
	n.w.must(n.sshd.cmd.Process.Signal(syscall.SIGHUP))
}

// Host is a machine that is connected to the server.
type Host struct {
	n                *Network
	name             string
	Server4, Server6 string
}

// Host connects a new machine to the server by an IPv4 and an IPv6 network, for example
// 203.0.113.0/24. The server has the first address of each, the host the second.
func (n *Network) Host(word, net4, net6 string) *Host {
	w := n.w
	w.T.Helper()
	n.n++
	h := &Host{n: n, name: w.netns(word)}
	ours, theirs := fmt.Sprintf("to%d", n.n), "eth0"
	w.ip("link", "add", ours, "netns", n.name, "type", "veth", "peer", "name", theirs, "netns", h.name)
	for _, cidr := range []string{net4, net6} {
		_, network, err := net.ParseCIDR(cidr)
		w.must(err)
		bits, _ := network.Mask.Size()
		at := func(last byte) string {
			ip := append(net.IP{}, network.IP...)
			ip[len(ip)-1] |= last
			return ip.String()
		}
		// nodad makes the address usable at once: nobody else can have it here.
		for _, end := range []struct{ ns, dev, ip string }{{n.name, ours, at(1)}, {h.name, theirs, at(2)}} {
			args := []string{"-n", end.ns, "address", "add", fmt.Sprintf("%s/%d", end.ip, bits), "dev", end.dev}
			if strings.Contains(end.ip, ":") {
				args = append(args, "nodad")
			}
			w.ip(args...)
		}
		if strings.Contains(cidr, ":") {
			h.Server6 = at(1)
		} else {
			h.Server4 = at(1)
		}
	}
	w.ip("-n", n.name, "link", "set", ours, "up")
	w.ip("-n", h.name, "link", "set", theirs, "up")
	return h
}

// Login returns the login l from this host to an address of the server.
func (h *Host) Login(l Login, server string) Login {
	l.Netns, l.Host = h.name, server
	return l
}

package testbed

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
)

// Network is a machine with a network of its own, and other machines wired to
// it: network namespaces that only this test binary can see.
type Network struct {
	w    *World
	sshd *proc
	name string
	n    int
}

// Network makes the machine in the middle and starts the World's sshd in it, on
// all addresses. Make it when the accounts are there: this sshd is not the one
// that picday reloads.
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

// Command prepares a program that runs on the machine in the middle.
func (n *Network) Command(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", n.name, name}, args...)...)
}

// ReloadSSHD makes the machine's sshd read its configuration again.
func (n *Network) ReloadSSHD() {
	n.w.T.Helper()
	n.w.must(n.sshd.cmd.Process.Signal(syscall.SIGHUP))
}

// Host is another machine: where it is, and where it sees the one in the middle.
type Host struct {
	n                *Network
	name             string
	Server4, Server6 string
}

// Host wires a machine to the one in the middle, which is the first address of
// both networks; the host is the second one. Give networks as 203.0.113.0/24.
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
		// nodad: an address is good at once, there is nobody else to ask.
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

// Login is l from this machine to the one in the middle, at one of its addresses.
func (h *Host) Login(l Login, server string) Login {
	l.Netns, l.Host = h.name, server
	return l
}

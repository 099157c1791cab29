package packaging_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/test/bed"
)

// A machine is a Debian booted in a container: systemd, its own network with
// nothing but a loopback, and a disk that is thrown away.
type machine struct {
	*testing.T
	dir    string // what the host calls its root directory
	id     string
	nspawn *exec.Cmd
	dead   chan struct{}
	leader int // its process 1, as the host counts
}

// newMachine boots a minimal system that nobody has touched.
func newMachine(t *testing.T, suite string) *machine {
	t.Helper()
	needs(t)
	t.Parallel()
	return boot(t, rootOf(t, suite))
}

// newListed boots one like it whose lists for apt are short; see listedOf.
func newListed(t *testing.T, suite string) *machine {
	t.Helper()
	needs(t)
	t.Parallel()
	return boot(t, listedOf(t, suite))
}

// newServer boots one that has openssh-server and LittleCMS, and nothing of
// picday.
func newServer(t *testing.T, suite string) *machine {
	t.Helper()
	needs(t)
	t.Parallel()
	return boot(t, serverOf(t, suite))
}

// boot starts a machine on top of lower, which stays as it is.
func boot(t *testing.T, lower string) *machine {
	t.Helper()
	layers, err := os.MkdirTemp("", "picday-machine-")
	must(t, err)
	m := &machine{T: t, dir: layers + "/root", id: filepath.Base(layers)}
	for _, sub := range []string{"up", "work", "root"} {
		must(t, os.Mkdir(filepath.Join(layers, sub), 0o755))
	}
	// What is thrown away need not reach the disk: volatile (Linux 5.10) leaves
	// out every fsync, of which dpkg makes thousands.
	overlay := fmt.Sprintf("lowerdir=%s,upperdir=%s/up,workdir=%[2]s/work", lower, layers)
	if err := unix.Mount("overlay", m.dir, "overlay", 0, overlay+",volatile"); err != nil {
		if err := unix.Mount("overlay", m.dir, "overlay", 0, overlay); err != nil {
			cannot(t, "no overlay can be mounted: %v", err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() && m.nspawn != nil {
			out, _ := m.try("journalctl", "-b", "--no-pager", "-n", "60", "-u", "picdayd", "-u", "ssh")
			t.Logf("the machine says:\n%s", out)
		}
		m.kill()
		if err := unix.Unmount(m.dir, unix.MNT_DETACH); err == nil {
			_ = os.RemoveAll(layers)
		}
	})
	m.on()
	return m
}

// on boots it.
func (m *machine) on() {
	m.Helper()
	log, err := os.Create(filepath.Join(filepath.Dir(m.dir), "console"))
	must(m.T, err)
	defer log.Close()
	// nspawn must begin in a control group of its own: it gives the container
	// the one it is in.
	join := "for h in systemd unified .; do g=/sys/fs/cgroup/$h; [ -e $g/cgroup.procs ] || continue; " +
		"mkdir -p $g/$0 && echo $$ >$g/$0/cgroup.procs; done; exec \"$@\""
	m.nspawn = exec.Command("sh", "-c", join, m.id,
		"systemd-nspawn", "--quiet", "--directory="+m.dir, "--machine="+m.id, "--boot", "--register=no", "--keep-unit",
		"--private-network", "--timezone=off", "--resolv-conf=off", "--console=pipe", "--kill-signal=SIGRTMIN+4",
		// Its own filter is older than Landlock.
		"--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self")
	// systemd 256 and later do not start on the older kind of control groups.
	m.nspawn.Env = append(os.Environ(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1")
	m.nspawn.Stdout, m.nspawn.Stderr = log, log
	m.nspawn.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(m.T, m.nspawn.Start())
	dead := make(chan struct{})
	m.dead = dead
	go func(cmd *exec.Cmd) { _ = cmd.Wait(); close(dead) }(m.nspawn)
	bed.Eventually(m.T, "the machine has booted", func() (bool, any) {
		pid := m.nspawn.Process.Pid
		kids, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
		m.leader, _ = strconv.Atoi(strings.TrimSpace(string(kids)))
		text, _ := os.ReadFile(log.Name())
		select {
		case <-dead:
			m.nspawn = nil
			cannot(m.T, "systemd-nspawn does not work here: %s", text)
		default:
		}
		if m.leader == 0 {
			return false, string(text)
		}
		out, _ := m.try("systemctl", "is-system-running")
		return out == "running\n" || out == "degraded\n", out
	})
}

// off shuts it down in order.
func (m *machine) off() {
	m.Helper()
	if m.nspawn == nil {
		return
	}
	_ = m.nspawn.Process.Signal(unix.SIGTERM)
	select {
	case <-m.dead:
	case <-time.After(2 * time.Minute):
		_ = m.nspawn.Process.Kill()
		<-m.dead
		m.Errorf("the machine did not shut down")
	}
	m.gone()
}

// kill takes the power away; the kernel ends all that runs in it.
func (m *machine) kill() {
	if m.nspawn == nil {
		return
	}
	if m.leader > 1 {
		_ = unix.Kill(m.leader, unix.SIGKILL)
	}
	select {
	case <-m.dead:
	case <-time.After(10 * time.Second):
		_ = m.nspawn.Process.Kill()
		<-m.dead
	}
	m.gone()
}

// gone forgets a container that has ended.
func (m *machine) gone() {
	m.nspawn = nil
	for _, h := range []string{"systemd", "unified", "."} {
		removeGroup(filepath.Join("/sys/fs/cgroup", h, m.id))
	}
}

func removeGroup(dir string) {
	kids, _ := os.ReadDir(dir)
	for _, k := range kids {
		if k.IsDir() {
			removeGroup(filepath.Join(dir, k.Name()))
		}
	}
	_ = unix.Rmdir(dir)
}

func (m *machine) reboot() {
	m.Helper()
	m.off()
	m.on()
}

// inside is a command of root's in the machine.
func (m *machine) inside(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{
		"-t", strconv.Itoa(m.leader), "-a", "-r", "-w", "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
	}, args...)...)
}

// try runs a command and returns all it said.
func (m *machine) try(args ...string) (string, error) {
	out, err := m.inside(args...).CombinedOutput()
	return string(out), err
}

// run runs a command that must succeed.
func (m *machine) run(args ...string) string {
	m.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.Fatalf("%q: %v\n%s", args, err, out)
	}
	return out
}

func (m *machine) sh(script string) string {
	m.Helper()
	return m.run("sh", "-ec", script)
}

// refuses runs a command that must fail and say why.
func (m *machine) refuses(why string, args ...string) {
	m.Helper()
	out, err := m.try(args...)
	if err == nil || !strings.Contains(out, why) {
		m.Fatalf("%q: want a refusal with %q, got %v\n%s", args, why, err, out)
	}
}

// give writes a file into the machine.
func (m *machine) give(path, text string) {
	m.Helper()
	must(m.T, os.MkdirAll(filepath.Dir(m.dir+path), 0o755))
	must(m.T, os.WriteFile(m.dir+path, []byte(text), 0o644))
}

func (m *machine) has(path string) bool {
	_, err := os.Lstat(m.dir + path)
	return err == nil
}

// install is what an admin does with a package; its last words are returned.
func (m *machine) install(deb string) string {
	m.Helper()
	out, err := m.tryInstall(deb)
	if err != nil {
		m.Fatalf("apt install: %v\n%s", err, out)
	}
	return out
}

func (m *machine) tryInstall(deb string) (string, error) {
	m.Helper()
	data, err := os.ReadFile(deb)
	must(m.T, err)
	must(m.T, os.WriteFile(m.dir+"/root/picday.deb", data, 0o644))
	return m.try("apt-get", "install", "-qq", "-y", "/root/picday.deb")
}

// healthy demands that doctor finds nothing and the daemon runs.
func (m *machine) healthy() {
	m.Helper()
	bed.Eventually(m.T, "the daemon runs", func() (bool, any) {
		out, err := m.try("picday", "status")
		return err == nil && strings.Contains(out, "running"), out
	})
	if out, err := m.try("picday", "doctor"); err != nil {
		m.Errorf("doctor: %v\n%s", err, out)
	}
}

package account

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// The tests make real Unix users and run a real sshd, but never on the
// machine's own /etc: the test binary starts itself again in namespaces of its
// own, with a throw-away layer over /etc and empty /srv and /run. Everything
// started there dies with it.
const (
	envInside = "PICDAY_ACCOUNT_TEST_INSIDE"
	envKill   = "PICDAY_ACCOUNT_TEST_KILL"
)

var whyNotReal = ""

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(envKill) != "":
		killedHelper()
	case os.Getenv(envInside) != "":
		if err := moveIn(); err != nil {
			whyNotReal = "no throw-away /etc can be had here: " + err.Error()
		}
		os.Exit(m.Run())
	case os.Getuid() != 0:
		whyNotReal = "real Unix users and a real sshd need root: run \"sudo go test ./internal/account\""
		os.Exit(m.Run())
	default:
		os.Exit(startInside(m))
	}
}

func startInside(m *testing.M) int {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), envInside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET,
		Pdeathsig:  unix.SIGKILL,
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	}
	whyNotReal = "no namespaces can be had here: " + err.Error()
	return m.Run()
}

// moveIn gives the process mounts of its own.
func moveIn() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	for _, dir := range []string{"/run", "/srv", "/var/log", "/var/mail"} {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/hostkey").CombinedOutput(); err != nil {
		return fmt.Errorf("ssh-keygen: %w: %s", err, out)
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	return freshEtc()
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

var etcLayers int

// layEtc throws the changes to /etc away, down to the given layer and the
// machine's own.
func layEtc(lower string) error {
	if etcLayers > 0 {
		if err := unix.Unmount("/etc", unix.MNT_DETACH); err != nil {
			return err
		}
	}
	etcLayers++
	dir := fmt.Sprintf("/run/etc%d", etcLayers)
	for _, sub := range []string{"/up", "/work"} {
		if err := os.MkdirAll(dir+sub, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("overlay", "/etc", "overlay", 0, "lowerdir="+lower+"/etc,upperdir="+dir+"/up,workdir="+dir+"/work"); err != nil {
		return err
	}
	return nil
}

// cleanEtc is the layer that makes the machine's /etc one without any picday; "" = not
// made yet.
var cleanEtc string

// freshEtc is an /etc without any picday.
func freshEtc() error {
	if cleanEtc != "" {
		return layEtc(cleanEtc + ":")
	}
	if err := layEtc(""); err != nil {
		return err
	}
	// What the machine has of its own must not decide a test.
	if err := os.RemoveAll("/etc/ssh/sshd_config.d"); err != nil {
		return err
	}
	if err := os.MkdirAll("/etc/ssh/sshd_config.d", 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll("/etc/picday"); err != nil {
		return err
	}
	for _, name := range []string{DaemonUser, "acme", "lincoln"} {
		_ = exec.Command("userdel", name).Run()
	}
	_ = exec.Command("groupdel", JailGroup).Run()
	// With each change sshd is asked about two of the machine's people.
	_ = exec.Command("sed", "-i", "-E", "/^[^:]*:[^:]*:([1-9][0-9]{3}|[1-5][0-9]{4}):/d", "/etc/passwd").Run()
	// A wrong password takes two seconds less.
	_ = exec.Command("sed", "-i", "s/pam_unix.so/& nodelay/", "/etc/pam.d/common-auth").Run()
	if err := os.WriteFile("/etc/ssh/sshd_config", []byte(mainConfig), 0o644); err != nil {
		return err
	}
	up := fmt.Sprintf("/run/etc%d/up", etcLayers)
	if out, err := exec.Command("cp", "-a", up, "/run/etc-clean").CombinedOutput(); err != nil {
		return fmt.Errorf("keep the clean /etc: %w: %s", err, out)
	}
	cleanEtc = "/run/etc-clean"
	return nil
}

const mainConfig = `Include /etc/ssh/sshd_config.d/*.conf
Port 2222
ListenAddress 127.0.0.1
HostKey /run/hostkey
UsePAM yes
LogLevel VERBOSE
Subsystem sftp internal-sftp
`

// snapshot describes everything that a change may touch.
func snapshot(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, f := range userFiles {
		data, err := readFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "== %s\n%s", f, data)
	}
	for _, dir := range []string{"/srv", "/etc/picday", "/etc/ssh", "/var/mail"} {
		_ = filepath.Walk(dir, func(path string, fi os.FileInfo, err error) error {
			if err != nil || strings.HasSuffix(path, ".account.lock") || path == "/etc/picday" {
				return nil
			}
			uid, gid := owner(fi)
			fmt.Fprintf(&b, "%s %v %d:%d", path, fi.Mode(), uid, gid)
			if fi.Mode().IsRegular() {
				if data, _ := os.ReadFile(path); len(data) < 1<<16 {
					fmt.Fprintf(&b, " %q", data)
				} else {
					fmt.Fprintf(&b, " %x", sha256.Sum256(data))
				}
			}
			b.WriteByte('\n')
			return nil
		})
	}
	return b.String()
}

package decoder

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// probe tries, inside a child, what a picture that took it over would try. It
// returns an error that names what was not denied.
func probe(picture *os.File) error {
	page, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("no plain memory: %w", err)
	}
	call := func(nr uintptr, args ...uintptr) func() error {
		return func() error {
			a := append(args, 0, 0, 0, 0, 0, 0)
			if _, _, e := unix.RawSyscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]); e != 0 {
				return e
			}
			return nil
		}
	}
	fd := picture.Fd()
	for what, try := range map[string]func() error{
		"open /etc/passwd":       func() error { _, err := os.Open("/etc/passwd"); return err },
		"open itself":            func() error { _, err := os.Open("/proc/self/fd/0"); return err },
		"open /dev/null":         func() error { _, err := os.Open("/dev/null"); return err },
		"create":                 func() error { return os.WriteFile("/tmp/picday-probe", nil, 0o600) },
		"list /":                 func() error { _, err := os.ReadDir("/"); return err },
		"stat /etc/passwd":       func() error { _, err := os.Stat("/etc/passwd"); return err },
		"write to the picture":   func() error { _, err := picture.Write([]byte{0}); return err },
		"chmod the picture":      func() error { return picture.Chmod(0o777) },
		"truncate the picture":   func() error { return picture.Truncate(0) },
		"TCP socket":             call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM),
		"UDP socket":             call(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_DGRAM),
		"Unix socket":            call(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM),
		"connect":                call(unix.SYS_CONNECT, 0),
		"send a descriptor":      call(unix.SYS_SENDMSG, 0),
		"execute":                func() error { return exec.Command("/proc/self/exe").Run() },
		"execve":                 func() error { return syscall.Exec("/bin/true", nil, nil) },
		"fork":                   call(unix.SYS_CLONE, uintptr(unix.SIGCHLD)),
		"fork by clone3":         call(unix.SYS_CLONE3),
		"unshare":                call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER),
		"signal the parent":      func() error { return syscall.Kill(syscall.Getppid(), syscall.SIGCONT) },
		"tgkill the parent":      call(unix.SYS_TGKILL, 1, 1, uintptr(unix.SIGCONT)),
		"ptrace":                 call(unix.SYS_PTRACE, unix.PTRACE_TRACEME),
		"read another process":   call(unix.SYS_PROCESS_VM_READV, 1),
		"own a descriptor":       call(unix.SYS_FCNTL, fd, unix.F_SETOWN, 1),
		"more limits":            call(unix.SYS_PRLIMIT64, 0, unix.RLIMIT_CPU, 0, 0),
		"io_uring":               call(unix.SYS_IO_URING_SETUP, 1),
		"bpf":                    call(unix.SYS_BPF),
		"userfaultfd":            call(unix.SYS_USERFAULTFD),
		"prctl":                  call(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1),
		"map code":               call(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE, ^uintptr(0)),
		"make memory executable": func() error { return unix.Mprotect(page, unix.PROT_READ|unix.PROT_EXEC) },
		"memfd":                  call(unix.SYS_MEMFD_CREATE),
	} {
		if try() == nil {
			return fmt.Errorf("not denied: %s", what)
		}
	}
	var open []int
	for n := range uintptr(1024) {
		if call(unix.SYS_FCNTL, n, unix.F_GETFD)() == nil {
			open = append(open, int(n))
		}
	}
	// 0 to 2, the picture, and what the Go runtime may have made to wait with.
	if len(open) > 6 {
		return fmt.Errorf("descriptors %v are open", open)
	}
	if env := os.Environ(); len(env) > 6 {
		return fmt.Errorf("environment %q", env)
	}
	return nil
}

func TestConfined(t *testing.T) {
	// Something to inherit: a file without close-on-exec.
	leak, err := unix.Open("/etc/passwd", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leak)
	t.Setenv("SECRET", "1")
	p := start(t, Options{})
	f, facts := file(t, portrait())
	if _, _, err := p.Render(t.Context(), "acme", f, facts, trick("probe")); err != nil {
		t.Fatal(err)
	}

	// Every thread, as the kernel sees it.
	c := p.first(t)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", c.cmd.Process.Pid))
	if err != nil || len(threads) < 2 {
		t.Fatal(threads, err)
	}
	for _, name := range threads {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"CapInh:\t0+", "CapPrm:\t0+", "CapEff:\t0+", "CapAmb:\t0+", "NoNewPrivs:\t1", "Seccomp:\t2"} {
			if !regexp.MustCompile("(?m)^" + want + "$").Match(b) {
				t.Errorf("%s: not %s", name, want)
			}
		}
	}
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", c.cmd.Process.Pid)); err != nil || string(b) != "1000\n" {
		t.Errorf("oom_score_adj %q, %v", b, err)
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`Max core file size +0 +0 `, `Max file size +0 +0 `, `Max data size +536870912 +536870912 `, `Max open files +16 +16 `} {
		if !regexp.MustCompile(want).Match(limits) {
			t.Errorf("limits: not %s\n%s", want, limits)
		}
	}
}

// Not as root, and with the capabilities that systemd gives to picdayd.
func TestAsService(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to become somebody else")
	}
	dir, err := os.MkdirTemp("/tmp", "picday")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{"decoder.test", "-test.v", "-test.run", "^(TestConfined|TestSame|TestTricks|TestKilled)$"},
		Env:  []string{"TMPDIR=" + dir},
		Dir:  "/",
		SysProcAttr: &syscall.SysProcAttr{
			Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
			AmbientCaps: []uintptr{unix.CAP_DAC_READ_SEARCH, unix.CAP_DAC_OVERRIDE, unix.CAP_LEASE},
		},
	}
	out, err := cmd.CombinedOutput()
	if err != nil || bytes.Count(out, []byte("\n--- PASS")) != 4 {
		t.Fatalf("%v\n%s", err, strings.ReplaceAll(string(out), "\n", "\n  "))
	}
}

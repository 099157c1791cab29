package bed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// base is the directory of everything that a test binary makes. It is on the private /run,
// a tmpfs that ends with the namespace. It is not below /tmp, because sshd refuses a chroot
// below a directory that others may write to, even if it is sticky.
const base = "/run/picday"

// initProcess is PID 1 of the namespaces. It makes the private mounts, starts the tests,
// reaps orphaned processes, and exits with the status of the tests. The kernel then kills
// all processes that are left.
func initProcess() int {
	exe, err := os.Executable()
	if err == nil && os.Getpid() != 1 {
		err = errors.New("not pid 1 of a new namespace")
	}
	if err == nil {
		err = privateMounts()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed: cannot make a private world:", err)
		return 1
	}
	// Use Setenv and not append: of two values in a list the first one counts.
	_ = os.Setenv(stageEnv, "tests")
	_ = os.Setenv("TMPDIR", base+"/tmp")
	tests, err := os.StartProcess(exe, os.Args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	defer forwardSignals(tests)()
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "bed: wait:", err)
			return 1
		case pid == tests.Pid:
			return exitStatus(ws)
		}
	}
}

// privateMounts hides the places that accounts, PAM and sshd write to. The
// order matters: the copies of /etc and /home live on the new /run.
func privateMounts() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	for _, dir := range []string{"/run", "/var/log", "/var/mail"} {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
			return fmt.Errorf("mount a private %s: %w", dir, err)
		}
	}
	for _, dir := range []string{"/run/sshd", base} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Mkdir(base+"/tmp", 0o700); err != nil {
		return err
	}
	if err := private("/etc"); err != nil {
		return err
	}
	if err := forgetPeople(); err != nil {
		return err
	}
	// Leave /home as it is where an overlay is impossible: it may have large checkouts,
	// which would be copied, and only useradd -m writes there.
	_ = overlay("/home")
	return nil
}

// forgetPeople takes the machine's own people out of the private /etc/passwd: with
// each change picday asks sshd about two of them, and what a test proves must not
// depend on whether there are any. Tests add their own.
func forgetPeople() error {
	text, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return err
	}
	var rest strings.Builder
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ":"); len(f) > 2 {
			if uid, err := strconv.Atoi(f[2]); err == nil && uid >= 1000 && uid < 60000 {
				continue
			}
		}
		rest.WriteString(line)
	}
	return os.WriteFile("/etc/passwd", []byte(rest.String()), 0o644)
}

// private puts a writable throw-away copy over dir: an overlay, or a plain
// copy where the file system below does not take part in overlays.
func private(dir string) error {
	if overlay(dir) == nil {
		return nil
	}
	clone := filepath.Join(base, ".copy"+dir)
	if err := os.MkdirAll(clone, 0o755); err != nil {
		return err
	}
	if out, err := exec.Command("cp", "-a", dir+"/.", clone).CombinedOutput(); err != nil {
		return fmt.Errorf("copy %s: %w: %s", dir, err, out)
	}
	if err := syscall.Mount(clone, dir, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount a private %s: %w", dir, err)
	}
	return nil
}

func overlay(dir string) error {
	upper, work := base+"/.upper"+dir, base+"/.work"+dir
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	return syscall.Mount("overlay", dir, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work)
}

package testbed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// base holds everything a test binary makes. It lies on the private /run:
// memory that goes with the namespace. (Not /tmp: sshd refuses a chroot below
// a directory that others may write, sticky or not.)
const base = "/run/picday"

// initProcess is pid 1 of the namespaces: it makes the private mounts, starts
// the tests, reaps what sshd and the daemons orphan, and ends with the tests'
// status. The kernel then kills whatever is left.
func initProcess() int {
	exe, err := os.Executable()
	if err == nil && os.Getpid() != 1 {
		err = errors.New("not pid 1 of a new namespace")
	}
	if err == nil {
		err = privateMounts()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed: cannot make a private world:", err)
		return 1
	}
	// Setenv, because of two values in a list the first would win.
	_ = os.Setenv(stageEnv, "tests")
	_ = os.Setenv("TMPDIR", base+"/tmp")
	tests, err := os.StartProcess(exe, os.Args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		return 1
	}
	defer forwardSignals(tests)()
	for {
		var ws syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &ws, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "testbed: wait:", err)
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
	// Only useradd -m writes below /home, and a checkout may live there: where
	// an overlay is impossible it stays as it is.
	_ = overlay("/home")
	return nil
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

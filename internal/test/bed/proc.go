package bed

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Need skips the test when a program is not installed, and names its package.
func Need(t testing.TB, program, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		skipped.Add(1)
		cannot = "some programs are missing: make test-deps installs them"
		t.Skipf("%s is not installed: apt-get install %s", program, debianPackage)
	}
}

// proc is a running process with everything it started (its process group).
type proc struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
	once sync.Once
}

func start(t testing.TB, cmd *exec.Cmd) *proc {
	t.Helper()
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &proc{cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	return p
}

// signal sends a signal to the whole process group.
func (p *proc) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// kill kills the group and waits for its leader.
func (p *proc) kill() {
	p.once.Do(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
	})
}

// stop sends a signal and waits for the end; the test fails if that takes longer than
// Limit.
func (p *proc) stop(s syscall.Signal) error {
	p.signal(s)
	select {
	case <-p.done:
		return p.err
	case <-time.After(Limit):
		p.kill()
		return fmt.Errorf("pid %d did not end within %v of %v", p.cmd.Process.Pid, Limit, s)
	}
}

// MountTmpfs mounts an empty tmpfs on dir.
func (w *World) MountTmpfs(dir string) {
	w.T.Helper()
	w.must(syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"))
}

// Bind mounts one directory over another.
func (w *World) Bind(from, to string) {
	w.T.Helper()
	w.must(syscall.Mount(from, to, "", syscall.MS_BIND, ""))
}

// MountExt4 mounts a new, empty ext4 on dir.
func (w *World) MountExt4(dir string) {
	w.T.Helper()
	w.Attach(w.MakeDisk("ext4"), dir)
}

// MakeDisk makes an image with an empty ext4, xfs or btrfs in it.
func (w *World) MakeDisk(kind string) (image string) {
	w.T.Helper()
	Need(w.T, "mkfs."+kind, map[string]string{"ext4": "e2fsprogs", "xfs": "xfsprogs", "btrfs": "btrfs-progs"}[kind])
	return w.MakeDiskIn(w.Dir, kind, 2<<30)
}

// MakeDiskIn makes such an image of some size in a directory.
func (w *World) MakeDiskIn(dir, kind string, size int64) (image string) {
	w.T.Helper()
	image = fmt.Sprintf("%s/volume%d.img", dir, w.clients.Add(1))
	f, err := os.Create(image)
	w.must(err)
	w.must(f.Truncate(size))
	w.must(f.Close())
	args := map[string][]string{
		"ext4":  {"-q", "-E", "nodiscard,lazy_itable_init=1", "-N", "100000"},
		"xfs":   {"-q", "-K"},
		"btrfs": {"-q", "-K"},
	}[kind]
	w.loop("mkfs."+kind, append(args, image)...)
	return image
}

// Attach mounts an image on dir by a free loop device.
func (w *World) Attach(image, dir string) {
	w.T.Helper()
	w.loop("mount", "-o", "loop", image, dir)
}

// TakeNumbers occupies a free loop device and a free anonymous device number, so that a
// file system that is attached next gets another device number than before.
func (w *World) TakeNumbers() {
	w.T.Helper()
	for _, kind := range []string{"ext4", "tmpfs"} {
		dir := fmt.Sprintf("%s/taken%d", w.Dir, w.clients.Add(1))
		w.must(os.Mkdir(dir, 0o755))
		if kind == "tmpfs" {
			w.MountTmpfs(dir)
		} else {
			w.MountExt4(dir)
		}
	}
}

// loop runs a program for which a loop device must be there.
func (w *World) loop(name string, args ...string) {
	w.T.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.T.Skipf("no loop device: %s: %v: %s", name, err, out)
	}
}

// Unmount unmounts dir, even while it is in use.
func (w *World) Unmount(dir string) {
	w.T.Helper()
	w.must(syscall.Unmount(dir, syscall.MNT_DETACH))
}

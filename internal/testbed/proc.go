package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limit is how long nothing may change before a test gives up waiting. It is
// generous: it decides only when a test that will fail anyway fails.
const Limit = 60 * time.Second

// Eventually waits until cond holds. state is what a failure shows.
func (w *World) Eventually(what string, cond func() (ok bool, state any)) {
	w.T.Helper()
	Eventually(w.T, what, cond)
}

// Eventually waits until cond holds. state is what a failure shows; as long as
// it changes there is progress, and the wait goes on for a few times Limit.
func Eventually(t testing.TB, what string, cond func() (ok bool, state any)) {
	t.Helper()
	pause, last, began, most := 5*time.Millisecond, "", time.Now(), 4*Limit
	if os.Getenv("PICDAY_TORTURE") != "" {
		most = 20 * Limit
	}
	for changed := began; ; {
		ok, state := cond()
		if ok {
			return
		}
		now := time.Now()
		if text := fmt.Sprint(state); text != last {
			last, changed = text, now
		}
		if now.Sub(changed) > Limit || now.Sub(began) > most {
			t.Fatalf("waited %.0f s in vain: %s\nlast state: %s", now.Sub(began).Seconds(), what, last)
		}
		time.Sleep(pause)
		pause = min(pause*3/2, 200*time.Millisecond)
	}
}

// Never watches for a while that a condition does not come true. (A machine
// that is too slow to get there lets it pass; it never fails by itself.)
func (w *World) Never(what string, span time.Duration, cond func() (bad bool, state any)) {
	w.T.Helper()
	for deadline := time.Now().Add(span); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if bad, state := cond(); bad {
			w.T.Fatalf("%s: %v", what, state)
		}
	}
}

// Need skips the test when a program is not installed, and names its package.
func Need(t testing.TB, program, debianPackage string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		skipped.Add(1)
		cannot = "some programs are missing: scripts/deps.sh lists the Debian packages"
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

// signal reaches the whole process group.
func (p *proc) signal(s syscall.Signal) {
	select {
	case <-p.done:
	default:
		_ = syscall.Kill(-p.cmd.Process.Pid, s)
	}
}

// kill ends the group and waits for its leader.
func (p *proc) kill() {
	p.once.Do(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
	})
}

// stop asks nicely and waits; it complains when that takes longer than Limit.
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
	image = fmt.Sprintf("%s/volume%d.img", w.Dir, w.clients.Add(1))
	f, err := os.Create(image)
	w.must(err)
	w.must(f.Truncate(2 << 30))
	w.must(f.Close())
	args := map[string][]string{
		"ext4":  {"-q", "-E", "nodiscard,lazy_itable_init=1", "-N", "100000"},
		"xfs":   {"-q", "-K"},
		"btrfs": {"-q", "-K"},
	}[kind]
	w.loop("mkfs."+kind, append(args, image)...)
	return image
}

// Attach mounts an image on dir, by a loop device that is free.
func (w *World) Attach(image, dir string) {
	w.T.Helper()
	w.loop("mount", "-o", "loop", image, dir)
}

// TakeNumbers takes a loop device and an anonymous device number, so that what
// is attached next gets others than it had.
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

// Unmount takes away what is mounted on dir, also while it is in use.
func (w *World) Unmount(dir string) {
	w.T.Helper()
	w.must(syscall.Unmount(dir, syscall.MNT_DETACH))
}

package watcher

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// inNamespace runs the calling test again as root of a new user namespace, which has its
// own limits and no capabilities over files of other users. It returns the directory that
// prepare filled; "" in the parent process, whose test must return.
func inNamespace(t *testing.T, prepare func(dir string)) string {
	t.Helper()
	const env = "PICDAY_TEST_NAMESPACE_DIR"
	if dir := os.Getenv(env); dir != "" {
		return dir
	}
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/"+top, 0o755); err != nil {
		t.Fatal(err)
	}
	prepare(dir)
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env+"="+dir)
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	gids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: gids}
	out, err := cmd.CombinedOutput()
	switch {
	case len(out) == 0 && err != nil:
		t.Skip("no user namespaces here: ", err)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case bytes.Contains(out, []byte("--- SKIP")):
		t.Skipf("%s", out)
	}
	return ""
}

func TestOutOfWatchesIsPolled(t *testing.T) {
	dir := inNamespace(t, func(string) {})
	if dir == "" {
		return
	}
	if err := os.WriteFile("/proc/sys/user/max_inotify_watches", []byte("5"), 0); err != nil {
		t.Skip("cannot limit watches: ", err)
	}
	w := open(t, dir)
	for i := range 10 {
		w.mkdir(fmt.Sprintf("job/a%d/b", i))
	}
	w.run()
	w.scan()
	if s := w.Status(); s.WatchedDirs != 5 || len(s.PolledDirs) != 16 {
		t.Errorf("%+v", s)
	}
	for i := range 10 {
		w.write(fmt.Sprintf("job/a%d/x.jpg", i))
		w.write(fmt.Sprintf("job/a%d/b/x.jpg", i))
		w.mkdir(fmt.Sprintf("job/a%d/b/c", i))
		w.write(fmt.Sprintf("job/a%d/b/c/x.jpg", i))
	}
	w.caughtUp()
	for i := range 5 {
		w.mkdir(fmt.Sprintf("job/new%d", i))
		w.rename(fmt.Sprintf("job/a%d/b", i), fmt.Sprintf("job/new%d/b", i))
	}
	w.must(os.RemoveAll(w.path("job/a7")))
	w.write("job/a8/b/x.jpg")
	w.caughtUp()
	if err := os.WriteFile("/proc/sys/user/max_inotify_watches", []byte("1000"), 0); err != nil {
		t.Fatal(err)
	}
	w.until("all are watched", func() bool { return len(w.Status().PolledDirs) == 0 })
	w.watchesAreRight()
}

func TestOutOfInstancesIsPolled(t *testing.T) {
	dir := inNamespace(t, func(string) {})
	if dir == "" {
		return
	}
	if err := os.WriteFile("/proc/sys/user/max_inotify_instances", []byte("0"), 0); err != nil {
		t.Skip("cannot limit instances: ", err)
	}
	w := open(t, dir)
	w.run()
	w.mkdir("job/a/b")
	w.write("job/a/b/x.jpg")
	w.caughtUp()
	if s := w.Status(); s.WatchedDirs != 0 || len(s.PolledDirs) != 3 {
		t.Errorf("%+v", s)
	}
}

// A file that the watcher may not open is sent after SettleUnsure, so that the receiver
// reports it as unreadable.
func TestUnreadableFileIsSent(t *testing.T) {
	dir := inNamespace(t, func(dir string) {
		for name, mode := range map[string]os.FileMode{"secret.jpg": 0, "notours.jpg": 0o644} {
			path := dir + "/job/" + name
			if err := os.WriteFile(path, nil, mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(path, 12345, 12345); err != nil {
				t.Skip("chown: ", err)
			}
		}
	})
	if dir == "" {
		return
	}
	patient := open(t, dir)
	patient.opt.SettleUnsure = time.Hour
	patient.run()
	patient.scan()
	if s := patient.Status(); s.Pending != 2 {
		t.Errorf("sent after the short quiet time: %+v", s)
	}
	w := open(t, dir)
	w.run()
	w.caughtUp()
}

// With the capabilities of the daemon, files and directories of any mode are found.
func TestModeIsIgnored(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	w := start(t)
	w.mkdir("job/a")
	w.write("job/a/x.jpg")
	w.must(os.Chmod(w.path("job/a/x.jpg"), 0))
	w.must(os.Chmod(w.path("job/a"), 0))
	w.caughtUp()
}

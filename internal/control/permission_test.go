package control

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMain is also the stranger.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PICDAY_TEST_ASK"); dir != "" {
		_, err := Ask(context.Background(), dir)
		fmt.Println(err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Who may not ask is told so, and not that nobody is there.
func TestStrangersAreTurnedAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	_, stop := serve(t, dir)
	defer stop()
	for d := dir; d != "/tmp" && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	for _, mode := range []os.FileMode{0o755, 0o750} { // with the socket closed to him, and the directory too
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/proc/self/fd/3")
		cmd.Env = append(os.Environ(), "PICDAY_TEST_ASK="+dir)
		cmd.Dir = "/"
		cmd.ExtraFiles = []*os.File{exe}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "cannot be asked by this user") {
			t.Errorf("%o: %s %v", mode, out, err)
		}
	}
}

package control

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Only root gets profiles.
func TestProfilesAreForRoot(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "picday-control-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	_, stop := serve(t, dir)
	defer stop()
	for path, mode := range map[string]os.FileMode{dir: 0o755, filepath.Join(dir, socketName): 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() (status int, err error) {
		conn, err := net.Dial("unix", filepath.Join(dir, socketName))
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /debug/pprof/heap HTTP/1.0\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	want := http.StatusForbidden
	if os.Geteuid() == 0 {
		want = http.StatusNotFound // by the daemon's own handler
	}
	if got, err := ask(); err != nil || got != want {
		t.Errorf("uid %d: %d %v", os.Geteuid(), got, err)
	}
	if os.Geteuid() != 0 {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: its thread ends with it
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			t.Error(errno)
			return
		}
		if got, err := ask(); err != nil || got != http.StatusForbidden {
			t.Errorf("another user: %d %v", got, err)
		}
	}()
	<-done
}

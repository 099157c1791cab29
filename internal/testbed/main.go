// Package testbed is the real world for end-to-end tests: real Unix accounts,
// real PAM, a real sshd and real clients, in namespaces that vanish with the
// test binary. Nothing it does reaches the machine's own accounts, sshd or
// logs, also when the tests are killed.
//
// A test package calls [Main] from TestMain; a test asks for a [World] of its
// own with [New]. Worlds of one binary share /etc/passwd, so names that become
// Unix accounts come from [World.Name].
package testbed

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
)

// stageEnv tells a re-executed test binary what it is: pid 1 of the new
// namespaces, or the process that runs the tests.
const stageEnv = "PICDAY_TESTBED_STAGE"

// HowToRun is what a skipped test says.
const HowToRun = "needs root and namespaces of its own: run `sudo env PATH=$PATH make test`"

var (
	inside  atomic.Bool  // this process runs in the throw-away namespaces
	skipped atomic.Int32 // tests that Root sent away
	cannot  = HowToRun   // why Root sends tests away
)

// Main runs the tests of a package inside throw-away namespaces when it is
// root, and plainly (with what needs root skipped and counted) when it is not.
func Main(m *testing.M) {
	switch os.Getenv(stageEnv) {
	case "init":
		os.Exit(initProcess())
	case "tests":
		_ = os.Unsetenv(stageEnv)
		inside.Store(true)
		os.Exit(runTests(m))
	}
	if os.Geteuid() == 0 {
		code, err := enter()
		if err == nil {
			os.Exit(code)
		}
		cannot = fmt.Sprintf("%s (%v)", HowToRun, err)
	}
	os.Exit(runTests(m))
}

// Root skips the test unless it runs as root in the throw-away namespaces.
func Root(t testing.TB) {
	t.Helper()
	if !inside.Load() {
		skipped.Add(1)
		t.Skip(cannot)
	}
}

// runTests runs the tests. Most of a test's time is waiting for the world, so
// more of them run at once than there are cores, unless -parallel says else.
func runTests(m *testing.M) int {
	flag.Parse()
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit && inside.Load() {
		_ = flag.Set("test.parallel", fmt.Sprint(4*runtime.NumCPU()))
	}
	code := m.Run()
	if n := skipped.Load(); n > 0 {
		fmt.Printf("testbed: %d tests were skipped: %s\n", n, cannot)
	}
	return code
}

// enter runs this binary again as pid 1 of new mount and pid namespaces and
// returns its exit status. An error means that the namespaces cannot be had.
func enter() (int, error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// The kernel sends Pdeathsig when the thread that started the child ends.
	runtime.LockOSThread()
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Env = append(os.Environ(), stageEnv+"=init")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer forwardSignals(cmd.Process)()
	if err := cmd.Wait(); cmd.ProcessState == nil {
		return 0, err
	}
	return exitStatus(cmd.ProcessState.Sys().(syscall.WaitStatus)), nil
}

// forwardSignals passes on what asks a test binary to stop or to say where it
// hangs (go test sends SIGQUIT after its own timeout).
func forwardSignals(to *os.Process) (stop func()) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	go func() {
		for s := range signals {
			_ = to.Signal(s)
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}

func exitStatus(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

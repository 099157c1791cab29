// Package bed runs end-to-end tests with real Unix accounts, PAM, sshd and clients, in
// namespaces that end with the test binary. Nothing that the tests do changes the
// machine's own accounts, sshd or logs, even if the tests are killed.
//
// A test package calls [Main] from TestMain; a test asks for a [World] of its
// own with [New]. Worlds of one binary share /etc/passwd, so names that become
// Unix accounts come from [World.Name].
package bed

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
)

// stageEnv tells a test binary that runs itself again which process it is: PID 1 of the new
// namespaces, or the one that runs the tests.
const stageEnv = "PICDAY_TESTBED_STAGE"

// HowToRun is the message of a skipped test.
const HowToRun = "needs root and namespaces of its own: run `sudo env PATH=$PATH make test`"

var (
	inside  atomic.Bool  // this process runs in the throw-away namespaces
	skipped atomic.Int32 // tests that Root skipped
	cannot  = HowToRun   // why Root skips tests
)

// Main runs the tests of a package. As root it runs them in namespaces of their own; as
// another user it skips and counts those that need root.
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

// StepBack lowers the priority of this process and of what it starts. A package that runs
// many tests in parallel would otherwise slow down the packages that run theirs one after
// the other, and these determine how long the whole run takes.
func StepBack() {
	if os.Getenv(stageEnv) != "" {
		return // inherited
	}
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		// The system call returns 20 - nice.
		if now, err := syscall.Getpriority(syscall.PRIO_PROCESS, id); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, 20-now+5)
		}
	}
}

// Root skips the test unless it runs as root in the throw-away namespaces.
func Root(t testing.TB) {
	t.Helper()
	if !inside.Load() {
		skipped.Add(1)
		t.Skip(cannot)
	}
}

// runTests runs the tests. A test mostly waits for other processes, so it runs more tests
// in parallel than there are cores, unless -parallel is given.
func runTests(m *testing.M) int {
	flag.Parse()
	explicit := false
	flag.Visit(func(f *flag.Flag) { explicit = explicit || f.Name == "test.parallel" })
	if !explicit && inside.Load() {
		_ = flag.Set("test.parallel", fmt.Sprint(4*runtime.NumCPU()))
	}
	code := m.Run()
	if n := skipped.Load(); n > 0 {
		fmt.Printf("bed: %d tests were skipped: %s\n", n, cannot)
	}
	return code
}

// enter runs this binary again as PID 1 of new mount and PID namespaces, and returns its
// exit status. It returns an error if the namespaces cannot be created.
func enter() (int, error) {
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	// The kernel sends Pdeathsig when the starting thread ends, not the process, so this
	// goroutine must keep its thread.
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

// forwardSignals forwards the signals that ask a test binary to stop, or to print where it
// hangs (SIGQUIT, which go test sends after its timeout).
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

package bed

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// While a client writes a file slowly, it is open for writing on the server, which picday
// relies on. It is closed when the client is killed.
func TestASlowWriterHoldsTheFile(t *testing.T) {
	t.Parallel()
	w := New(t)
	anna := w.jail("anna")
	s := anna.ByKey().MustWire()
	if dir, err := s.Getwd(); dir != "/" || err != nil {
		t.Errorf("the login lands in %q, %v", dir, err)
	}
	f, err := s.Open("/job1/slow.jpg", Write|Create|Truncate)
	w.must(err)
	for range 3 {
		if _, err := f.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := lease(anna.Dir() + "/job1/slow.jpg"); !errors.Is(err, syscall.EAGAIN) {
			t.Fatalf("lease while the client writes: %v", err)
		}
	}
	w.must(f.Truncate(1000))
	if size := sizeOf(anna.Dir() + "/job1/slow.jpg"); size != 1000 {
		t.Errorf("preallocated to %d bytes", size)
	}
	names, err := s.List("/job1")
	if !slices.Equal(names, []string{"slow.jpg"}) || err != nil {
		t.Errorf("listed %q, %v", names, err)
	}
	s.Cut()
	w.Eventually("the file of a killed client is closed", func() (bool, any) {
		err := lease(anna.Dir() + "/job1/slow.jpg")
		return err == nil, err
	})
}

func lease(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), syscall.F_SETLEASE, syscall.F_RDLCK)
	if errno != 0 {
		return errno
	}
	return nil
}

func TestStatusPassesThrough(t *testing.T) {
	if os.Getenv("PICDAY_TESTBED_FAIL") != "" {
		t.Fatal("failed on purpose")
	}
	Root(t)
	cmd := nested("TestStatusPassesThrough")
	cmd.Env = append(os.Environ(), "PICDAY_TESTBED_FAIL=1")
	out, _ := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "failed on purpose") {
		t.Errorf("exit status %d, output:\n%s", cmd.ProcessState.ExitCode(), out)
	}
}

// TestLinger is what the tests below run, in namespaces below these: a World
// in use, and then it waits until it is killed or its standard input ends.
func TestLinger(t *testing.T) {
	if os.Getenv("PICDAY_TESTBED_LINGER") == "" {
		t.Skip("a part of the tests below")
	}
	w := New(t)
	if out := w.jail("ghost").ByPassword().SFTP("pwd"); out.Err != nil {
		t.Fatal(out.Err)
	}
	os.Stdout.WriteString("WORLD READY\n")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func TestNothingIsLeft(t *testing.T) {
	Root(t)
	// Mount an empty /tmp for this test, because other programs of the machine use /tmp.
	if err := syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Unmount("/tmp", syscall.MNT_DETACH) }()
	for name, end := range map[string]func(*exec.Cmd){
		"after a good end": func(*exec.Cmd) {},
		"after kill -9":    func(cmd *exec.Cmd) { _ = cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			before := machine(t)
			cmd := nested("TestLinger")
			cmd.Env = append(os.Environ(), "PICDAY_TESTBED_LINGER=1", "TMPDIR=/tmp")
			stdin, _ := cmd.StdinPipe()
			out, _ := cmd.StdoutPipe()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for lines.Scan() && !strings.Contains(lines.Text(), "WORLD READY") {
				t.Log(lines.Text())
			}
			if during := machine(t); slices.Equal(during, before) {
				t.Fatal("the world left no trace while it was there: this test cannot see")
			}
			end(cmd)
			_ = stdin.Close()
			err := cmd.Wait()
			if name == "after a good end" && err != nil {
				t.Errorf("the nested tests: %v", err)
			}
			Eventually(t, "the machine is as it was", func() (bool, any) {
				after := machine(t)
				return slices.Equal(after, before), strings.Join(after, "\n")
			})
		})
	}
}

// nested runs one test of this binary as if from a shell.
func nested(test string) *exec.Cmd {
	return exec.Command("/proc/self/exe", "-test.run=^"+test+"$", "-test.v")
}

// machine lists the accounts, files, mounts and processes that tests could leave behind. No
// other test may run at the same time.
func machine(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"/tmp/*", "/home/*", "/run/*", "/var/log/*", "/var/mail/*", base + "/*", "/etc/ssh/sshd_config.d/*"} {
		files, _ := filepath.Glob(pattern)
		all = append(all, files...)
	}
	for _, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group", "/proc/self/mounts"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(string(text), "\n")...)
	}
	processes, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range processes {
		text, _ := os.ReadFile(p)
		all = append(all, strings.ReplaceAll(string(text), "\x00", " "))
	}
	slices.Sort(all)
	return all
}

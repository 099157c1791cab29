package bed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// programs builds cmd/picday and cmd/picdayd once per test binary and returns
// the directory they are in.
var programs = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	// go test caches a result until a file that the test has read changes. It does not
	// see what go build reads, so stat every source file here.
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && slices.Contains([]string{".go", ".sql", ".mod", ".json", ".html", ".css", ".js"}, filepath.Ext(path)) {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	dir := base + "/bin"
	// Without what only debuggers read, which would take a third of the time.
	cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-w", "-o", dir+"/", "./cmd/picday", "./cmd/picdayd")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir + "/go.mod"); err == nil {
			return dir, nil
		}
	}
	return "", errors.Join(errors.New("no go.mod above the test"), err)
}

// Result is the output and the exit status of a run of picday.
type Result struct {
	Args           []string
	Stdout, Stderr string
	Code           int
}

func (r Result) String() string {
	return fmt.Sprintf("picday %s: exit status %d\nstdout: %s\nstderr: %s", strings.Join(r.Args, " "), r.Code, r.Stdout, r.Stderr)
}

// Picday runs the tool as root with this world's configuration.
func (w *World) Picday(args ...string) Result { return w.PicdayInput("", args...) }

// PicdayInput is Picday with something on standard input.
func (w *World) PicdayInput(stdin string, args ...string) Result {
	w.T.Helper()
	cmd := w.PicdayCmd(args...)
	cmd.Stdin = strings.NewReader(stdin)
	return w.result(cmd, args)
}

// PicdayAs runs the tool as another Unix user.
func (w *World) PicdayAs(unixUser string, args ...string) Result {
	w.T.Helper()
	cmd := w.PicdayCmd(args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: w.Credential(unixUser)}
	return w.result(cmd, args)
}

// PicdayCmd prepares a run of the tool.
func (w *World) PicdayCmd(args ...string) *exec.Cmd {
	w.T.Helper()
	w.runs.Add(1)
	if len(args) > 0 && slices.Contains([]string{"photos", "problems", "trash"}, args[0]) {
		w.reads.Add(1)
	}
	bin, err := programs()
	w.must(err)
	cmd := exec.Command(bin+"/picday", append([]string{"--config", w.Config}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+w.Dir+"/home")
	cmd.Dir = w.Dir
	if w.Namespaced {
		cmd.SysProcAttr = namespaced(&syscall.SysProcAttr{})
	}
	return cmd
}

// NeedUserNamespace skips a test if root may not make a user namespace.
func NeedUserNamespace(t testing.TB) {
	t.Helper()
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = namespaced(&syscall.SysProcAttr{})
	if err := cmd.Run(); err != nil && os.Getuid() == 0 {
		t.Skipf("no user namespace can be had here: %v", err)
	}
}

// namespaced makes a command start in a new user namespace, as root there. Its
// capabilities do not hold outside of the namespace.
func namespaced(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	same := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 16}}
	a.Cloneflags |= syscall.CLONE_NEWUSER
	a.UidMappings, a.GidMappings, a.GidMappingsEnableSetgroups = same, same, true
	return a
}

func (w *World) result(cmd *exec.Cmd, args []string) Result {
	w.T.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		w.T.Fatalf("picday %v: %v", args, err)
	}
	return Result{args, stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// MustPicday runs the tool, which has to succeed, and returns its stdout.
func (w *World) MustPicday(args ...string) string {
	w.T.Helper()
	r := w.Picday(args...)
	if r.Code != 0 {
		w.T.Fatal(r)
	}
	return r.Stdout
}

// JSON runs the tool with --json and decodes the one value it prints.
func (w *World) JSON(v any, args ...string) {
	w.T.Helper()
	out := w.MustPicday(append(args, "--json")...)
	dec := json.NewDecoder(strings.NewReader(out))
	if err := dec.Decode(v); err != nil {
		w.T.Fatalf("picday %s --json: %v\n%s", strings.Join(args, " "), err, out)
	}
	if dec.More() {
		w.T.Fatalf("picday %s --json: more than one value\n%s", strings.Join(args, " "), out)
	}
}

// Credential is a user's uid, gid and groups.
func (w *World) Credential(name string) *syscall.Credential {
	w.T.Helper()
	u, err := user.Lookup(name)
	w.must(err)
	ids, err := u.GroupIds()
	w.must(err)
	c := &syscall.Credential{Uid: number(u.Uid), Gid: number(u.Gid)}
	for _, id := range ids {
		c.Groups = append(c.Groups, number(id))
	}
	return c
}

func number(s string) uint32 {
	n, _ := strconv.ParseUint(s, 10, 32)
	return uint32(n)
}

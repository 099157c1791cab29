package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A runner runs one program with the given standard input and returns its standard
// output. Its error has what the program printed.
type runner func(ctx context.Context, stdin, name string, args ...string) (string, error)

// A programError is a program that could not be run or did not exit with 0.
type programError struct {
	name, output string
	err          error
}

func (e *programError) Error() string {
	if e.output == "" {
		return fmt.Sprintf("%s: %v", e.name, e.err)
	}
	return fmt.Sprintf("%s: %v: %s", e.name, e.err, e.output)
}

func (e *programError) Unwrap() error { return e.err }

// userFilesLocked tells whether a program of the package passwd gave up because
// another one is changing users. It has no exit status of its own for that, so
// its English message is all there is to go by; see LC_ALL.
func userFilesLocked(err error) bool {
	var e *programError
	return errors.As(err, &e) && (strings.Contains(e.output, "unable to lock") || strings.Contains(e.output, "cannot lock"))
}

// systemPath is set for programs so that they are found under cron and sudo too.
const systemPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// runCommand ignores the end of ctx on purpose, and protects the program from
// Ctrl-C: a useradd that is killed leaves locks and an incomplete user. A cancelled
// change stops between two steps instead.
func runCommand(ctx context.Context, stdin, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(name), args...)
	cmd.Env = []string{systemPath, "LC_ALL=C"}
	cmd.Stdin = strings.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = 5 * time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(said.String())
		if text == "" {
			text = strings.TrimSpace(out.String())
		}
		lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' })
		return "", &programError{name, strings.Join(lines, " / "), err}
	}
	return out.String(), nil
}

// program finds a program in systemPath; sshd insists on an absolute path.
func program(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	for dir := range strings.SplitSeq(strings.TrimPrefix(systemPath, "PATH="), ":") {
		path := filepath.Join(dir, name)
		if fi, err := os.Stat(path); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return path
		}
	}
	return name
}

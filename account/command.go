package account

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A runner runs one program with the given standard input and returns its
// standard output. Its error carries what the program said.
type runner func(ctx context.Context, stdin, name string, args ...string) (string, error)

// systemPath is where the programs are, also under cron and sudo.
const systemPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// runCommand ignores the end of ctx on purpose, and keeps the terminal's
// Ctrl-C from the program: a useradd that dies half-way leaves locks and half
// a user behind. A cancelled change stops between two steps instead.
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
		if text == "" {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' }), " / "))
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

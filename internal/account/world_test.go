package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"picday/internal/config"
	"picday/store"
)

func testConfig() config.Config {
	c := config.Default()
	c.UploadDir, c.DataDir = "/srv/up", "/srv/data"
	c.SSHD.Reload, c.SSHD.Port, c.SSHD.Host = []string{}, 2222, "127.0.0.1"
	return c
}

// newWorld is a machine without any picday on it.
func newWorld(t *testing.T) *System {
	t.Helper()
	if whyNotReal != "" {
		t.Skip(whyNotReal)
	}
	must(t, emptySrv())
	must(t, freshEtc())
	return New(testConfig())
}

func emptySrv() error {
	entries, err := os.ReadDir("/srv")
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join("/srv", e.Name())))
	}
	return err
}

// initWorld is a machine after "picday init".
func initWorld(t *testing.T) *System {
	t.Helper()
	s := newWorld(t)
	s.run = remembering
	_, err := s.Init(t.Context())
	must(t, err)
	s.run = runCommand
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sys(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// healthy demands that doctor finds nothing.
func healthy(t *testing.T, s *System, accounts ...store.Account) {
	t.Helper()
	for _, f := range s.Check(context.Background(), accounts, true) {
		if f.Status != "ok" && f.Check != "reload" && f.Check != "penalties" {
			t.Errorf("doctor: %+v", f)
		}
	}
}

// startSSHD runs a real sshd; its reload returns when sshd listens again.
func startSSHD(t *testing.T, s *System) {
	t.Helper()
	log := "/run/sshd.log"
	_ = os.Remove(log)
	must(t, os.MkdirAll(privsepDir, 0o755))
	cmd := exec.Command("/usr/sbin/sshd", "-D", "-f", s.Config.SSHD.Config, "-E", log)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			data, _ := os.ReadFile(log)
			t.Logf("sshd said:\n%s", data)
		}
	})
	script := fmt.Sprintf(`#!/bin/sh
n=$(grep -c 'Server listening' %[2]s)
kill -HUP %[1]d || exit 1
i=0
while [ "$(grep -c 'Server listening' %[2]s)" -le "$n" ]; do
	sleep 0.02; i=$((i+1)); [ $i -lt 500 ] || exit 1
done
`, cmd.Process.Pid, log)
	must(t, os.WriteFile("/run/reload", []byte(script), 0o755))
	s.Config.SSHD.Reload = []string{"/run/reload"}
	eventually(t, "sshd listens", func() bool {
		data, _ := os.ReadFile(log)
		return bytes.Contains(data, []byte("Server listening"))
	})
}

// eventually gives up only long after anything could still be under way.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 1500 {
		if ok() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// A login is how a test's client shows itself.
type login struct {
	user, password, key, from string
}

func (l login) options() []string {
	o := []string{
		"-F", "none", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR",
		"-oBatchMode=no", "-oNumberOfPasswordPrompts=1", "-oConnectTimeout=20", "-oIdentitiesOnly=yes",
		// The default, post-quantum, takes most of a client's computing.
		"-oKexAlgorithms=curve25519-sha256",
	}
	if l.key != "" {
		o = append(o, "-oPreferredAuthentications=publickey", "-i", l.key)
	} else {
		o = append(o, "-oPreferredAuthentications=password")
	}
	if l.from != "" {
		o = append(o, "-oBindAddress="+l.from)
	}
	return o
}

func (l login) env(t *testing.T) []string {
	t.Helper()
	ask := filepath.Join(t.TempDir(), "askpass")
	must(t, os.WriteFile(ask, []byte("#!/bin/sh\nprintf '%s\\n' \"$TEST_PASSWORD\"\n"), 0o755))
	return append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "TEST_PASSWORD="+l.password)
}

// sftp runs commands in one session.
func (l login) sftp(t *testing.T, commands ...string) (string, error) {
	t.Helper()
	args := append(l.options(), "-P2222", "-b", "-", l.user+"@127.0.0.1")
	cmd := exec.Command("sftp", args...)
	cmd.Env = l.env(t)
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// failed is in what sftp says of a command that has failed.
var failed = regexp.MustCompile(`denied|not found|[Nn]o such file|[Cc]ouldn't|[Ff]ailure|not support`)

// cannot demands that each command fails, in one session.
func (l login) cannot(t *testing.T, commands ...string) {
	t.Helper()
	var lines []string
	for _, c := range commands {
		for line := range strings.SplitSeq(c, "\n") {
			lines = append(lines, "-"+line) // sftp goes on after one that fails
		}
	}
	out, err := l.sftp(t, append(lines, "pwd")...)
	if err != nil || !strings.Contains(out, "Remote working directory") {
		t.Errorf("%s: the session has ended: %v\n%s", l.user, err, out)
	}
	for _, c := range commands {
		last := c[strings.LastIndex(c, "\n")+1:]
		_, said, tried := strings.Cut(out, "sftp> -"+last+"\n")
		said, _, _ = strings.Cut(said, "sftp> ")
		if !tried || !failed.MatchString(said) {
			t.Errorf("%s: %s works:\n%s", l.user, c, out)
		}
	}
}

func (l login) mustEnter(t *testing.T) string {
	t.Helper()
	out, err := l.sftp(t, "pwd", "ls -la")
	if err != nil {
		t.Errorf("%+v cannot log in: %v\n%s", l, err, out)
	}
	return out
}

func (l login) mustBeRefused(t *testing.T) {
	t.Helper()
	out, err := l.sftp(t, "pwd")
	if err == nil || !strings.Contains(out, "Permission denied") && !strings.Contains(out, "Connection closed") {
		t.Errorf("%+v: want a refusal, got %v\n%s", l, err, out)
	}
}

// hold opens a session that stays; ended is closed when its client ends.
func (l login) hold(t *testing.T) (ended <-chan struct{}) {
	t.Helper()
	cmd := exec.Command("ssh", append(l.options(), "-p2222", "-s", l.user+"@127.0.0.1", "sftp")...)
	cmd.Env = l.env(t)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	_, err = in.Write([]byte{0, 0, 0, 5, 1, 0, 0, 0, 3}) // SSH_FXP_INIT
	must(t, err)
	if _, err := io.ReadFull(out, make([]byte, 9)); err != nil {
		t.Fatalf("no SFTP answer: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { _ = cmd.Process.Signal(unix.SIGKILL); <-done })
	return done
}

func newKey(t *testing.T) (path string, public []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key")
	sys(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "it's me", "-f", path)
	public, err := os.ReadFile(path + ".pub")
	must(t, err)
	return path, public
}

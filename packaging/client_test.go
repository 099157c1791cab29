package packaging_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"picday/internal/test/bed"
	testphoto "picday/internal/test/photo"
)

// An uploader is somebody outside of the machine who has an account on it.
type uploader struct {
	m              *machine
	name, password string
	key            string // file of the private key
	from           string // source address, "" = another one each time
}

var addresses atomic.Int32

// someAddress is an address that nobody had before: OpenSSH 9.8 and later let
// a source wait for what was refused to it.
func someAddress() string {
	n := addresses.Add(1)
	return fmt.Sprintf("127.1.%d.%d", n/250, n%250+1)
}

// addAccount makes an account with a password and a key.
func (m *machine) addAccount(name, layout string, flags ...string) uploader {
	m.Helper()
	u := uploader{m: m, name: name, key: m.newKey()}
	public, err := os.ReadFile(u.key + ".pub")
	must(m.T, err)
	m.give("/root/"+name+".pub", string(public))
	var card struct{ Password string }
	m.json(&card, append([]string{"account", "add", name, "--layout", layout, "--key", "/root/" + name + ".pub"}, flags...)...)
	u.password = card.Password
	return u
}

// newKey makes a pair of keys in files, the public one with .pub behind its name.
func (m *machine) newKey() string {
	m.Helper()
	key := filepath.Join(m.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		m.Fatalf("ssh-keygen: %v\n%s", err, out)
	}
	return key
}

// json runs picday and reads what it prints.
func (m *machine) json(v any, args ...string) {
	m.Helper()
	cmd := m.inside(append(append([]string{"picday"}, args...), "--json")...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	if err != nil {
		m.Fatalf("picday %q: %v\n%s%s", args, err, out, said.String())
	}
}

// outside is a client's command: the host's program in the machine's network.
func (u uploader) outside(password bool, name string, args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(u.m.leader), "-n", name}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+filepath.Dir(u.key))
	if password {
		ask := filepath.Join(filepath.Dir(u.key), "ask")
		must(u.m.T, os.WriteFile(ask, []byte("#!/bin/sh\nprintf '%s\\n' '"+u.password+"'\n"), 0o755))
		cmd.Env = append(cmd.Env, "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force")
	}
	return cmd
}

func (u uploader) options(password bool) []string {
	o := []string{
		"-F", "none", "-oStrictHostKeyChecking=no", "-oUserKnownHostsFile=/dev/null", "-oLogLevel=ERROR",
		"-oNumberOfPasswordPrompts=1", "-oConnectTimeout=30", "-oIdentitiesOnly=yes", "-oBatchMode=no",
		// The default, post-quantum, takes most of a client's computing.
		"-oKexAlgorithms=curve25519-sha256",
	}
	from := u.from
	if from == "" {
		from = someAddress()
	}
	o = append(o, "-oBindAddress="+from)
	if password {
		return append(o, "-oPreferredAuthentications=password", "-oPubkeyAuthentication=no")
	}
	return append(o, "-oPreferredAuthentications=publickey", "-i", u.key)
}

// sftp runs commands in one session of OpenSSH's client.
func (u uploader) sftp(password bool, commands ...string) (string, error) {
	cmd := u.outside(password, "sftp", append(u.options(password), "-b", "-", u.name+"@127.0.0.1")...)
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// put uploads a photo.
func (u uploader) put(password bool, remote string, seed uint64) {
	u.m.Helper()
	local := u.photo(seed)
	if out, err := u.sftp(password, `put "`+local+`" "`+remote+`"`); err != nil {
		u.m.Fatalf("%s (by password: %v) cannot upload: %v\n%s", u.name, password, err, out)
	}
}

func (u uploader) photo(seed uint64) string {
	u.m.Helper()
	local := filepath.Join(filepath.Dir(u.key), "photo"+strconv.FormatUint(seed, 10)+".jpg")
	must(u.m.T, os.WriteFile(local, testphoto.Make(testphoto.Spec{Seed: seed}), 0o600))
	return local
}

// getsIn demands that both the key and the password open the door, to nothing
// but its own folders.
func (u uploader) getsIn() {
	u.m.Helper()
	for _, password := range []bool{false, true} {
		if out, err := u.sftp(password, "ls"); err != nil {
			u.m.Errorf("%s (by password: %v) cannot log in: %v\n%s", u.name, password, err, out)
		}
		if out, err := u.sftp(password, "get /etc/passwd /dev/null"); err == nil {
			u.m.Errorf("%s is not in a jail:\n%s", u.name, out)
		}
	}
	u.noShell()
}

// lockedOut demands that nothing opens the door: no SFTP, no shell, no
// forwarding, whatever it shows.
func (u uploader) lockedOut() {
	u.m.Helper()
	for _, password := range []bool{false, true} {
		out, err := u.sftp(password, "pwd")
		if err == nil || !strings.Contains(out, "Permission denied") && !strings.Contains(out, "Connection closed") && !strings.Contains(out, "Connection reset") {
			u.m.Errorf("%s (by password: %v) is let in or meets no sshd: %v\n%s", u.name, password, err, out)
		}
	}
	u.noShell()
}

func (u uploader) noShell() {
	u.m.Helper()
	for _, password := range []bool{false, true} {
		for _, what := range [][]string{{"id"}, {"-N", "-W", "127.0.0.1:22"}} {
			args := append(u.options(password), u.name+"@127.0.0.1")
			if what[0] == "id" {
				args = append(args, what...)
			} else {
				args = append(what, args...)
			}
			out, err := u.outside(password, "ssh", args...).CombinedOutput()
			if err == nil || strings.Contains(string(out), "uid=") || strings.Contains(string(out), "SSH-2.0") {
				u.m.Errorf("%s (by password: %v) can do %q: %v\n%s", u.name, password, what, err, out)
			}
		}
	}
}

// paths are the photos that are published.
func (m *machine) paths() []string {
	m.Helper()
	var photos []struct{ Path string }
	m.json(&photos, "photos")
	var all []string
	for _, p := range photos {
		all = append(all, p.Path)
	}
	slices.Sort(all)
	return all
}

// published waits until these photos, and no others, are in the catalogue.
func (m *machine) published(want ...string) {
	m.Helper()
	slices.Sort(want)
	bed.Eventually(m.T, "published: "+strings.Join(want, ", "), func() (bool, any) {
		have := m.paths()
		return slices.Equal(have, want), have
	})
}

package bed

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// Login is what a client needs to log in: address, user, and key or password.
type Login struct {
	w        *World
	User     string
	Password string // used when Key is empty
	Key      string // file of a private key
	Host     string // "" = 127.0.0.1
	Port     int
	From     string // source address, for OpenSSH's clients; "" = the kernel's choice
	Netns    string // network namespace the client runs in; "" = the tests' own
}

// Out is the output of a client and whether it succeeded.
type Out struct {
	Text string
	Err  error
}

// Login makes a login to this world's sshd.
func (w *World) Login(user, password, key string) Login {
	w.T.Helper()
	w.trust(w.Port)
	return Login{w: w, User: user, Password: password, Key: key, Port: w.Port}
}

// Via returns the same login over a Line.
func (l Login) Via(line *Line) Login {
	l.Port = line.Port
	l.w.trust(line.Port)
	return l
}

// FromAddress returns the same login from another source address of this machine.
func (l Login) FromAddress(address string) Login {
	l.From = address
	if strings.Contains(address, ":") {
		l.Host = "::1"
	}
	return l
}

func (l Login) host() string {
	if l.Host == "" {
		return "127.0.0.1"
	}
	return l.Host
}

var trusting sync.Mutex

func (w *World) knownHosts() string { return w.Dir + "/known_hosts" }

// trust writes a known_hosts file that has the test's host key for a port, and no other.
func (w *World) trust(port int) {
	trusting.Lock()
	defer trusting.Unlock()
	line := fmt.Sprintf("[127.0.0.1]:%d,[::1]:%d %s\n", port, port, strings.Join(hostKeyFields(), " "))
	known, _ := os.ReadFile(w.knownHosts())
	if !strings.Contains(string(known), line) {
		w.must(os.WriteFile(w.knownHosts(), append(known, line...), 0o644))
	}
}

// quickKex avoids the post-quantum key exchange, which needs most of a client's CPU time
// and proves nothing about picday.
const quickKex = "KexAlgorithms=curve25519-sha256"

// sshOptions are the options of every OpenSSH client.
func (l Login) sshOptions() []string {
	o := []string{
		"-F", "none", "-o", "User=" + l.User, "-o", "Port=" + strconv.Itoa(l.Port),
		"-o", "UserKnownHostsFile=" + l.w.knownHosts(), "-o", "GlobalKnownHostsFile=/dev/null",
		"-o", "StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o", "ConnectTimeout=30",
		"-o", "IdentityAgent=none", "-o", "IdentitiesOnly=yes", "-o", "NumberOfPasswordPrompts=1",
		"-o", quickKex,
	}
	if l.From != "" {
		o = append(o, "-o", "BindAddress="+l.From)
	}
	if l.Netns != "" {
		o = append(o, "-o", fmt.Sprintf("HostKeyAlias=[127.0.0.1]:%d", l.Port))
	}
	if l.Key != "" {
		return append(o, "-o", "IdentityFile="+l.Key, "-o", "PreferredAuthentications=publickey")
	}
	return append(o, "-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password")
}

// SSH prepares ssh with this login. args must end with the host and the command.
func (l Login) SSH(args ...string) *exec.Cmd {
	return l.command("ssh", append(l.sshOptions(), args...)...)
}

// Exec runs a command on the server by ssh, or without one a shell.
func (l Login) Exec(command ...string) Out {
	return run(l.SSH(append([]string{l.host()}, command...)...))
}

// command prepares a client with a home directory of its own. OpenSSH asks an askpass
// program for the password.
func (l Login) command(name string, args ...string) *exec.Cmd {
	if l.Netns != "" {
		name, args = "ip", append([]string{"netns", "exec", l.Netns, name}, args...)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = l.w.Dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + l.w.Dir + "/home", "LANG=C.UTF-8",
		"PICDAY_PASSWORD=" + l.Password, "SSH_ASKPASS=" + l.w.askpass(), "SSH_ASKPASS_REQUIRE=force",
	}
	return cmd
}

func (w *World) askpass() string {
	path := w.Dir + "/askpass"
	if _, err := os.Stat(path); err != nil {
		trusting.Lock()
		defer trusting.Unlock()
		w.must(os.WriteFile(path+".new", []byte("#!/bin/sh\nprintf '%s\\n' \"$PICDAY_PASSWORD\"\n"), 0o755))
		w.must(os.Rename(path+".new", path))
	}
	return path
}

func run(cmd *exec.Cmd) Out {
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text.String())
	}
	return Out{text.String(), err}
}

// NewKey makes a key pair, and returns the private file. The same name with .pub is the
// public key, with .ppk the private one for PuTTY (if puttygen is installed).
func (w *World) NewKey(name string) string {
	w.T.Helper()
	path := w.Dir + "/" + name
	w.must(keygen(path, name))
	if _, err := exec.LookPath("puttygen"); err == nil {
		out, err := exec.Command("puttygen", path, "-O", "private", "-o", path+".ppk").CombinedOutput()
		if err != nil {
			w.T.Fatalf("puttygen: %v: %s", err, out)
		}
	}
	return path
}

// Uploader is an account of this world, or a log-in of one, together with its secrets.
type Uploader struct {
	w    *World
	Name string
	Card Account // what account add printed
	Key  string
}

// AddAccount creates an account with a generated password and a key. Its name is word with
// something unique to the world. flags are more flags of account add.
func (w *World) AddAccount(word, layout string, flags ...string) *Uploader {
	w.T.Helper()
	u := &Uploader{w: w, Name: w.Name(word)}
	u.Key = w.NewKey(fmt.Sprintf("key%d-%s", w.clients.Add(1), word))
	args := append([]string{"account", "add", u.Name, "--layout", layout, "--key", u.Key + ".pub"}, flags...)
	w.JSON(&u.Card, args...)
	return u
}

// Known is an account that was made by other means than AddAccount, with its password.
func (w *World) Known(name, password string) *Uploader {
	u := &Uploader{w: w, Name: name}
	u.Card.Password = password
	return u
}

// AddLogin creates a log-in of the account with a generated password and a key. word is
// made unique to the world; more flags of account login add may follow.
func (u *Uploader) AddLogin(word string, flags ...string) *Uploader {
	u.w.T.Helper()
	l := &Uploader{w: u.w, Name: u.w.Name(word)}
	l.Key = u.w.NewKey(fmt.Sprintf("key%d-%s", u.w.clients.Add(1), word))
	u.w.JSON(&l.Card, append([]string{"account", "login", "add", u.Name, l.Name, "--key", l.Key + ".pub"}, flags...)...)
	return l
}

// Dir is the account's chroot on disk.
func (u *Uploader) Dir() string { return u.w.Uploads + "/" + u.Name }

// Symlink makes a symbolic link in the account's tree that belongs to the account, as a
// backup tool on the machine could. SFTP refuses to make one.
func (u *Uploader) Symlink(target, path string) error {
	u.w.T.Helper()
	c := u.w.Credential(u.Name)
	if err := os.Symlink(target, u.Dir()+path); err != nil {
		return err
	}
	return os.Lchown(u.Dir()+path, int(c.Uid), int(c.Gid))
}

// ByKey logs in with the key.
func (u *Uploader) ByKey() Login { return u.w.Login(u.Name, "", u.Key) }

// ByPassword logs in with the generated password.
func (u *Uploader) ByPassword() Login { return u.w.Login(u.Name, u.Card.Password, "") }

// AddUnixUser creates an ordinary Unix user that picday has nothing to do
// with, and returns a login by password.
func (w *World) AddUnixUser(word string) Login {
	w.T.Helper()
	name, home, password := w.Name(word), w.Dir+"/home-"+word, "correct horse"
	for _, args := range [][]string{
		{"useradd", "--create-home", "--home-dir", home, "--shell", "/bin/sh", name},
		{"sh", "-c", "echo '" + name + ":" + password + "' | chpasswd"},
	} {
		if out := run(exec.Command(args[0], args[1:]...)); out.Err != nil {
			w.T.Fatal(out.Err)
		}
	}
	return w.Login(name, password, "")
}

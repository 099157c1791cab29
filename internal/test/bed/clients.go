package bed

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// Client is one SFTP client as an uploader uses it. Remote paths are absolute in the SFTP
// view. A function is nil if the client cannot do that.
type Client struct {
	Name    string
	Program string // what has to be installed
	Package string // and the Debian package it comes in

	Put     func(l Login, local, remote string) Out // a new file, or over an old one
	PutTree func(l Login, dir, parent string) Out   // dir arrives as parent/base(dir)
	Resume  func(l Login, local, remote string) Out // continue an interrupted upload
	Rename  func(l Login, from, to string) Out
	Remove  func(l Login, remote string) Out
}

// Clients are the real programs that uploaders use. Those that have no command line, or no
// Debian package, are imitated with Wire.
func Clients() []Client {
	return []Client{
		openSSH, scp, psftp, lftp, curl, rclone, sshfs, winSCP, fileZilla, newRclone,
	}
}

// Tests that are not about clients use OpenSSH's sftp.
var OpenSSH = openSSH

var openSSH = Client{
	Name: "sftp", Program: "sftp", Package: "openssh-client",
	Put:     func(l Login, local, remote string) Out { return l.SFTP("put -p " + quote(local, remote)) },
	PutTree: func(l Login, dir, parent string) Out { return l.SFTP("put -r " + quote(dir, parent+"/")) },
	Resume:  func(l Login, local, remote string) Out { return l.SFTP("reput " + quote(local, remote)) },
	Rename:  func(l Login, from, to string) Out { return l.SFTP("rename " + quote(from, to)) },
	Remove:  func(l Login, remote string) Out { return l.SFTP("rm " + quote(remote)) },
}

// SFTP runs OpenSSH's sftp with a batch of commands. It ends at the first that fails.
func (l Login) SFTP(batch ...string) Out {
	// -b sets BatchMode, which forbids passwords. ssh uses the first value of an option.
	args := append(l.sshOptions(), "-o", "BatchMode=no", "-b", "-", "["+l.host()+"]")
	cmd := l.command("sftp", args...)
	cmd.Stdin = strings.NewReader(strings.Join(batch, "\n") + "\n")
	return run(cmd)
}

var scp = Client{
	Name: "scp", Program: "scp", Package: "openssh-client",
	Put:     func(l Login, local, remote string) Out { return l.SCP("-p", local, l.at(remote)) },
	PutTree: func(l Login, dir, parent string) Out { return l.SCP("-r", dir, l.at(parent+"/")) },
}

func (l Login) at(remote string) string { return "[" + l.host() + "]:" + remote }

// SCP runs scp; -O as the first argument is the old protocol.
func (l Login) SCP(args ...string) Out {
	return run(l.command("scp", append(l.sshOptions(), args...)...))
}

var psftp = Client{
	Name: "psftp", Program: "psftp", Package: "putty-tools",
	Put: func(l Login, local, remote string) Out { return l.psftp("put " + quote(local, remote)) },
	PutTree: func(l Login, dir, parent string) Out {
		return l.psftp("put -r " + quote(dir, parent+"/"+path.Base(dir)))
	},
	Resume: func(l Login, local, remote string) Out { return l.psftp("reput " + quote(local, remote)) },
	Rename: func(l Login, from, to string) Out { return l.psftp("mv " + quote(from, to)) },
	Remove: func(l Login, remote string) Out { return l.psftp("rm " + quote(remote)) },
}

func (l Login) psftp(batch string) Out {
	script := l.w.Local(fmt.Sprintf("psftp%d", l.w.clients.Add(1)), []byte(batch+"\n"))
	args := []string{"-batch", "-hostkey", "SHA256:" + hostKeyHash(base64.RawStdEncoding), "-P", strconv.Itoa(l.Port), "-l", l.User, "-b", script}
	if l.Key != "" {
		args = append(args, "-i", l.Key+".ppk")
	} else {
		args = append(args, "-pw", l.Password)
	}
	return run(l.command("psftp", append(args, l.host())...))
}

var lftp = Client{
	Name: "lftp", Program: "lftp", Package: "lftp",
	Put: func(l Login, local, remote string) Out { return l.lftp("put " + quote(local) + " -o " + quote(remote)) },
	PutTree: func(l Login, dir, parent string) Out {
		return l.lftp("mirror -R " + quote(dir, parent+"/"+path.Base(dir)))
	},
	Resume: func(l Login, local, remote string) Out {
		return l.lftp("put -c " + quote(local) + " -o " + quote(remote))
	},
	Rename: func(l Login, from, to string) Out { return l.lftp("mv " + quote(from, to)) },
	Remove: func(l Login, remote string) Out { return l.lftp("rm " + quote(remote)) },
}

func (l Login) lftp(commands string) Out {
	var ssh []string
	for _, o := range append([]string{"ssh", "-a", "-x"}, l.sshOptions()...) {
		ssh = append(ssh, "'"+o+"'")
	}
	password := l.Password
	if l.Key != "" {
		password = "none"
	}
	script := fmt.Sprintf("set cmd:fail-exit yes; set net:max-retries 1; set net:reconnect-interval-base 1; set net:timeout 30; set sftp:connect-program \"%s\"; open -u %s -p %d sftp://%s; %s; bye",
		strings.Join(ssh, " "), quote(l.User+","+password), l.Port, l.host(), commands)
	cmd := l.command("lftp", "--norc", "-c", script)
	// lftp answers the prompt itself, on a terminal that it makes for ssh.
	cmd.Env = append(cmd.Env, "SSH_ASKPASS_REQUIRE=never")
	return run(cmd)
}

var curl = Client{
	Name: "curl", Program: "curl", Package: "curl",
	Put: func(l Login, local, remote string) Out { return l.curl("-T", local, l.url(remote)) },
	PutTree: func(l Login, dir, parent string) Out {
		var args []string
		_ = filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				rel, _ := filepath.Rel(filepath.Dir(dir), file)
				args = append(args, "-T", file, l.url(parent+"/"+rel))
			}
			return err
		})
		return l.curl(append(args, "--ftp-create-dirs")...)
	},
	Resume: func(l Login, local, remote string) Out { return l.curl("-C", "-", "-T", local, l.url(remote)) },
	Rename: func(l Login, from, to string) Out { return l.curl("-Q", "rename "+quote(from, to), l.url("/")) },
	Remove: func(l Login, remote string) Out { return l.curl("-Q", "rm "+quote(remote), l.url("/")) },
}

func (l Login) curl(args ...string) Out {
	user := []string{"-sS", "--hostpubsha256", hostKeyHash(base64.StdEncoding), "-u", l.User + ":" + l.Password}
	if l.Key != "" {
		user = append(user, "--key", l.Key, "--pubkey", l.Key+".pub")
	}
	return run(l.command("curl", append(user, args...)...))
}

func (l Login) url(remote string) string {
	u := url.URL{Scheme: "sftp", Host: fmt.Sprintf("%s:%d", l.host(), l.Port), Path: remote}
	return u.String()
}

var rclone = Client{
	Name: "rclone", Program: "rclone", Package: "rclone",
	Put: func(l Login, local, remote string) Out { return l.rclone("copyto", local, "pic:"+remote) },
	PutTree: func(l Login, dir, parent string) Out {
		return l.rclone("copy", dir, "pic:"+parent+"/"+path.Base(dir))
	},
	Rename: func(l Login, from, to string) Out { return l.rclone("moveto", "pic:"+from, "pic:"+to) },
	Remove: func(l Login, remote string) Out { return l.rclone("deletefile", "pic:"+remote) },
}

func (l Login) rclone(args ...string) Out {
	cmd := l.command("rclone", append([]string{"--retries", "1", "--low-level-retries", "1"}, args...)...)
	set := func(key, value string) { cmd.Env = append(cmd.Env, "RCLONE_CONFIG_PIC_"+key+"="+value) }
	set("TYPE", "sftp")
	set("HOST", l.host())
	set("PORT", strconv.Itoa(l.Port))
	set("USER", l.User)
	set("KNOWN_HOSTS_FILE", l.w.knownHosts())
	set("SHELL_TYPE", "unix")
	set("DISABLE_HASHCHECK", "true")
	if l.Key != "" {
		set("KEY_FILE", l.Key)
	} else {
		obscured, err := exec.Command("rclone", "obscure", l.Password).Output()
		if err != nil {
			return Out{Err: err}
		}
		set("PASS", strings.TrimSpace(string(obscured)))
	}
	return run(cmd)
}

var sshfs = Client{
	Name: "sshfs", Program: "sshfs", Package: "sshfs",
	Put: func(l Login, local, remote string) Out {
		return l.sshfs(`cp --preserve=timestamps "$1" "$mnt$2"`, local, remote)
	},
	PutTree: func(l Login, dir, parent string) Out { return l.sshfs(`cp -r "$1" "$mnt$2/"`, dir, parent) },
	Rename:  func(l Login, from, to string) Out { return l.sshfs(`mv "$mnt$1" "$mnt$2"`, from, to) },
	Remove:  func(l Login, remote string) Out { return l.sshfs(`rm "$mnt$1"`, remote) },
}

// sshfs mounts the account's view, runs one shell command and unmounts.
func (l Login) sshfs(command string, args ...string) Out {
	mnt := fmt.Sprintf("%s/mnt%d", l.w.Dir, l.w.clients.Add(1))
	if err := os.Mkdir(mnt, 0o755); err != nil {
		return Out{Err: err}
	}
	ssh := "ssh " + strings.Join(l.sshOptions(), " ")
	script := `set -e
sshfs -o ssh_command="$ssh" "$target:/" "$mnt"
trap 'fusermount3 -u "$mnt"' EXIT
` + command
	cmd := l.command("sh", append([]string{"-c", script, "sshfs"}, args...)...)
	cmd.Env = append(cmd.Env, "ssh="+ssh, "mnt="+mnt, "target="+l.User+"@"+l.host())
	return run(cmd)
}

// quote quotes paths for the command lines of sftp, psftp, lftp and curl -Q.
func quote(words ...string) string {
	for i, word := range words {
		words[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
	}
	return strings.Join(words, " ")
}

// hostKeyHash returns the SHA-256 of the host key in a client's variant of base64.
func hostKeyHash(encoding *base64.Encoding) string {
	blob, _ := base64.StdEncoding.DecodeString(hostKeyFields()[1])
	sum := sha256.Sum256(blob)
	return encoding.EncodeToString(sum[:])
}

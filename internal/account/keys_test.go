package account

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"
)

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	sys(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", dir+"/short")
	sys(t, "ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", dir+"/rsa")
	sys(t, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", dir+"/ed")
	ed, _ := os.ReadFile(dir + "/ed.pub")
	private, _ := os.ReadFile(dir + "/ed")
	short, _ := os.ReadFile(dir + "/short.pub")
	rsa, _ := os.ReadFile(dir + "/rsa.pub")
	putty := sys(t, "ssh-keygen", "-e", "-f", dir+"/rsa.pub")
	blob := strings.Fields(string(ed))[1]

	raw, err := base64.StdEncoding.DecodeString(blob)
	must(t, err)

	text, err := keyText([][]byte{[]byte("\ufeff# mine\r\n\r\n" + strings.TrimSpace(string(ed)) + "\r\n"), ed, rsa, []byte(putty)})
	must(t, err)
	if n := strings.Count(string(text), "\n"); n != 2 || !strings.HasPrefix(string(text), "ssh-ed25519 "+blob) {
		t.Errorf("%s", text)
	}
	must(t, os.WriteFile(dir+"/all", text, 0o600))
	if n := strings.Count(sys(t, "ssh-keygen", "-l", "-f", dir+"/all"), "\n"); n != 2 {
		t.Error("OpenSSH does not see two keys")
	}
	for say, bad := range map[string]string{
		"private":     string(private),
		"private key": "PuTTY-User-Key-File-3: ssh-ed25519\n",
		"options":     `command="rm -rf /" ` + string(ed),
		"options be":  `restrict ssh-ed25519 ` + blob,
		"1024 bits":   string(short),
		"DSA":         "ssh-dss AAAAB3NzaC1kc3M= x",
		"certificate": "ssh-ed25519-cert-v01@openssh.com AAAA",
		"not a pub":   "hello",
		"damaged":     "ssh-ed25519 !" + blob[:40],
		"damaged: cu": "ssh-ed25519 " + blob[:40],
		"damaged: c":  "ssh-rsa " + blob,
		"damaged: co": "ssh-ed25519",
		"no key":      "# nothing\n",
		"not a p":     "---- BEGIN SSH2 PUBLIC KEY ----\n---- END SSH2 PUBLIC KEY ----\n",
		"damaged: ju": "ssh-ed25519 " + base64.StdEncoding.EncodeToString(append(raw, 0)),
		"damaged: li": "ssh-ed25519 " + blob[:40] + "\r" + blob[40:],
		"damaged: nl": "ssh-ed25519 " + blob[:40] + "\n" + blob[40:],
		"has options": "ssh-rsa ssh-ed25519 " + blob,
		"is a cert":   "\tssh-rsa-cert-v01@openssh.com\tAAAA",
		"damaged: sh": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAQA=",
	} {
		if _, err := keyText([][]byte{[]byte(bad)}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), strings.SplitN(say, ":", 2)[0]) {
			t.Errorf("%s: %v", say, err)
		}
	}
	many := func(n int) []byte {
		var all []byte
		for i := range n {
			public, err := ssh.NewPublicKey(ed25519.PublicKey(binary.BigEndian.AppendUint64(make([]byte, 24), uint64(i))))
			must(t, err)
			all = append(all, ssh.MarshalAuthorizedKey(public)...)
		}
		return all
	}
	if text, err := keyText([][]byte{many(maxKeys - 1), many(maxKeys)}); err != nil || strings.Count(string(text), "\n") != maxKeys {
		t.Errorf("%v", err)
	}
	if _, err := keyText([][]byte{many(maxKeys + 1)}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "at most 100") {
		t.Errorf("many: %v", err)
	}
	if text, err := keyText([][]byte{[]byte("ssh-ed25519 " + blob + " " + strings.Repeat("ä", 3<<10))}); err != nil || !utf8.Valid(text) || len(text) > 400 {
		t.Errorf("a long comment: %d, %v", len(text), err)
	}
	// Nothing of a line but the key and a printable comment gets into the file.
	text, err = keyText([][]byte{[]byte("ssh-ed25519\t" + blob + " a\rssh-rsa AAAA\x00\x1b[2J\u2028b\n")})
	if want := "ssh-ed25519 " + blob + " a ssh-rsa AAAA[2J b\n"; err != nil || string(text) != want {
		t.Errorf("%q, %v", text, err)
	}
}

func TestReadKeyFiles(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/key", []byte("ssh-ed25519 AAAA"), 0o600))
	must(t, os.WriteFile(dir+"/large", make([]byte, maxKeyFile+1), 0o600))
	keys, err := ReadKeyFiles([]string{dir + "/key", dir + "/key"})
	if err != nil || len(keys) != 2 || string(keys[1]) != "ssh-ed25519 AAAA" {
		t.Errorf("%q, %v", keys, err)
	}
	for _, bad := range []string{dir, dir + "/large", dir + "/none", "/dev/null"} {
		if _, err := ReadKeyFiles([]string{bad}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

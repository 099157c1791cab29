package account

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Keys lie outside the jail, root's, one file per account; sshd reads them
// with the user's rights. A disabled account's file has another name, which no
// account can have.
func (s *System) keyFile(name string) string { return filepath.Join(s.Config.SSHD.KeysDir, name) }

func (s *System) disabledKeyFile(name string) string { return s.keyFile(name) + ".disabled" }

var keyTypes = []string{
	"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
}

// keyText reads public key files and returns the account's key file: bare
// keys, no options, no duplicates; nil if there are none.
func (s *System) keyText(ctx context.Context, files [][]byte) ([]byte, error) {
	var blobs, lines []string
	for _, file := range files {
		found := 0
		for _, line := range keyLines(file) {
			key, comment, err := parseKey(line)
			if err != nil {
				return nil, err
			}
			found++
			if slices.Contains(blobs, key) {
				continue
			}
			if err := s.checkKey(ctx, key); err != nil {
				return nil, err
			}
			blobs = append(blobs, key)
			lines = append(lines, strings.TrimSpace(key+" "+comment)+"\n")
		}
		if found == 0 {
			return nil, invalid("a key file has no key in it: give the public key, usually the file that ends in .pub")
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	return []byte(strings.Join(lines, "")), nil
}

// keyLines returns the lines with keys. PuTTYgen's "Save public key" writes a
// format of its own, RFC 4716, which becomes one line here.
func keyLines(file []byte) []string {
	var out []string
	var body strings.Builder
	inside, header := false, false
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		switch {
		case strings.HasPrefix(line, "---- BEGIN SSH2 PUBLIC KEY"):
			inside = true
			body.Reset()
		case inside && strings.HasPrefix(line, "---- END"):
			inside = false
			out = append(out, blobType(body.String())+" "+body.String())
		case inside && (header || strings.Contains(line, ":")):
			header = strings.HasSuffix(line, `\`)
		case inside:
			body.WriteString(line)
		case line != "" && line[0] != '#':
			out = append(out, line)
		}
	}
	return out
}

// parseKey returns "type base64" and the comment of one line.
func parseKey(line string) (key, comment string, err error) {
	if strings.Contains(line, "PRIVATE KEY") || strings.HasPrefix(line, "PuTTY-User-Key-File") {
		return "", "", invalid("this is a private key, which nobody but its owner may have: give the public one (usually it ends in .pub), and have the owner make a new pair if this one was sent to you")
	}
	f := strings.Fields(line)
	shown := line[:min(len(line), 40)]
	switch {
	case f[0] == "ssh-dss":
		return "", "", invalid("the key %q is a DSA key, which OpenSSH refuses: make one with \"ssh-keygen -t ed25519\"", shown)
	case strings.Contains(f[0], "-cert-v01@"):
		return "", "", invalid("the key %q is a certificate: give the bare public key", shown)
	case !slices.Contains(keyTypes, f[0]):
		for _, t := range keyTypes {
			if slices.Contains(f, t) {
				return "", "", invalid("the key %q has options before it, which picday does not take: give the bare key, beginning with %s", shown, t)
			}
		}
		return "", "", invalid("the line %q is not a public key: it should begin like \"ssh-ed25519 AAAA\"", shown)
	case len(f) < 2 || blobType(f[1]) != f[0]:
		return "", "", invalid("the key %q is damaged: copy it again, as one line", shown)
	}
	comment = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.Join(f[2:], " "))
	return f[0] + " " + f[1], comment[:min(len(comment), 200)], nil
}

// blobType is the type that the key itself names, "" if it is damaged.
func blobType(b64 string) string {
	blob, err := base64.StdEncoding.DecodeString(b64)
	if err != nil || len(blob) < 4 {
		return ""
	}
	n := binary.BigEndian.Uint32(blob)
	if uint64(len(blob)) < 4+uint64(n) {
		return ""
	}
	return string(blob[4 : 4+n])
}

// checkKey lets OpenSSH have a look.
func (s *System) checkKey(ctx context.Context, key string) error {
	out, err := s.run(ctx, key+"\n", "ssh-keygen", "-l", "-f", "-")
	if err != nil {
		return invalid("OpenSSH does not accept the key %q: %v", key[:min(len(key), 40)], err)
	}
	bits, _, _ := strings.Cut(out, " ")
	if n, _ := strconv.Atoi(bits); strings.HasPrefix(key, "ssh-rsa ") && n < 2048 {
		return invalid("the RSA key has only %d bits: make one with \"ssh-keygen -t ed25519\"", n)
	}
	return nil
}

// keyStep makes the account's key file hold text, under the name that fits
// whether the account is open.
func (s *System) keyStep(name string, text []byte, open bool) step {
	path := s.keyFile(name)
	if !open {
		path = s.disabledKeyFile(name)
	}
	what := fmt.Sprintf("wrote %d key(s) of %s to %s", bytes.Count(text, []byte("\n")), name, path)
	if text == nil {
		what = fmt.Sprintf("removed the keys of %s", name)
	}
	return fileStep(what, path, text, 0o644)
}

// moveStep renames a key file; where both are, the moved one counts.
func moveStep(what, from, to string) step {
	var moved, replaced []byte
	return step{
		what: what,
		done: func(context.Context) (bool, error) {
			_, err := os.Lstat(from)
			return err != nil, ignoreMissing(err)
		},
		do: func(context.Context) (err error) {
			if replaced, err = readFile(to); err != nil {
				return err
			}
			if moved, err = readFile(from); err != nil {
				return err
			}
			if err := putFile(to, moved, 0o644); err != nil {
				return err
			}
			return putFile(from, nil, 0)
		},
		undo: func(context.Context) error {
			if moved == nil {
				return nil
			}
			if err := putFile(from, moved, 0o644); err != nil {
				return err
			}
			return putFile(to, replaced, 0o644)
		},
	}
}

package account

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"
)

// Key files are outside of the jail and belong to root, one for each account; sshd
// reads them with the user's rights. That of a disabled account has another name,
// which is no valid account name.
func (s *System) keyFile(name string) string { return filepath.Join(s.Config.SSHD.KeysDir, name) }

func (s *System) disabledKeyFile(name string) string { return s.keyFile(name) + ".disabled" }

// keyTypes are those that every supported OpenSSH takes for log-ins.
var keyTypes = []string{
	ssh.KeyAlgoED25519, ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
	ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
}

// maxKeyFile is far beyond any list of public keys.
const maxKeyFile = 1 << 20

// maxKeys is how many keys an account or a log-in may have: sshd reads all of them at each
// attempt to log in.
const maxKeys = 100

// ReadKeyFiles returns the contents of public key files, for Spec and SetKeys.
func ReadKeyFiles(names []string) (keys [][]byte, err error) {
	for _, name := range names {
		fi, err := os.Stat(name)
		if err != nil {
			return nil, invalid("key: %v", err)
		}
		if !fi.Mode().IsRegular() || fi.Size() > maxKeyFile {
			return nil, invalid("key: %s is not a public key file", name)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		keys = append(keys, data)
	}
	return keys, nil
}

// keyText reads public key files and returns the account's key file: bare
// keys, no options, no duplicates; nil if there are none.
func keyText(files [][]byte) ([]byte, error) {
	var keys, lines []string
	for _, file := range files {
		found := 0
		for _, line := range keyLines(file) {
			key, comment, err := parseKey(line)
			if err != nil {
				return nil, err
			}
			found++
			if slices.Contains(keys, key) {
				continue
			}
			keys = append(keys, key)
			lines = append(lines, strings.TrimSpace(key+" "+comment)+"\n")
		}
		if found == 0 {
			return nil, invalid("a key file has no key in it: give the public key, usually the file that ends in .pub")
		}
	}
	if len(lines) > maxKeys {
		return nil, invalid("these are %d keys, and at most %d are taken: give each person a log-in with keys of his own instead", len(lines), maxKeys)
	}
	if len(lines) == 0 {
		return nil, nil
	}
	return []byte(strings.Join(lines, "")), nil
}

// keyLines returns the lines with keys. PuTTYgen's "Save public key" writes RFC
// 4716, which becomes one line here.
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
			out = append(out, oneLine(body.String()))
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

// oneLine puts the type before a key in base64; a damaged key is returned as it is.
func oneLine(b64 string) string {
	blob, err := base64.StdEncoding.DecodeString(b64)
	if err != nil {
		return b64
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		return b64
	}
	return key.Type() + " " + b64
}

// parseKey returns "type base64" and the comment of one line.
func parseKey(line string) (text, comment string, err error) {
	if strings.Contains(line, "PRIVATE KEY") || strings.HasPrefix(line, "PuTTY-User-Key-File") {
		return "", "", invalid("this is a private key, which nobody but its owner may have: give the public one (usually it ends in .pub), and have the owner make a new pair if this one was sent to you")
	}
	shown := line[:min(len(line), 40)]
	// Go's base64 skips carriage returns, which OpenSSH takes for blanks.
	line = strings.Join(strings.Fields(line), " ")
	first, _, _ := strings.Cut(line, " ")
	switch {
	case first == "ssh-dss":
		return "", "", invalid("the key %q is a DSA key, which OpenSSH refuses: make one with \"ssh-keygen -t ed25519\"", shown)
	case strings.Contains(first, "-cert-v01@"):
		return "", "", invalid("the key %q is a certificate: give the bare public key", shown)
	}
	key, comment, options, _, err := ssh.ParseAuthorizedKey([]byte(line))
	switch {
	case err != nil && slices.Contains(keyTypes, first):
		return "", "", invalid("the key %q is damaged: copy it again, as one line", shown)
	case err == nil && len(options) > 0:
		return "", "", invalid("the key %q has options before it, which picday does not take: give the bare key, beginning with %s", shown, key.Type())
	case err != nil || !slices.Contains(keyTypes, key.Type()):
		return "", "", invalid("the line %q is not a public key: it should begin like \"ssh-ed25519 AAAA\"", shown)
	}
	if k, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := k.CryptoPublicKey().(*rsa.PublicKey); ok && r.N.BitLen() < 2048 {
			return "", "", invalid("the RSA key has only %d bits: make one with \"ssh-keygen -t ed25519\"", r.N.BitLen())
		}
	}
	comment = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, comment)
	// The line is written anew, so it has no bytes but those of the key and the
	// comment.
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), strings.ToValidUTF8(comment[:min(len(comment), 200)], ""), nil
}

// keyStep makes the account's key file hold text. Its name says whether the account
// is open.
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

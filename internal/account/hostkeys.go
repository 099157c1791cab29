package account

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"picday/store"
)

// HostKeys returns the host keys of sshd, best first, because clients settle on the
// first type they know. It needs root.
func (s *System) HostKeys(ctx context.Context) ([]store.HostKey, error) {
	e, err := s.effective(ctx, "root", from(sampleIPv4[0]))
	if err != nil {
		return nil, fmt.Errorf("ask sshd for its host keys: %w", err)
	}
	out := []store.HostKey{}
	for _, path := range e.values["hostkey"] {
		public, err := readFile(path + ".pub")
		if err != nil {
			return nil, fmt.Errorf("read host key: %w", err)
		}
		if public == nil {
			text, err := s.run(ctx, "", "ssh-keygen", "-y", "-P", "", "-f", path)
			if err != nil {
				continue // sshd itself skips host keys that it cannot load
			}
			public = []byte(text)
		}
		key, _, _, _, err := ssh.ParseAuthorizedKey(public)
		if err != nil {
			continue
		}
		out = append(out, store.HostKey{Type: key.Type(), SHA256: ssh.FingerprintSHA256(key)})
	}
	rank := func(k store.HostKey) int {
		return slices.IndexFunc([]string{"ssh-ed25519", "ecdsa-", "ssh-rsa", ""}, func(p string) bool { return strings.HasPrefix(k.Type, p) })
	}
	slices.SortStableFunc(out, func(a, b store.HostKey) int { return rank(a) - rank(b) })
	return out, nil
}

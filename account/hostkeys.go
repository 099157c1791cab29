package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"picday/store"
)

// HostKeys are sshd's, best first: clients settle on the first type they know.
// To ask sshd takes root.
func (s *System) HostKeys(ctx context.Context) ([]store.HostKey, error) {
	e, err := s.effective(ctx, "root", from(probes4[0]))
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
		f := strings.Fields(string(public))
		if len(f) < 2 {
			continue
		}
		blob, err := base64.StdEncoding.DecodeString(f[1])
		if err != nil {
			continue
		}
		sum := sha256.Sum256(blob)
		out = append(out, store.HostKey{Type: f[0], SHA256: "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:])})
	}
	rank := func(k store.HostKey) int {
		return slices.IndexFunc([]string{"ssh-ed25519", "ecdsa-", "ssh-rsa", ""}, func(p string) bool { return strings.HasPrefix(k.Type, p) })
	}
	slices.SortStableFunc(out, func(a, b store.HostKey) int { return rank(a) - rank(b) })
	return out, nil
}

package account

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"os"
	"slices"
	"strings"
)

// ask asks sshd about a user ("" = about its configuration alone). What it has answered to
// the same question is taken again while all that it read then is as it was: the
// configuration with what it includes, and the user's line and groups. A refusal is not
// kept.
func (s *System) ask(ctx context.Context, user string, args ...string) (string, error) {
	key, err := s.readBySSHD(user, args)
	if err != nil {
		return s.sshd(ctx, args...)
	}
	if text, known := s.answers[key]; known {
		return text, nil
	}
	text, err := s.sshd(ctx, args...)
	if err != nil {
		return "", err
	}
	if after, err := s.readBySSHD(user, args); err == nil && after == key {
		if s.answers == nil {
			s.answers = map[string]string{}
		}
		s.answers[key] = text
	}
	return text, nil
}

// readBySSHD is a hash of a question and of what sshd reads to answer it.
func (s *System) readBySSHD(user string, args []string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", args)
	r := blockReader{dropIn: s.Config.SSHD.DropIn, texts: h}
	if err := r.read(s.Config.SSHD.Config, 0); err != nil {
		return "", err
	}
	if user != "" {
		if err := writeUser(h, user); err != nil {
			return "", err
		}
	}
	return string(h.Sum(nil)), nil
}

// writeUser writes the user's line and the groups that it is in.
func writeUser(h hash.Hash, name string) error {
	u, err := lineOf(passwdFile, name, 7)
	if err != nil {
		return err
	}
	fmt.Fprintf(h, "%q\n", u)
	data, err := os.ReadFile(groupFile)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) > 3 && (u != nil && f[2] == u[3] || slices.Contains(strings.Split(f[3], ","), name)) {
			fmt.Fprintf(h, "%q\n", f[:3])
		}
	}
	return nil
}

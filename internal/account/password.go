package account

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// passwordLetters has no letters and digits that look alike on paper.
const passwordLetters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// NewPassword makes a password of 115 bits that can be read out.
func NewPassword() string {
	letters := make([]byte, 0, 20)
	for len(letters) < cap(letters) {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails
		for _, c := range b {
			// Reject what is left over, or the first letters would be more likely.
			if limit := 256 - 256%len(passwordLetters); int(c) < limit && len(letters) < cap(letters) {
				letters = append(letters, passwordLetters[int(c)%len(passwordLetters)])
			}
		}
	}
	var parts []string
	for part := range slices.Chunk(letters, 5) {
		parts = append(parts, string(part))
	}
	return strings.Join(parts, "-")
}

// ReadPassword reads the first line. Its end is not part of the password.
func ReadPassword(from io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(from, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", invalid("standard input is empty")
	}
	return line, nil
}

func validPassword(pw string) error {
	switch {
	case utf8.RuneCountInString(pw) < 8:
		return invalid("the password is shorter than 8 characters")
	case len(pw) > 256:
		return invalid("the password is longer than 256 bytes")
	case !utf8.ValidString(pw) || strings.ContainsFunc(pw, unicode.IsControl):
		return invalid("the password has control characters in it or is not UTF-8; many SFTP clients cannot send it")
	}
	return nil
}

// passwordStep sets a password, or with "" removes it. It sets a password also if it
// is the current one, which does no harm.
func (s *System) passwordStep(name, password string) step {
	what := fmt.Sprintf("set the password of %s", name)
	if password == "" {
		what = fmt.Sprintf("took the password of %s away", name)
	}
	var set bool
	var before string
	return step{
		what: what,
		satisfied: func(context.Context) (bool, error) {
			if password != "" {
				return set, nil
			}
			u, err := lookupUser(name)
			return u != nil && u.shadow != nil && !u.hasPassword(), err
		},
		do: func(ctx context.Context) error {
			u, err := lookupUser(name)
			if err != nil {
				return err
			}
			if u == nil || u.shadow == nil {
				return fmt.Errorf("set the password of %s: the Unix user is gone", name)
			}
			before = u.shadow.hash
			if password == "" {
				_, err = s.run(ctx, name+":*\n", "chpasswd", "--encrypted")
			} else {
				// On standard input, because every user can see arguments.
				_, err = s.run(ctx, name+":"+password+"\n", "chpasswd")
			}
			set = err == nil
			return wrap("set the password of "+name, err)
		},
		undo: func(ctx context.Context) error {
			u, err := lookupUser(name)
			if u == nil || err != nil || before == "" || u.shadow.hash == before {
				return err
			}
			_, err = s.run(ctx, name+":"+before+"\n", "chpasswd", "--encrypted")
			return wrap("put the old password of "+name+" back", err)
		},
	}
}

// hashStep sets a password of which only the hash is known.
func (s *System) hashStep(name, hash string) step {
	if hash == "" {
		return s.passwordStep(name, "")
	}
	var before string
	put := func(ctx context.Context, hash string) error {
		_, err := s.run(ctx, name+":"+hash+"\n", "chpasswd", "--encrypted")
		return wrap("put the password of "+name+" back", err)
	}
	return step{
		what: fmt.Sprintf("put the password of %s back", name),
		satisfied: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			return u != nil && u.shadow != nil && u.shadow.hash == hash, err
		},
		do: func(ctx context.Context) error {
			if u, err := lookupUser(name); err != nil {
				return err
			} else if u != nil && u.shadow != nil {
				before = u.shadow.hash
			}
			return put(ctx, hash)
		},
		undo: func(ctx context.Context) error {
			if u, err := lookupUser(name); u == nil || err != nil || before == "" || u.shadow.hash == before {
				return err
			}
			return put(ctx, before)
		},
	}
}

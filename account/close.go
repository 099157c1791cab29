package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"picday/store"
)

// closedFile is there from Close to Reopen. It holds the upload and the data
// directory, a line each, for whoever cleans up when picday is gone.
func (s *System) closedFile() string {
	return filepath.Join(filepath.Dir(s.Config.SSHD.KeysDir), ".closed")
}

// Close keeps every account out and then takes the drop-in away, so that
// picday can leave the machine: without the drop-in sshd would jail nobody.
// Every Unix user that picday made is closed, whatever the catalogue says.
func (s *System) Close(ctx context.Context) (done []string, err error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	names, err := OwnUsers()
	if err != nil {
		return nil, err
	}
	if err := s.onlyOurs(); err != nil {
		return nil, err
	}
	note := s.Config.UploadDir + "\n" + s.Config.DataDir + "\n"
	steps := []step{fileStep("noted in "+s.closedFile()+" that the accounts are closed", s.closedFile(), []byte(note), 0o644)}
	for _, name := range names {
		steps = append(steps, s.closeSteps(name)...)
	}
	return s.apply(ctx, append(steps, s.dropInGoneStep(), s.formerStep()))
}

// Reopen lets the accounts in again that Close closed and the catalogue has
// enabled. Without an earlier Close it does nothing: an admin may have closed
// a Unix user by other means.
func (s *System) Reopen(ctx context.Context, all []store.Account) (done []string, err error) {
	if !exists(s.closedFile()) {
		return nil, nil
	}
	for _, a := range all {
		if !a.Enabled {
			continue
		}
		did, eerr := s.Enable(ctx, a, all)
		done = append(done, did...)
		if errors.Is(eerr, ErrNoAccount) {
			continue // purged with the package; doctor says what to do
		}
		err = errors.Join(err, eerr)
	}
	if err != nil {
		return done, err
	}
	return done, putFile(s.closedFile(), nil, 0)
}

// OwnUsers are the Unix users that picday made for accounts, in the jail group or not.
func OwnUsers() (names []string, err error) {
	data, err := os.ReadFile(passwdFile)
	if err != nil {
		return nil, fmt.Errorf("read the machine's users: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		name, _, _ := strings.Cut(line, ":")
		if ValidName(name) != nil {
			continue
		}
		u, err := lookupUser(name)
		if err != nil {
			return nil, err
		}
		if u != nil && u.ours() {
			names = append(names, name)
		}
	}
	return names, nil
}

// onlyOurs refuses while somebody else's user is in the jail, which would be
// let out of it.
func (s *System) onlyOurs() error {
	g, err := lookupGroup(JailGroup)
	if g == nil || err != nil {
		return err
	}
	for _, name := range g.members {
		u, err := lookupUser(name)
		if err != nil {
			return err
		}
		if u == nil || !u.ours() {
			return refused("the user %s, which picday did not make, is in the group %s and would be let out of its jail: run \"gpasswd -d %[1]s %s\" first", name, JailGroup, JailGroup)
		}
	}
	return nil
}

// dropInGoneStep takes picday's lines out of sshd's configuration.
func (s *System) dropInGoneStep() step {
	var before []byte
	gone := false
	check := func(ctx context.Context) error {
		if !filepath.IsAbs(program("sshd")) {
			return nil // it was removed too
		}
		return s.testConfig(ctx)
	}
	return step{
		what: "removed " + s.Config.SSHD.DropIn + " and made sshd go without it",
		done: func(context.Context) (bool, error) {
			for _, path := range []string{s.Config.SSHD.DropIn, s.oldDropIn()} {
				if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
					return false, err
				}
			}
			return true, nil
		},
		do: func(ctx context.Context) (err error) {
			if err := s.settleDropIn(); err != nil {
				return err
			}
			if err := check(ctx); err != nil {
				return fmt.Errorf("sshd's configuration is broken already, so picday changes nothing: %w", err)
			}
			if before, err = readFile(s.Config.SSHD.DropIn); err != nil || before == nil {
				return err
			}
			err = s.swapDropIn(ctx, nil, func() error { return check(ctx) })
			gone = err == nil
			return err
		},
		undo: func(ctx context.Context) error {
			if !gone {
				return nil
			}
			return s.swapDropIn(ctx, before, func() error { return check(ctx) })
		},
	}
}

// former is the name that the drop-in had when others came before it.
const former = "50-picday.conf"

// formerStep takes away the drop-in of an earlier picday, whose allowlists
// would go on holding beside those of the present one.
func (s *System) formerStep() step {
	path := filepath.Join(filepath.Dir(s.Config.SSHD.DropIn), former)
	var before []byte
	take := func(ctx context.Context, text []byte) error {
		if err := putFile(path, text, 0o644); err != nil {
			return err
		}
		if !filepath.IsAbs(program("sshd")) {
			return nil
		}
		if err := s.testConfig(ctx); err != nil {
			return err
		}
		return s.reload(ctx)
	}
	return step{
		what: "removed " + path + ", which is now called " + s.Config.SSHD.DropIn,
		done: func(context.Context) (bool, error) {
			text, err := readFile(path)
			return path == s.Config.SSHD.DropIn || !bytes.HasPrefix(text, []byte(written)), err
		},
		do: func(ctx context.Context) (err error) {
			if before, err = readFile(path); err != nil {
				return err
			}
			return take(ctx, nil)
		},
		undo: func(ctx context.Context) error {
			if before == nil {
				return nil
			}
			return take(ctx, before)
		},
	}
}

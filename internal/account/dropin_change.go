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

// The drop-in is changed in these steps: keep the old text in another file, put the
// new one in its place, ask sshd, reload sshd, remove the old text. While the old
// text exists the new one is unproven, so a later run puts the old one back and
// begins anew. The name of the file for it must not end in .conf.
func (s *System) oldDropIn() string { return s.Config.SSHD.DropIn + ".old" }

// dropInStep makes the drop-in fit the accounts and sshd use it. leaving names an
// account whose allowlist may go; proof asks sshd what else must hold.
func (s *System) dropInStep(accounts []store.Account, leaving string, proof func(context.Context) error) step {
	var before []byte
	var changed bool
	want := func(current []byte) ([]byte, error) {
		all, err := entries(accounts)
		if err == nil {
			all, err = keepRestricted(all, current, leaving)
		}
		if err != nil {
			return nil, err
		}
		text := dropIn(s.Config, all)
		if !whole(s.Config, text) { // a bug in picday
			return nil, fmt.Errorf("picday would write into %s what it cannot read back, so it changes nothing", s.Config.SSHD.DropIn)
		}
		return text, nil
	}
	return step{
		what: "changed " + s.Config.SSHD.DropIn + ", checked it with sshd and made sshd go by it",
		satisfied: func(context.Context) (bool, error) {
			if old, err := readFile(s.oldDropIn()); old != nil || err != nil {
				return false, err
			}
			current, err := readFile(s.Config.SSHD.DropIn)
			if err != nil {
				return false, err
			}
			text, err := want(current)
			return bytes.Equal(current, text), err
		},
		do: func(ctx context.Context) (err error) {
			if err := s.recoverDropIn(); err != nil {
				return err
			}
			if before, err = readFile(s.Config.SSHD.DropIn); err != nil {
				return err
			}
			text, err := want(before)
			if err != nil {
				return err
			}
			if err := s.testConfig(ctx); err != nil {
				return fmt.Errorf("sshd's configuration is broken already, so picday changes nothing: %w", err)
			}
			var others map[string]string
			if before == nil || whole(s.Config, before) {
				// Otherwise it was edited, perhaps to the disadvantage of other
				// users.
				if others, err = s.effectiveForOthers(ctx); err != nil {
					return err
				}
			}
			err = s.replaceDropIn(ctx, text, func() error {
				if err := s.testConfig(ctx); err != nil {
					return fmt.Errorf("sshd does not accept %s: %w", s.Config.SSHD.DropIn, err)
				}
				if err := s.provenRead(ctx); err != nil {
					return err
				}
				if err := s.provenForOthers(ctx, others); err != nil {
					return err
				}
				if proof == nil {
					return nil
				}
				return proof(ctx)
			})
			changed = err == nil
			return err
		},
		undo: func(ctx context.Context) error {
			if !changed {
				return nil
			}
			return s.replaceDropIn(ctx, before, func() error { return s.testConfig(ctx) })
		},
	}
}

// recoverDropIn puts the old text back after a run that was killed.
func (s *System) recoverDropIn() error {
	old, err := readFile(s.oldDropIn())
	if old == nil || err != nil {
		return err
	}
	if len(old) == 0 { // there was no drop-in
		old = nil
	}
	if err := putFile(s.Config.SSHD.DropIn, old, 0o644); err != nil {
		return err
	}
	return putFile(s.oldDropIn(), nil, 0)
}

// replaceDropIn replaces the text. If that fails it puts everything back.
func (s *System) replaceDropIn(ctx context.Context, text []byte, check func() error) error {
	old, err := readFile(s.Config.SSHD.DropIn)
	if err != nil {
		return err
	}
	// An empty file means that there was no drop-in.
	if err := putFile(s.oldDropIn(), append([]byte{}, old...), 0o600); err != nil {
		return fmt.Errorf("keep the old drop-in: %w", err)
	}
	err = putFile(s.Config.SSHD.DropIn, text, 0o644)
	if err == nil {
		err = check()
	}
	reloaded := false
	if err == nil {
		reloaded = true
		err = s.reload(ctx)
	}
	if err == nil {
		return putFile(s.oldDropIn(), nil, 0)
	}
	if serr := s.recoverDropIn(); serr != nil {
		return fmt.Errorf("%w\nThe old drop-in could not be put back either (%w): copy %s to %s by hand before sshd is restarted", err, serr, s.oldDropIn(), s.Config.SSHD.DropIn)
	}
	if reloaded && s.testConfig(ctx) == nil {
		_ = s.reload(ctx) // it may have taken the new text in spite of its error
	}
	return err
}

func (s *System) reload(ctx context.Context) error {
	cmd := s.Config.SSHD.Reload
	if len(cmd) == 0 {
		return nil
	}
	_, err := s.run(ctx, "", cmd[0], cmd[1:]...)
	if err == nil {
		return nil
	}
	// In a chroot or an image being built, and where a socket starts sshd for
	// every connection, there is nothing to reload.
	if listens, lerr := sshdListens(); lerr == nil && !listens {
		return nil
	}
	return fmt.Errorf("sshd was not reloaded, so the change was taken back: %w; correct sshd.reload in picday's configuration (now %q)", err, strings.Join(cmd, " "))
}

// sshdListens tells whether an sshd waits for connections. It uses the configuration
// that it has read; one that is started later reads the new one.
func sshdListens() (bool, error) {
	root, err := os.Stat("/")
	if err != nil {
		return false, err
	}
	all, err := os.ReadDir("/proc")
	if err == nil && len(all) == 0 {
		err = errors.New("/proc is not mounted")
	}
	if err != nil {
		return false, err
	}
	for _, e := range all {
		dir := filepath.Join("/proc", e.Name())
		comm, _ := os.ReadFile(filepath.Join(dir, "comm"))
		// This is the title of the process that accepts connections; sessions have
		// others.
		title, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if strings.TrimSpace(string(comm)) != "sshd" || !bytes.Contains(title, []byte(" [listener] ")) {
			continue
		}
		// Skip an sshd outside of this chroot or container, whose configuration is
		// another one, and one that has just ended.
		fi, err := os.Stat(filepath.Join(dir, "root"))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(fi, root) || otherMounts(dir) {
			continue
		}
		return true, nil
	}
	return false, nil
}

// otherMounts tells whether a process is in another mount namespace.
func otherMounts(dir string) bool {
	own, err := os.Readlink("/proc/self/ns/mnt")
	theirs, terr := os.Readlink(filepath.Join(dir, "ns/mnt"))
	return err == nil && terr == nil && own != theirs
}

// dropInGoneStep takes picday's lines out of sshd's configuration.
func (s *System) dropInGoneStep() step {
	var before []byte
	gone := false
	check := func(ctx context.Context) error {
		if !filepath.IsAbs(program("sshd")) {
			return nil // sshd was removed too
		}
		return s.testConfig(ctx)
	}
	return step{
		what: "removed " + s.Config.SSHD.DropIn + " and made sshd go without it",
		satisfied: func(context.Context) (bool, error) {
			for _, path := range []string{s.Config.SSHD.DropIn, s.oldDropIn()} {
				if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
					return false, err
				}
			}
			return true, nil
		},
		do: func(ctx context.Context) (err error) {
			if err := s.recoverDropIn(); err != nil {
				return err
			}
			if err := check(ctx); err != nil {
				return fmt.Errorf("sshd's configuration is broken already, so picday changes nothing: %w", err)
			}
			if before, err = readFile(s.Config.SSHD.DropIn); err != nil || before == nil {
				return err
			}
			err = s.replaceDropIn(ctx, nil, func() error { return check(ctx) })
			gone = err == nil
			return err
		},
		undo: func(ctx context.Context) error {
			if !gone {
				return nil
			}
			return s.replaceDropIn(ctx, before, func() error { return check(ctx) })
		},
	}
}

// former is the name of the drop-in of earlier versions.
const former = "50-picday.conf"

// formerStep removes the drop-in of an earlier version, whose allowlists would hold
// in addition to those of the present one.
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
		satisfied: func(context.Context) (bool, error) {
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

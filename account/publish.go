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

// The drop-in changes like this: the old text is kept beside it, the new one
// is put in its place, sshd is asked, sshd is reloaded, the old text goes.
// While the old text lies there the new one is unproven: a later run puts the
// old one back and begins anew. Its name must not end in .conf.
func (s *System) oldDropIn() string { return s.Config.SSHD.DropIn + ".old" }

// dropInStep makes the drop-in fit the accounts, and sshd with it. leaving
// names an account whose allowlist may go; proof asks sshd what else must hold.
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
		if !whole(s.Config, text) { // a fault of picday's: root's configuration is no place to try it
			return nil, fmt.Errorf("picday would write into %s what it cannot read back, so it changes nothing", s.Config.SSHD.DropIn)
		}
		return text, nil
	}
	return step{
		what: "changed " + s.Config.SSHD.DropIn + ", checked it with sshd and made sshd go by it",
		done: func(context.Context) (bool, error) {
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
			if err := s.settleDropIn(); err != nil {
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
				// Else somebody has edited it, perhaps against others.
				if others, err = s.others(ctx); err != nil {
					return err
				}
			}
			err = s.swapDropIn(ctx, text, func() error {
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
			return s.swapDropIn(ctx, before, func() error { return s.testConfig(ctx) })
		},
	}
}

// settleDropIn puts the old text back after a run that was killed.
func (s *System) settleDropIn() error {
	old, err := readFile(s.oldDropIn())
	if old == nil || err != nil {
		return err
	}
	if len(old) == 0 { // there was none
		old = nil
	}
	if err := putFile(s.Config.SSHD.DropIn, old, 0o644); err != nil {
		return err
	}
	return putFile(s.oldDropIn(), nil, 0)
}

// swapDropIn replaces the text, or puts everything back.
func (s *System) swapDropIn(ctx context.Context, text []byte, check func() error) error {
	old, err := readFile(s.Config.SSHD.DropIn)
	if err != nil {
		return err
	}
	// An empty file stands for none.
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
	if serr := s.settleDropIn(); serr != nil {
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

// sshdListens tells whether an sshd waits for connections: it goes by the
// configuration that it has read, and one that starts later by the new one.
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
		// sshd calls itself so before it accepts anybody; its sessions do not.
		title, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if strings.TrimSpace(string(comm)) != "sshd" || !bytes.Contains(title, []byte(" [listener] ")) {
			continue
		}
		// One with another root is seen from a chroot, and not that of its
		// configuration; nor is one of another container. One that has just
		// ended listens no more.
		fi, err := os.Stat(filepath.Join(dir, "root"))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(fi, root) || otherMounts(dir) {
			continue
		}
		return true, nil
	}
	return false, nil
}

// otherMounts tells whether a process sees other file systems than we do.
func otherMounts(dir string) bool {
	own, err := os.Readlink("/proc/self/ns/mnt")
	theirs, terr := os.Readlink(filepath.Join(dir, "ns/mnt"))
	return err == nil && terr == nil && own != theirs
}

package account

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"picday/store"
)

// assert is a step that only asks: an earlier step has made it so, or it is an error.
func assert(check func(context.Context) error) step {
	return step{
		done: func(ctx context.Context) (bool, error) {
			err := check(ctx)
			return err == nil, err
		},
		do: func(context.Context) error { return nil },
	}
}

// Init creates what all accounts share. all are the accounts that exist; their
// allowlists are kept also without naming them, as long as their Unix users
// are there.
func (s *System) Init(ctx context.Context, all ...store.Account) (done []string, err error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	c := s.Config
	if err := s.testConfig(ctx); err != nil {
		return nil, fmt.Errorf("sshd's configuration is broken already, so picday changes nothing: %w", err)
	}
	steps := []step{s.groupStep(JailGroup), s.daemonStep()}
	for _, d := range []dir{
		// 0711: a login must pass, and need not see whose neighbour it is.
		{path: c.UploadDir, own: byRoot, mode: 0o711, lax: true},
		{path: c.DataDir, own: byDaemon, mode: 0o750},
		{path: c.SSHD.KeysDir, own: byRoot, mode: 0o755},
		{path: filepath.Dir(c.SSHD.DropIn), own: byRoot, mode: 0o755, lax: true},
	} {
		steps = append(steps, makeParents(d.path)...)
		// Through links: an admin may keep a directory on another disk.
		if real, err := filepath.EvalSymlinks(d.path); err == nil {
			d.path = real
		}
		steps = append(steps, dirStep("prepared "+d.path, d))
	}
	steps = append(steps,
		assert(func(context.Context) error { return rootOnly(c.UploadDir) }),
		assert(func(context.Context) error { return rootOnly(c.SSHD.KeysDir) }),
		s.dropInStep(all, "", nil),
		assert(s.provenRead), // also of a drop-in that was there
		s.formerStep())
	for _, a := range all {
		steps = append(steps, s.homeStep(a.Name))
	}
	if done, err = s.apply(ctx, steps); err != nil {
		return done, err
	}
	// Not a step: to take the jail back again would help nobody.
	return done, s.provenAll(ctx, all)
}

func byDaemon() (uid, gid int, err error) {
	u, err := lookupUser(DaemonUser)
	if err != nil {
		return 0, 0, err
	}
	if u == nil {
		return -1, -1, nil // not yet: an earlier step makes it
	}
	return u.uid, u.gid, nil
}

// ready tells whether Init has run.
func (s *System) ready() error {
	g, err := lookupGroup(JailGroup)
	if err != nil {
		return err
	}
	if g == nil {
		return fmt.Errorf("the Unix group %s is missing: run \"picday init\" first", JailGroup)
	}
	if err := rootOnly(s.Config.UploadDir); err != nil {
		return err
	}
	return rootOnly(s.Config.SSHD.KeysDir)
}

// Add creates an account and opens it. all are the accounts that exist. An Add
// that was killed is completed by the same Add.
func (s *System) Add(ctx context.Context, spec Spec, all []store.Account) (done []string, err error) {
	a := spec.Account
	if err := ValidName(a.Name); err != nil {
		return nil, err
	}
	if a.Layout != store.Jobs && a.Layout != store.Portraits {
		return nil, invalid("%q is no layout: use jobs or portraits", a.Layout)
	}
	if spec.Password != "" {
		if err := validPassword(spec.Password); err != nil {
			return nil, err
		}
	}
	keys, err := s.keyText(ctx, spec.Keys)
	if err != nil {
		return nil, err
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := s.ready(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(x store.Account) bool { return x.Name == a.Name }) {
		return nil, refused("the account %s exists already", a.Name)
	}
	if err := free(a.Name); err != nil {
		return nil, err
	}
	steps := []step{
		s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
		s.userStep(a, true),
	}
	// The files before the folders: whose folder it is tells whose files they were.
	steps = append(steps, s.takeOverStep(a))
	steps = append(steps, s.treeSteps(a)...)
	steps = append(steps,
		s.jailStep(a),
		s.passwordStep(a.Name, spec.Password),
		s.keyStep(a.Name, keys, true),
		fileStep("removed old keys of "+a.Name, s.disabledKeyFile(a.Name), nil, 0o644),
		s.openStep(a.Name, true))
	return s.apply(ctx, steps)
}

// change runs steps on an existing account.
func (s *System) change(ctx context.Context, a store.Account, plan func(*unixUser) ([]step, error)) ([]string, error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	u, err := mine(a.Name)
	if err != nil {
		return nil, err
	}
	steps, err := plan(u)
	if err != nil {
		return nil, err
	}
	return s.apply(ctx, steps)
}

// SetAllow replaces the allowlist by a.AllowFrom; none = from anywhere.
func (s *System) SetAllow(ctx context.Context, a store.Account, all []store.Account) (done []string, err error) {
	// The list that is replaced need not have been a list.
	a.Flaws = slices.DeleteFunc(slices.Clone(a.Flaws), func(f store.Flaw) bool { return f.Column == store.AllowFromColumn })
	done, err = s.change(ctx, a, func(*unixUser) ([]step, error) {
		return []step{
			s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
			s.jailStep(a),
		}, nil
	})
	if len(done) > 0 && len(a.AllowFrom) > 0 {
		done = append(done, fmt.Sprintf("sessions of %s that are open now go on; disable and enable the account to end them", a.Name))
	}
	return done, err
}

// SetPassword sets the password; "" takes it away.
func (s *System) SetPassword(ctx context.Context, a store.Account, password string) (done []string, err error) {
	if password != "" {
		if err := validPassword(password); err != nil {
			return nil, err
		}
	}
	return s.change(ctx, a, func(*unixUser) ([]step, error) {
		return []step{s.passwordStep(a.Name, password)}, nil
	})
}

// SetKeys replaces the account's keys; none takes them away.
func (s *System) SetKeys(ctx context.Context, a store.Account, keys [][]byte) (done []string, err error) {
	text, err := s.keyText(ctx, keys)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, a, func(u *unixUser) ([]step, error) {
		return []step{s.keyStep(a.Name, text, !u.closed())}, nil
	})
}

// closeSteps keep the account out and end its sessions. Expiry first: it
// stops new logins with the key and with the password alike.
func (s *System) closeSteps(name string) []step {
	return []step{
		s.openStep(name, false),
		moveStep("set the keys of "+name+" aside", s.keyFile(name), s.disabledKeyFile(name)),
		sessionsStep(name),
	}
}

// Disable keeps the account out until Enable, and ends its live sessions.
func (s *System) Disable(ctx context.Context, a store.Account) (done []string, err error) {
	return s.change(ctx, a, func(*unixUser) ([]step, error) { return s.closeSteps(a.Name), nil })
}

// Enable lets a disabled account in again, with its keys and password, once
// sshd has been seen to jail it.
func (s *System) Enable(ctx context.Context, a store.Account, all []store.Account) (done []string, err error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return s.change(ctx, a, func(*unixUser) ([]step, error) {
		steps := []step{
			s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
			s.userStep(a, false),
		}
		steps = append(steps, s.treeSteps(a)...)
		return append(steps,
			s.jailStep(a),
			moveStep("put the keys of "+a.Name+" back", s.disabledKeyFile(a.Name), s.keyFile(a.Name)),
			s.openStep(a.Name, true)), nil
	})
}

// Remove deletes the account: sessions, Unix user, keys and allowlist, in this
// order, and with files the upload tree. Without files the tree stays, and
// only root and the daemon can enter it.
func (s *System) Remove(ctx context.Context, a store.Account, all []store.Account, files bool) (done []string, err error) {
	if err := ValidName(a.Name); err != nil {
		return nil, err
	}
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	u, err := lookupUser(a.Name)
	if err != nil {
		return nil, err
	}
	if u != nil && !u.ours() {
		return nil, notOurs(a.Name)
	}
	trees := slices.DeleteFunc([]string{s.Base(a.Name), s.hiddenBase(a.Name)}, func(path string) bool { return !exists(path) })
	steps := s.closeSteps(a.Name)
	steps = append(steps,
		s.userGoneStep(a.Name),
		fileStep("deleted the keys of "+a.Name, s.disabledKeyFile(a.Name), nil, 0o644),
		// Not before the user is gone: for a moment it could log in from anywhere.
		s.dropInStep(without(sound(all), a.Name), a.Name, nil))
	for _, path := range trees {
		if files {
			if err := noMountsBelow(path); err != nil {
				return nil, err
			}
			steps = append(steps, s.removeTreeStep(path))
		} else {
			// The uid is free now, and a new Unix user who gets it would own
			// these files.
			steps = append(steps, dirStep("closed "+path+" to all but root", dir{path: path, own: byRoot, mode: 0o700}))
		}
	}
	done, err = s.apply(ctx, steps)
	if err == nil && !files && len(trees) > 0 && u != nil {
		done = append(done, fmt.Sprintf("the files in %s stay, with the number of the deleted user (uid %d); adding the account again takes them over", s.Base(a.Name), u.uid))
	}
	return done, err
}

// removeTreeStep deletes a tree below upload_dir, following no links.
func (s *System) removeTreeStep(path string) step {
	return step{
		what: "deleted " + path,
		done: func(context.Context) (bool, error) { return !exists(path), nil },
		do: func(context.Context) error {
			rel, err := filepath.Rel(s.Config.UploadDir, path)
			if err != nil {
				return err
			}
			root, err := os.OpenRoot(s.Config.UploadDir)
			if err != nil {
				return err
			}
			defer root.Close()
			if err := root.RemoveAll(rel); err != nil {
				return fmt.Errorf("delete %s: %w", path, err)
			}
			return syncDir(filepath.Dir(path))
		},
		final: true,
	}
}

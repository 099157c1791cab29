package account

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"picday/internal/durable"
	"picday/internal/layout"
	"picday/store"
)

// assert is a step that changes nothing: if check fails, so does the change.
func assert(check func(context.Context) error) step {
	return step{
		satisfied: func(ctx context.Context) (bool, error) {
			err := check(ctx)
			return err == nil, err
		},
		do: func(context.Context) error { return nil },
	}
}

// Init creates what all accounts share. all are the accounts of the catalogue. An
// allowlist in the drop-in is kept for every Unix user of picday's, also if its
// account is not among them.
func (s *System) Init(ctx context.Context, all ...store.Account) (report []string, err error) {
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
		// 0711: accounts must pass through it, and need not see each other's names.
		{path: c.UploadDir, own: byRoot, mode: 0o711, anyMode: true},
		{path: c.DataDir, own: byDaemon, mode: 0o750},
		{path: c.SSHD.KeysDir, own: byRoot, mode: 0o755},
		{path: filepath.Dir(c.SSHD.DropIn), own: byRoot, mode: 0o755, anyMode: true},
	} {
		steps = append(steps, makeParents(d.path)...)
		// Follow links: an admin may keep a directory on another disk.
		if real, err := filepath.EvalSymlinks(d.path); err == nil {
			d.path = real
		}
		steps = append(steps, dirStep("prepared "+d.path, d))
	}
	steps = append(steps,
		assert(func(context.Context) error { return rootOnly(c.UploadDir) }),
		assert(func(context.Context) error { return rootOnly(c.SSHD.KeysDir) }),
		s.dropInStep(all, "", nil),
		assert(s.provenRead), // also if the drop-in did not change
		s.formerStep())
	for _, a := range all {
		for _, e := range entrances(a) {
			steps = append(steps, s.homeStep(e.name))
		}
	}
	if report, err = s.apply(ctx, steps); err != nil {
		return report, err
	}
	// Not a step: taking back the jail would make it worse.
	return report, s.provenAll(ctx, all)
}

func byDaemon() (uid, gid int, err error) {
	u, err := lookupUser(DaemonUser)
	if err != nil {
		return 0, 0, err
	}
	if u == nil {
		return -1, -1, nil // an earlier step will make it
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

// Add creates an account and opens it. all are the accounts that exist. An Add that
// was killed is completed by the same Add.
func (s *System) Add(ctx context.Context, spec Spec, all []store.Account) (report []string, err error) {
	a := spec.Account
	if err := ValidName(a.Name); err != nil {
		return nil, err
	}
	if a.Layout != layout.Jobs && a.Layout != layout.Portraits {
		return nil, invalid("%q is no layout: use jobs or portraits", a.Layout)
	}
	if spec.Password != "" {
		if err := validPassword(spec.Password); err != nil {
			return nil, err
		}
	}
	keys, err := keyText(spec.Keys)
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
	if err := checkFree(own(a)); err != nil {
		return nil, err
	}
	steps := []step{
		s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
		s.userStep(a, true),
	}
	// takeOverStep decides by the owner of the folders, so it comes before treeSteps
	// changes that.
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

// change runs steps on an existing account or log-in.
func (s *System) change(ctx context.Context, name string, plan func(*unixUser) ([]step, error)) ([]string, error) {
	release, err := s.Lock(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	u, err := anyUser(name)
	if err != nil {
		return nil, err
	}
	steps, err := plan(u)
	if err != nil {
		return nil, err
	}
	return s.apply(ctx, steps)
}

// changeAccount runs steps on an existing account.
func (s *System) changeAccount(ctx context.Context, a store.Account, plan func() ([]step, error)) ([]string, error) {
	return s.change(ctx, a.Name, func(u *unixUser) ([]step, error) {
		if !u.ours() {
			return nil, notOurs(u)
		}
		return plan()
	})
}

// SetAllow replaces the allowlist by a.AllowFrom; none = from anywhere.
func (s *System) SetAllow(ctx context.Context, a store.Account, all []store.Account) (report []string, err error) {
	// The list that is replaced may have been damaged.
	a.Flaws = slices.DeleteFunc(slices.Clone(a.Flaws), func(f store.Flaw) bool { return f.Column == store.AllowFromColumn })
	report, err = s.changeAccount(ctx, a, func() ([]step, error) {
		return []step{
			s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
			s.jailStep(a),
		}, nil
	})
	if len(report) > 0 && len(a.AllowFrom) > 0 {
		report = append(report, fmt.Sprintf("sessions of %s that are open now go on; disable and enable the account to end them", a.Name))
	}
	return report, err
}

// SetPassword sets the password of an account or a log-in; "" takes it away.
func (s *System) SetPassword(ctx context.Context, name, password string) (report []string, err error) {
	if password != "" {
		if err := validPassword(password); err != nil {
			return nil, err
		}
	}
	return s.change(ctx, name, func(*unixUser) ([]step, error) {
		return []step{s.passwordStep(name, password)}, nil
	})
}

// SetKeys replaces the keys of an account or a log-in; none takes them away.
func (s *System) SetKeys(ctx context.Context, name string, keys [][]byte) (report []string, err error) {
	text, err := keyText(keys)
	if err != nil {
		return nil, err
	}
	return s.change(ctx, name, func(u *unixUser) ([]step, error) {
		return []step{s.keyStep(name, text, !u.closed())}, nil
	})
}

// closeSteps keep an account or a log-in out and end its sessions. Expiry comes first: it stops
// new log-ins by key and by password.
func (s *System) closeSteps(name string) []step {
	return []step{
		s.openStep(name, false),
		moveStep("set the keys of "+name+" aside", s.keyFile(name), s.disabledKeyFile(name)),
		sessionsStep(name),
	}
}

// closeAllSteps keep the account and its log-ins out, and end all their sessions: the
// account's last, because they are told from the others' by nothing.
func (s *System) closeAllSteps(account string) ([]step, error) {
	users, err := loginUsers(account)
	var steps []step
	for _, u := range users {
		steps = append(steps, s.closeSteps(u.name)...)
	}
	return append(steps, s.closeSteps(account)...), err
}

// Disable keeps the account and its log-ins out until Enable, and ends their live
// sessions.
func (s *System) Disable(ctx context.Context, a store.Account) (report []string, err error) {
	return s.changeAccount(ctx, a, func() ([]step, error) { return s.closeAllSteps(a.Name) })
}

// Enable lets a disabled account in again, with its keys and password, once sshd has
// been seen to jail it. With it come its log-ins, but those that have ended or have no
// Unix user.
func (s *System) Enable(ctx context.Context, a store.Account, all []store.Account) (report []string, err error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	return s.changeAccount(ctx, a, func() ([]step, error) {
		logins, err := s.stillOpen(a)
		if err != nil {
			return nil, err
		}
		steps := []step{
			s.dropInStep(with(all, a), "", func(ctx context.Context) error { return s.provenAllowlist(ctx, a) }),
			s.userStep(a, false),
		}
		for _, l := range logins {
			steps = append(steps, s.loginUserStep(a, l, false))
		}
		steps = append(steps, s.treeSteps(a)...)
		steps = append(steps, s.jailStep(a))
		for _, name := range append([]string{a.Name}, names(logins)...) {
			steps = append(steps,
				moveStep("put the keys of "+name+" back", s.disabledKeyFile(name), s.keyFile(name)),
				s.openStep(name, true))
		}
		return steps, nil
	})
}

// Remove deletes the sessions, the Unix users, the keys and the allowlist of an account
// and its log-ins, in this order, and with files the upload tree. Without files the tree
// stays, and only root and the daemon can enter it.
func (s *System) Remove(ctx context.Context, a store.Account, all []store.Account, files bool) (report []string, err error) {
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
		return nil, notOurs(u)
	}
	others, err := sound(all)
	if err != nil {
		return nil, err
	}
	logins, err := loginUsers(a.Name)
	if err != nil {
		return nil, err
	}
	trees := slices.DeleteFunc([]string{s.Base(a.Name), s.hiddenBase(a.Name)}, func(path string) bool { return !exists(path) })
	steps, err := s.closeAllSteps(a.Name)
	if err != nil {
		return nil, err
	}
	for _, l := range logins { // the user last, because it is by that that a next run finds it
		steps = append(steps, s.noKeysStep(l.name), s.loginGoneStep(l.name))
	}
	steps = append(steps,
		s.userGoneStep(a.Name),
		s.noKeysStep(a.Name),
		// Only after the user was deleted, or it could log in from anywhere
		// meanwhile.
		s.dropInStep(without(others, a.Name), a.Name, nil))
	for _, path := range trees {
		if files {
			if err := noMountsBelow(path); err != nil {
				return nil, err
			}
			steps = append(steps, s.removeTreeStep(path))
		} else {
			// The uid may be given to a new Unix user, who would own these files.
			steps = append(steps, dirStep("closed "+path+" to all but root", dir{path: path, own: byRoot, mode: 0o700}))
		}
	}
	report, err = s.apply(ctx, steps)
	if err == nil && !files && len(trees) > 0 && u != nil {
		report = append(report, fmt.Sprintf("the files in %s stay, with the number of the deleted user (uid %d); adding the account again takes them over", s.Base(a.Name), u.uid))
	}
	return report, err
}

// removeTreeStep deletes a tree below upload_dir, following no links.
func (s *System) removeTreeStep(path string) step {
	return step{
		what:      "deleted " + path,
		satisfied: func(context.Context) (bool, error) { return !exists(path), nil },
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
			return durable.SyncDir(filepath.Dir(path))
		},
		final: true,
	}
}

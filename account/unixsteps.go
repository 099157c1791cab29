package account

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"picday/store"
)

// longAgo is an expiry in the past: PAM and sshd refuse the user whatever it
// shows, key or password. Locking the password alone would let keys in.
const longAgo = "1970-01-02"

// noHome is every account's home directory. There is no such directory, on the
// machine or in any jail: for whom the jail fails nothing is at home there, such
// as keys that somebody else may have put into a folder of the account's name.
const noHome = "/nonexistent"

// userStep creates the Unix user: closed, without a password, with every
// default of the machine's useradd and login.defs overridden. One that is
// there is mended; fresh says that one of which useradd made only half may be
// made anew, with another uid.
func (s *System) userStep(a store.Account, fresh bool) step {
	var existed, begun bool
	return step{
		what: fmt.Sprintf("created the Unix user %s, closed for now", a.Name),
		done: func(context.Context) (bool, error) {
			u, err := lookupUser(a.Name)
			if u == nil || err != nil {
				return false, err
			}
			if !u.ours() {
				return false, notOurs(a.Name)
			}
			return u.jailed && !u.ages() && u.home == noHome && u.comment == mark(a.Layout), nil
		},
		do: func(ctx context.Context) error {
			u, err := lookupUser(a.Name)
			if err != nil {
				return err
			}
			if existed = u != nil && !(fresh && u.halfMade()); existed {
				return s.mendUser(ctx, a)
			}
			begun = true
			if u != nil { // useradd was interrupted: begin anew
				if err := s.deleteUser(ctx, a.Name); err != nil {
					return err
				}
			}
			_, err = s.run(ctx, "", "useradd",
				"--no-create-home", "--home-dir", noHome, "--shell", nologin, "--no-log-init",
				"--user-group", "--groups", JailGroup, "--comment", mark(a.Layout),
				"--password", "*", "--expiredate", longAgo, "--inactive", "-1",
				"-K", "PASS_MAX_DAYS=-1", "-K", "PASS_MIN_DAYS=-1", "-K", "PASS_WARN_AGE=-1",
				"-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0", "-K", "MAIL_DIR=/nonexistent",
				a.Name)
			return wrap("create the Unix user "+a.Name, err)
		},
		undo: func(ctx context.Context) error {
			if existed || !begun {
				return nil
			}
			return s.deleteUser(ctx, a.Name)
		},
	}
}

// mendUser corrects what somebody changed about a user of ours.
func (s *System) mendUser(ctx context.Context, a store.Account) error {
	_, err := s.run(ctx, "", "usermod", "--home", noHome, "--shell", nologin, "--comment", mark(a.Layout),
		"--append", "--groups", JailGroup, a.Name)
	if err == nil {
		_, err = s.run(ctx, "", "chage", "--maxdays", "-1", "--mindays", "-1", "--warndays", "-1", "--inactive", "-1", a.Name)
	}
	return wrap("mend the Unix user "+a.Name, err)
}

// homeStep takes away the home directory of a user of ours that has one. While
// it has sessions usermod refuses; then another run does it.
func (s *System) homeStep(name string) step {
	return step{
		what: fmt.Sprintf("took the home directory of the Unix user %s away", name),
		done: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			if u == nil || err != nil || !u.ours() || u.home == noHome {
				return true, err
			}
			pids, err := sessions(name, u.uid)
			return len(pids) > 0, err
		},
		do: func(ctx context.Context) error {
			_, err := s.run(ctx, "", "usermod", "--home", noHome, name)
			return wrap("mend the Unix user "+name, err)
		},
	}
}

// deleteUser removes a user of ours and its group, whichever of them is left.
// Never with --remove: what the home field says may be anything.
func (s *System) deleteUser(ctx context.Context, name string) error {
	u, err := lookupUser(name)
	if err != nil {
		return err
	}
	gid := s.treeGroup(name)
	if u != nil {
		if !u.ours() {
			return notOurs(name)
		}
		gid = u.gid
		if _, err := s.run(ctx, "", "userdel", name); err != nil {
			return wrap("delete the Unix user "+name, err)
		}
	}
	// userdel takes the group along where login.defs says so.
	g, err := lookupGroup(name)
	if g == nil || err != nil || g.gid != gid {
		return err
	}
	_, err = s.run(ctx, "", "groupdel", name)
	return wrap("delete the Unix group "+name, err)
}

// treeGroup is the group of the account's chroot, 0 if there is none. It tells
// a group that a killed run left behind from somebody else's of that name.
func (s *System) treeGroup(name string) int {
	fi, err := os.Lstat(s.Base(name))
	if err != nil {
		return 0
	}
	_, gid := owner(fi)
	return gid
}

// userGoneStep deletes the user and its group.
func (s *System) userGoneStep(name string) step {
	return step{
		what: fmt.Sprintf("deleted the Unix user %s", name),
		done: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			if u != nil || err != nil {
				return false, err
			}
			g, err := lookupGroup(name)
			return g == nil || g.gid != s.treeGroup(name), err
		},
		do:    func(ctx context.Context) error { return s.deleteUser(ctx, name) },
		final: true,
	}
}

// openStep lets the account in, or (open == false) keeps it out.
func (s *System) openStep(name string, open bool) step {
	set := func(ctx context.Context, open bool) error {
		u, err := lookupUser(name)
		if u == nil || err != nil {
			return err // an earlier step's undo deletes it
		}
		date := longAgo
		if open {
			date = ""
		}
		_, err = s.run(ctx, "", "usermod", "--expiredate", date, name)
		return wrap("change the expiry of the Unix user "+name, err)
	}
	what := fmt.Sprintf("closed the Unix user %s: neither key nor password lets it in", name)
	if open {
		what = fmt.Sprintf("opened the Unix user %s", name)
	}
	return step{
		what: what,
		done: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			if err != nil {
				return false, err
			}
			if u == nil {
				return !open, nil
			}
			return u.closed() != open, nil
		},
		do:   func(ctx context.Context) error { return set(ctx, open) },
		undo: func(ctx context.Context) error { return set(ctx, !open) },
	}
}

// passwordStep sets a password, or with "" takes it away. Whether a given
// password is the current one is not asked: setting it again does no harm.
func (s *System) passwordStep(name, password string) step {
	what := fmt.Sprintf("set the password of %s", name)
	if password == "" {
		what = fmt.Sprintf("took the password of %s away", name)
	}
	var set bool
	var before string
	return step{
		what: what,
		done: func(context.Context) (bool, error) {
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
				// On standard input: arguments are visible to every user.
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

// groupStep creates a system group.
func (s *System) groupStep(name string) step {
	return step{
		what: fmt.Sprintf("created the Unix group %s", name),
		done: func(context.Context) (bool, error) {
			g, err := lookupGroup(name)
			return g != nil, err
		},
		do: func(ctx context.Context) error {
			_, err := s.run(ctx, "", "groupadd", "--system", name)
			return wrap("create the Unix group "+name, err)
		},
		undo: func(ctx context.Context) error {
			if g, err := lookupGroup(name); g == nil || err != nil {
				return err
			}
			_, err := s.run(ctx, "", "groupdel", name)
			return err
		},
	}
}

// daemonStep creates the user that picdayd runs as. A package may have made it.
func (s *System) daemonStep() step {
	return step{
		what: fmt.Sprintf("created the Unix user %s for the daemon", DaemonUser),
		done: func(context.Context) (bool, error) {
			u, err := lookupUser(DaemonUser)
			if u == nil || err != nil {
				return false, err
			}
			noShell := slices.Contains([]string{nologin, "/sbin/nologin", "/bin/false", "/usr/bin/false"}, u.shell)
			if u.uid == 0 || u.jailed || !noShell {
				return false, refused("the Unix user %s exists and is not fit for the daemon (uid %d, shell %s): it must be a system user without a login shell and outside the group %s",
					DaemonUser, u.uid, u.shell, JailGroup)
			}
			return true, nil
		},
		do: func(ctx context.Context) error {
			group := "--user-group"
			if g, err := lookupGroup(DaemonUser); err != nil {
				return err
			} else if g != nil {
				group = "--gid=" + DaemonUser
			}
			_, err := s.run(ctx, "", "useradd", "--system", group, "--no-create-home", "--home-dir", "/nonexistent",
				"--shell", nologin, "--no-log-init", "--comment", "picday daemon", "--password", "*", DaemonUser)
			return wrap("create the daemon's Unix user", err)
		},
		undo: func(ctx context.Context) error {
			if u, err := lookupUser(DaemonUser); u == nil || err != nil {
				return err
			}
			_, err := s.run(ctx, "", "userdel", DaemonUser)
			return err
		},
	}
}

// wrap says what was being done; an error stays an error, nil stays nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	if strings.Contains(err.Error(), "unable to lock") || strings.Contains(err.Error(), "cannot lock") {
		hint = " (another program is changing users: try again)"
	}
	return fmt.Errorf("%s: %w%s", doing, err, hint)
}

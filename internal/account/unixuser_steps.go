package account

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"picday/store"
)

// longAgo is an expiry date in the past, 1970-01-02: PAM and sshd then refuse keys and
// passwords alike. Locking the password alone would still let keys in. It is a number,
// because far east usermod would make of the date the day 0, which may mean none.
const longAgo = "1"

// noHome is every account's home directory. It does not exist, on the machine or in
// any jail. So if the jail ever failed, sshd would find no files there, such as keys
// that somebody else put into a folder of the account's name.
const noHome = "/nonexistent"

// userStep creates the Unix user: closed, without a password, and with no default of
// useradd and login.defs. An existing one is corrected; with fresh, one that useradd
// did not finish is made anew, with another uid.
func (s *System) userStep(a store.Account, fresh bool) step {
	var existed, begun bool
	return step{
		what: fmt.Sprintf("created the Unix user %s, closed for now", a.Name),
		satisfied: func(context.Context) (bool, error) {
			u, err := lookupUser(a.Name)
			if u == nil || err != nil {
				return false, err
			}
			if !u.ours() {
				return false, notOurs(u)
			}
			return u.jailed && !u.passwordExpires() && u.home == noHome && u.comment == mark(a.Layout), nil
		},
		do: func(ctx context.Context) error {
			u, err := lookupUser(a.Name)
			if err != nil {
				return err
			}
			if existed = u != nil && !(fresh && u.interrupted()); existed {
				return s.mendUser(ctx, a.Name, mark(a.Layout), nil, u)
			}
			begun = true
			if u != nil { // useradd was interrupted: begin anew
				if err := s.deleteUser(ctx, a.Name); err != nil {
					return err
				}
			}
			_, err = s.run(ctx, "", "useradd", append(s.useradd(mark(a.Layout)), a.Name)...)
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

// useradd returns the arguments that every new user gets, but its name.
func (s *System) useradd(comment string) []string {
	return []string{
		"--no-create-home", "--home-dir", noHome, "--shell", nologin, "--no-log-init",
		"--user-group", "--groups", JailGroup, "--comment", comment,
		"--password", "*", "--expiredate", longAgo, "--inactive", "-1",
		"-K", "PASS_MAX_DAYS=-1", "-K", "PASS_MIN_DAYS=-1", "-K", "PASS_WARN_AGE=-1",
		"-K", "SUB_UID_COUNT=0", "-K", "SUB_GID_COUNT=0", "-K", "MAIL_DIR=/nonexistent",
	}
}

// mendUser corrects what was changed about a user of ours. of, for a log-in, is the
// user of its account; u is the user as it was, nil for a new one.
func (s *System) mendUser(ctx context.Context, name, comment string, of, u *unixUser) error {
	groups, args := JailGroup, []string{}
	if u != nil {
		args = append(args, "--home", noHome, "--shell", nologin, "--comment", comment)
	}
	if of != nil {
		groups += "," + name
		args = append(args, "--gid", strconv.Itoa(of.gid))
		if u != nil && u.uid != of.uid {
			args = append(args, "--non-unique", "--uid", strconv.Itoa(of.uid))
		}
	}
	_, err := s.run(ctx, "", "usermod", append(args, "--append", "--groups", groups, name)...)
	if err == nil && u != nil {
		_, err = s.run(ctx, "", "chage", "--maxdays", "-1", "--mindays", "-1", "--warndays", "-1", "--inactive", "-1", name)
	}
	return wrap("mend the Unix user "+name, err)
}

// homeStep removes the home directory from a user of ours that has one. usermod
// refuses while it has sessions; then a later run does it.
func (s *System) homeStep(name string) step {
	return step{
		what: fmt.Sprintf("took the home directory of the Unix user %s away", name),
		satisfied: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			if u == nil || err != nil || !u.ours() && !u.isLogin() || u.home == noHome {
				return true, err
			}
			// All of the account's, as usermod counts them.
			pids, err := processes(holder{name: name, uid: u.uid})
			return len(pids) > 0, err
		},
		do: func(ctx context.Context) error {
			_, err := s.run(ctx, "", "usermod", "--home", noHome, name)
			return wrap("mend the Unix user "+name, err)
		},
	}
}

// deleteUser removes a user of ours and its group, or whichever of them is left.
// Never with --remove, because the home field may name any directory.
func (s *System) deleteUser(ctx context.Context, name string) error {
	u, err := lookupUser(name)
	if err != nil {
		return err
	}
	gid := s.treeGroup(name)
	if u != nil {
		if !u.ours() {
			return notOurs(u)
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

// treeGroup is the group of the account's chroot, 0 if there is none. It tells a
// group left by a killed run from another one of that name.
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
		satisfied: func(context.Context) (bool, error) {
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

// openStep lets the account or log-in in, or keeps it out (open == false).
func (s *System) openStep(name string, open bool) step {
	set := func(ctx context.Context, open bool) error {
		u, err := lookupUser(name)
		if u == nil || err != nil {
			return err // an earlier step's undo deletes it
		}
		date := longAgo
		if open {
			date = u.expireOn()
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
		satisfied: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			if err != nil {
				return false, err
			}
			if u == nil {
				return !open, nil
			}
			if open {
				return u.open(), nil
			}
			return u.closed(), nil
		},
		do:   func(ctx context.Context) error { return set(ctx, open) },
		undo: func(ctx context.Context) error { return set(ctx, !open) },
	}
}

// groupStep creates a system group.
func (s *System) groupStep(name string) step {
	return step{
		what: fmt.Sprintf("created the Unix group %s", name),
		satisfied: func(context.Context) (bool, error) {
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
		satisfied: func(context.Context) (bool, error) {
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

// wrap adds what was being done to an error; nil stays nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	if userFilesLocked(err) {
		hint = " (another program is changing users: try again)"
	}
	return fmt.Errorf("%s: %w%s", doing, err, hint)
}

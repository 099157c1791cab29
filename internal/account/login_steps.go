package account

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"picday/store"
)

// loginUserStep creates a log-in's Unix user, beside the account's: closed, without a
// password, with the account's uid and primary group, and in a group of its own. An
// existing one is corrected; with fresh, one that useradd did not finish is made anew.
func (s *System) loginUserStep(a store.Account, l store.Login, fresh bool) step {
	var existed, begun bool
	find := func() (u, of *unixUser, g *unixGroup, err error) {
		if of, err = ownUser(a.Name); err != nil {
			return nil, nil, nil, err
		}
		if u, err = lookupUser(l.Name); u == nil || err != nil {
			return nil, of, nil, err
		}
		if !u.isLoginOf(a.Name) {
			return nil, nil, nil, notOurs(u)
		}
		g, err = lookupGroup(l.Name)
		return u, of, g, err
	}
	return step{
		what: fmt.Sprintf("created the Unix user %s, a log-in of %s, closed for now", l.Name, a.Name),
		satisfied: func(context.Context) (bool, error) {
			u, of, g, err := find()
			if u == nil || err != nil {
				return false, err
			}
			return u.jailed && !u.passwordExpires() && u.home == noHome && u.comment == markOf(a, l) &&
				u.uid == of.uid && u.gid == of.gid && g != nil && slices.Contains(g.members, l.Name), nil
		},
		do: func(ctx context.Context) error {
			u, of, g, err := find()
			if err != nil {
				return err
			}
			if existed = u != nil && !(fresh && u.interrupted()); !existed {
				begun = true
				if u != nil { // useradd was interrupted: begin anew
					if err := s.deleteLogin(ctx, l.Name); err != nil {
						return err
					}
				}
				// useradd makes the group of its own only as the primary one.
				args := append(s.useradd(markOf(a, l)), "--non-unique", "--uid", strconv.Itoa(of.uid), l.Name)
				if _, err := s.run(ctx, "", "useradd", args...); err != nil {
					return wrap("create the Unix user "+l.Name, err)
				}
			} else if g == nil {
				if err := s.ownGroup(ctx, l.Name); err != nil {
					return err
				}
			}
			return s.mendUser(ctx, l.Name, markOf(a, l), of, u)
		},
		undo: func(ctx context.Context) error {
			if existed || !begun {
				return nil
			}
			return s.deleteLogin(ctx, l.Name)
		},
	}
}

// lastDayStep writes a log-in's last day where only root does, and with open as its
// expiry, so that no moment lets it in for longer than the later of both days.
func (s *System) lastDayStep(a store.Account, l store.Login, open bool) step {
	what := fmt.Sprintf("the last day of the log-in %s is %s", l.Name, l.Until)
	if l.Until.IsZero() {
		what = fmt.Sprintf("the log-in %s has no last day any more", l.Name)
	}
	var before *unixUser
	set := func(ctx context.Context, comment, expire string) error {
		args := []string{"--comment", comment}
		if open {
			args = append(args, "--expiredate", expire)
		}
		_, err := s.run(ctx, "", "usermod", append(args, l.Name)...)
		return wrap("change the last day of the Unix user "+l.Name, err)
	}
	return step{
		what: what,
		satisfied: func(context.Context) (bool, error) {
			u, err := lookupUser(l.Name)
			return u != nil && u.comment == markOf(a, l) && (!open || u.open()), err
		},
		do: func(ctx context.Context) (err error) {
			if before, err = lookupUser(l.Name); before == nil || err != nil {
				return err
			}
			after := unixUser{login: readLoginMark(markOf(a, l))}
			return set(ctx, markOf(a, l), after.expireOn())
		},
		undo: func(ctx context.Context) error {
			if before == nil {
				return nil
			}
			return set(ctx, before.comment, before.shadow.expireOn)
		},
	}
}

// deleteLogin removes a log-in's Unix user, after its group: as long as the user is
// there, everybody sees whose the group is.
func (s *System) deleteLogin(ctx context.Context, name string) error {
	u, err := lookupUser(name)
	if u == nil || err != nil {
		return err
	}
	if !u.isLogin() {
		return notOurs(u)
	}
	g, err := lookupGroup(name)
	if err != nil {
		return err
	}
	if g != nil {
		if u.gid == g.gid { // the making of it was interrupted
			if _, err := s.run(ctx, "", "usermod", "--gid", JailGroup, name); err != nil {
				return wrap("delete the Unix group "+name, err)
			}
		}
		if _, err := s.run(ctx, "", "groupdel", name); err != nil {
			return wrap("delete the Unix group "+name, err)
		}
	}
	// By force, because userdel takes the sessions of the account's other log-ins for
	// this one's: they have the same uid. It deletes no files.
	_, err = s.run(ctx, "", "userdel", "--force", name)
	return wrap("delete the Unix user "+name, err)
}

// loginGoneStep deletes a log-in's user and group.
func (s *System) loginGoneStep(name string) step {
	return step{
		what: fmt.Sprintf("deleted the Unix user %s", name),
		satisfied: func(context.Context) (bool, error) {
			u, err := lookupUser(name)
			return u == nil, err
		},
		do: func(ctx context.Context) error { return s.deleteLogin(ctx, name) },
		// Of a user that is still there, so that its sessions can be told apart again.
		undo:  func(ctx context.Context) error { return s.ownGroup(ctx, name) },
		final: true,
	}
}

// ownGroup makes the group of its own that a log-in's user has lost.
func (s *System) ownGroup(ctx context.Context, name string) error {
	u, err := lookupUser(name)
	if u == nil || err != nil {
		return err
	}
	if g, err := lookupGroup(name); err != nil {
		return err
	} else if g == nil {
		if _, err := s.run(ctx, "", "groupadd", name); err != nil {
			return wrap("create the Unix group "+name, err)
		}
	}
	_, err = s.run(ctx, "", "usermod", "--append", "--groups", name, name)
	return wrap("mend the Unix user "+name, err)
}

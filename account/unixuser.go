package account

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"picday/store"
)

// The machine's own files, not the name service: picday manages local users,
// and a user from a directory server must never be taken for one of them.
const (
	passwdFile = "/etc/passwd"
	shadowFile = "/etc/shadow"
	groupFile  = "/etc/group"

	nologin = "/usr/sbin/nologin"
	// markPrefix begins the comment field of every Unix user that picday made.
	markPrefix = "picday account ("
)

func mark(l store.Layout) string { return markPrefix + string(l) + ")" }

type unixUser struct {
	name     string
	uid, gid int
	comment  string
	home     string
	shell    string
	jailed   bool // member of the jail group
	shadow   *shadowEntry
}

type shadowEntry struct {
	hash                        string
	maxDays, inactive, expireOn string
}

type unixGroup struct {
	gid     int
	members []string
}

// lineOf returns the fields of the line of file that begins with name and a colon.
func lineOf(file, name string, fields int) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the machine's users: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if f[0] == name && len(f) >= fields {
			return f, nil
		}
	}
	return nil, nil
}

// lookupUser returns nil if the machine has no such local user.
func lookupUser(name string) (*unixUser, error) {
	f, err := lineOf(passwdFile, name, 7)
	if f == nil || err != nil {
		return nil, err
	}
	u := &unixUser{name: name, comment: f[4], home: f[5], shell: f[6]}
	if u.uid, err = strconv.Atoi(f[2]); err == nil {
		u.gid, err = strconv.Atoi(f[3])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the line of %s is damaged: %w", passwdFile, name, err)
	}
	g, err := lookupGroup(JailGroup)
	if err != nil {
		return nil, err
	}
	u.jailed = g != nil && slices.Contains(g.members, name)
	sh, err := lineOf(shadowFile, name, 8)
	if err != nil {
		return nil, err
	}
	if sh != nil {
		u.shadow = &shadowEntry{hash: sh[1], maxDays: sh[4], inactive: sh[6], expireOn: sh[7]}
	}
	return u, nil
}

// lookupGroup returns nil if the machine has no such local group.
func lookupGroup(name string) (*unixGroup, error) {
	f, err := lineOf(groupFile, name, 4)
	if f == nil || err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(f[2])
	if err != nil {
		return nil, fmt.Errorf("%s: the line of %s is damaged: %w", groupFile, name, err)
	}
	g := &unixGroup{gid: gid}
	if f[3] != "" {
		g.members = strings.Split(f[3], ",")
	}
	return g, nil
}

// ours tells whether picday made this user.
func (u *unixUser) ours() bool {
	return u.uid >= 100 && strings.HasPrefix(u.comment, markPrefix) && u.shell == nologin
}

// halfMade tells whether useradd was interrupted over this user: it is closed,
// has no password, and never came as far as the jail group.
func (u *unixUser) halfMade() bool {
	return !u.jailed && (u.shadow == nil || u.closed() && !u.hasPassword())
}

func (u *unixUser) closed() bool {
	return u.shadow != nil && u.shadow.expireOn != "" && u.shadow.expireOn != "-1"
}

func (u *unixUser) hasPassword() bool {
	return u.shadow != nil && strings.HasPrefix(u.shadow.hash, "$")
}

// ages tells whether sshd would one day demand a new password, which SFTP
// clients cannot give.
func (u *unixUser) ages() bool {
	return u.shadow == nil || u.shadow.maxDays != "" && u.shadow.maxDays != "-1"
}

// mine returns the account's Unix user and refuses anybody else's.
func mine(name string) (*unixUser, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	u, err := lookupUser(name)
	switch {
	case err != nil:
		return nil, err
	case u == nil:
		return nil, kindError{ErrNoAccount, fmt.Sprintf("the machine has no Unix user %s; if the account should exist, remove it and add it again", name)}
	case !u.ours():
		return nil, notOurs(name)
	}
	return u, nil
}

func notOurs(name string) error {
	return refused("the Unix user %s was not made by picday and is left alone; choose another account name", name)
}

// free tells whether an account of this name can be added: the name is unused,
// or an interrupted run of picday left it behind.
func free(name string) error {
	u, err := lookupUser(name)
	if err != nil {
		return err
	}
	if u != nil {
		// The mark alone could be anybody's text: a new account takes over
		// only what a run that was killed can have left.
		if !u.ours() || !u.jailed && !u.halfMade() {
			return notOurs(name)
		}
		return nil
	}
	if _, err := user.Lookup(name); err == nil {
		return refused("the machine knows a user %s from its name service; choose another account name", name)
	}
	g, err := lookupGroup(name)
	if err != nil {
		return err
	}
	if g != nil {
		return refused("the machine has a Unix group %s but no such user; choose another account name, or run \"groupdel %s\" if nothing needs the group", name, name)
	}
	return nil
}

package account

import (
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"picday/internal/layout"
)

// The local user database, not the name service: picday manages local users, and a
// user from a directory server must never be taken for one of them.
const (
	passwdFile = "/etc/passwd"
	shadowFile = "/etc/shadow"
	groupFile  = "/etc/group"

	nologin = "/usr/sbin/nologin"
	// markPrefix begins the comment field of every Unix user that picday made.
	markPrefix = "picday account ("
)

func mark(l layout.Kind) string { return markPrefix + string(l) + ")" }

type unixUser struct {
	name     string
	uid, gid int
	comment  string
	home     string
	shell    string
	login    *loginMark // if its comment says that it is a log-in
	jailed   bool       // member of the jail group
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
	u := &unixUser{name: name, comment: f[4], login: readLoginMark(f[4]), home: f[5], shell: f[6]}
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

// ours tells whether picday made this user for an account.
func (u *unixUser) ours() bool {
	return u.uid >= 100 && strings.HasPrefix(u.comment, markPrefix) && u.shell == nologin
}

// fits tells whether picday made this user for this entrance.
func (u *unixUser) fits(e entrance) bool {
	if e.login() {
		return u.isLoginOf(e.acct.Name)
	}
	return u.ours()
}

// interrupted tells whether useradd was interrupted while it made this user: it is
// closed, has no password, and is not in the jail group yet.
func (u *unixUser) interrupted() bool {
	return !u.jailed && (u.shadow == nil || u.closed() && !u.hasPassword())
}

// closed tells whether the user is kept out by a date of expiry. That of a log-in with
// a last day is later while it is open.
func (u *unixUser) closed() bool {
	if u.shadow == nil || u.shadow.expireOn == "" || u.shadow.expireOn == "-1" {
		return false
	}
	return !u.opensUntil()
}

// opensUntil tells whether the user expires as a log-in with a last day has to.
func (u *unixUser) opensUntil() bool {
	if u.login == nil || u.login.until.IsZero() || u.shadow == nil {
		return false
	}
	day, err := strconv.Atoi(u.shadow.expireOn)
	return err == nil && day > 1 && (day == u.login.until.Number()+1 || day == u.login.until.Number()+2)
}

// open tells whether the user is let in, and no longer than it should be.
func (u *unixUser) open() bool {
	if u.login != nil && !u.login.until.IsZero() {
		return u.opensUntil()
	}
	return u.shadow != nil && !u.closed()
}

// expireOn is the date of expiry of the open user, "" for none: the number of the day,
// because usermod takes a written date for one in the machine's zone. sshd refuses
// everybody on that day, as UTC has it, so it must not come before the last one is over
// on this machine. Without PAM sshd lets in for a day more.
func (u *unixUser) expireOn() string {
	if u.login == nil || u.login.until.IsZero() {
		return ""
	}
	const day = 24 * 60 * 60
	return strconv.FormatInt((u.login.until.End().Unix()+day-1)/day, 10)
}

func (u *unixUser) hasPassword() bool {
	return u.shadow != nil && strings.HasPrefix(u.shadow.hash, "$")
}

// passwordExpires tells whether sshd would one day demand a new password, which SFTP
// clients cannot give.
func (u *unixUser) passwordExpires() bool {
	return u.shadow == nil || u.shadow.maxDays != "" && u.shadow.maxDays != "-1"
}

// ownUser returns the account's Unix user, and refuses one that picday did not make.
func ownUser(name string) (*unixUser, error) {
	u, err := anyUser(name)
	if err == nil && !u.ours() {
		return nil, notOurs(u)
	}
	return u, err
}

// anyUser returns the Unix user of an account or a log-in.
func anyUser(name string) (*unixUser, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	u, err := lookupUser(name)
	switch {
	case err != nil:
		return nil, err
	case u == nil:
		return nil, kindError{ErrNoAccount, fmt.Sprintf("the machine has no Unix user %s; if the account should exist, remove it and add it again", name)}
	case !u.ours() && !u.isLogin():
		return nil, notOurs(u)
	}
	return u, nil
}

func notOurs(u *unixUser) error {
	if u.isLogin() {
		return refused("%s is a log-in of the account %s; choose another name", u.name, u.login.account)
	}
	if u.ours() && u.jailed {
		return refused("%s is an account of its own; choose another name", u.name)
	}
	return refused("the Unix user %s was not made by picday and is left alone; choose another account name", u.name)
}

// checkFree refuses a name under which no account or log-in can be added: it is in use,
// and not by an interrupted run of picday.
func checkFree(e entrance) error {
	name := e.name
	u, err := lookupUser(name)
	if err != nil {
		return err
	}
	if u != nil {
		// Anybody could have written the mark. A new account takes over only what a
		// killed run can have left.
		if !u.fits(e) || !u.jailed && !u.interrupted() {
			return notOurs(u)
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

// DaemonUID is the uid of picdayd's user.
func DaemonUID() (int, error) {
	u, err := lookupUser(DaemonUser)
	switch {
	case err != nil:
		return -1, err
	case u == nil:
		return -1, fmt.Errorf("there is no Unix user %s", DaemonUser)
	}
	return u.uid, nil
}

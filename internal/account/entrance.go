package account

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"picday/internal/localtime"
	"picday/store"
)

// An entrance is a name under which an account is entered: its own, or that of one of
// its log-ins. Each is a Unix user. Those of one account have the same uid and primary
// group, so to sshd, to the kernel and to picdayd they own the same files. Each has
// besides a group of its own name, which the kernel notes with every process of its
// sessions, and by which these are told from the others'.
type entrance struct {
	name string
	acct store.Account
}

// own is the entrance under the account's own name.
func own(a store.Account) entrance { return entrance{a.Name, a} }

// entrances are all that the catalogue knows of an account.
func entrances(a store.Account) []entrance {
	all := []entrance{own(a)}
	for _, l := range a.Logins {
		all = append(all, entrance{l.Name, a})
	}
	return all
}

// login is true for an entrance that is not the account's own.
func (e entrance) login() bool { return e.name != e.acct.Name }

// A loginMark is what the comment field of a log-in's Unix user says. Unlike the
// catalogue, nobody but root can write it.
type loginMark struct {
	account string
	until   localtime.Day
}

// loginMarkPrefix begins the comment field of every Unix user that is a log-in. The
// package's scripts look for it too.
const loginMarkPrefix = "picday login of "

func markOf(a store.Account, l store.Login) string {
	text := loginMarkPrefix + a.Name
	if !l.Until.IsZero() {
		text += " until " + l.Until.String()
	}
	return text
}

// readLoginMark returns nil for any other comment.
func readLoginMark(comment string) *loginMark {
	text, ours := strings.CutPrefix(comment, loginMarkPrefix)
	if !ours {
		return nil
	}
	name, day, limited := strings.Cut(text, " until ")
	m := &loginMark{account: name}
	if limited {
		var err error
		if m.until, err = localtime.ParseDay(day); err != nil {
			return nil
		}
	}
	if ValidName(name) != nil {
		return nil
	}
	return m
}

// ended tells whether the last day of the log-in is over.
func (m *loginMark) ended(now time.Time) bool { return store.Login{Until: m.until}.Ended(now) }

// isLogin tells whether the user is a log-in that picday made.
func (u *unixUser) isLogin() bool { return u.uid >= 100 && u.login != nil && u.shell == nologin }

// isLoginOf tells whether the user is a log-in of this account.
func (u *unixUser) isLoginOf(account string) bool { return u.isLogin() && u.login.account == account }

// comments returns the comment fields of all Unix users by name.
func comments() (map[string]string, error) {
	data, err := os.ReadFile(passwdFile)
	if err != nil {
		return nil, fmt.Errorf("read the machine's users: %w", err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(f) >= 7 {
			all[f[0]] = f[4]
		}
	}
	return all, nil
}

// loginUsers returns the Unix users that are log-ins of an account, or of any ("").
// Closing goes by them and not by the catalogue.
func loginUsers(account string) (users []*unixUser, err error) {
	all, err := comments()
	if err != nil {
		return nil, err
	}
	for name, comment := range all {
		if m := readLoginMark(comment); m == nil || account != "" && m.account != account || ValidName(name) != nil {
			continue
		}
		u, err := lookupUser(name)
		if err != nil {
			return nil, err
		}
		if u != nil && u.isLogin() {
			users = append(users, u)
		}
	}
	slices.SortFunc(users, func(x, y *unixUser) int { return strings.Compare(x.name, y.name) })
	return users, nil
}

// NoLogins tells whether this machine has no Unix user that is a log-in.
func NoLogins() (bool, error) {
	users, err := loginUsers("")
	return len(users) == 0, err
}

// misfits returns, by account, why its names cannot be what the catalogue says that
// they are: a name is there twice, or is another Unix user on this machine. Nothing of
// such an account may get into sshd's configuration, or one account would be entered by
// the log-in of another one.
func misfits(all []store.Account) (map[string]error, error) {
	comment, err := comments()
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, a := range all {
		for _, e := range entrances(a) {
			count[e.name]++
		}
	}
	bad := map[string]error{}
	const closing = ". Closing accounts still works; to go on, %s, and find out who wrote into the catalogue"
	for _, a := range all {
		if count[a.Name] > 1 || readLoginMark(comment[a.Name]) != nil {
			bad[a.Name] = refused("the catalogue says that %s is an account, and it is a log-in of one too"+closing, a.Name, "restore it from a backup")
		}
		for _, l := range a.Logins {
			have, exists := comment[l.Name]
			until := "never"
			if !l.Until.IsZero() {
				until = l.Until.String()
			}
			switch end := fmt.Sprintf("give it that day with \"picday account login until %s %s %s\", or end the log-in with \"picday account login remove %[1]s %[2]s\"", a.Name, l.Name, until); {
			case count[l.Name] > 1:
				bad[a.Name] = refused("the catalogue has %s, a log-in of %s, twice"+closing, l.Name, a.Name, "restore it from a backup")
			case exists && have != markOf(a, l):
				bad[a.Name] = refused("the catalogue says that %s is a %q, and on this machine it is not"+closing, l.Name, markOf(a, l), end)
			}
		}
	}
	return bad, nil
}

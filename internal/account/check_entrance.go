package account

import (
	"context"
	"fmt"
	"slices"
	"time"

	"picday/internal/shell"
	"picday/store"
)

// checkEntrance checks what an account's own Unix user and those of its log-ins have in
// common. open tells whether it should let somebody in, enable what mends it.
func (s *System) checkEntrance(ctx context.Context, f *findings, check string, e entrance, u *unixUser, open bool, enable string, r *askedClasses) {
	if u.passwordExpires() {
		f.fail(check, "its password expires, and SFTP clients cannot set a new one", enable)
	}
	if !u.jailed {
		f.fail(check, "its Unix user is not in the group "+JailGroup+", so sshd does not jail it", "gpasswd -a "+e.name+" "+JailGroup)
	}
	if u.home != noHome {
		f.fail(check, fmt.Sprintf("its Unix user has the home directory %q, which is somebody else's outside of the jail", u.home), "run \"picday init\" while it has no session")
	}
	proofs := []func(context.Context, entrance) error{s.provenAllowed}
	if u.jailed { // otherwise sshd does not jail it in any case
		proofs = append(proofs, func(ctx context.Context, e entrance) error { return s.provenIn(ctx, e, r) })
	}
	for _, proven := range proofs {
		if err := proven(ctx, e); err != nil {
			f.fail(check, err.Error(), "look for the file in sshd's configuration that says so, then run \"picday init\"")
		}
	}
	if u.jailed {
		s.checkMatchBlocks(ctx, f, check, e, r)
	}
	hasKeys := exists(s.keyFile(e.name))
	if open && !u.hasPassword() && !hasKeys {
		f.warn(check, "it has neither a password nor a key: nobody can log in", "run \"picday account passwd "+e.name+"\" or \"picday account key "+e.name+" FILE\"")
	}
}

// checkLogin checks a log-in; of is its account's Unix user.
func (s *System) checkLogin(ctx context.Context, f *findings, a store.Account, l store.Login, of *unixUser, enable string, r *askedClasses) {
	check := "log-in " + l.Name + " of " + a.Name
	anew := "picday account login remove " + a.Name + " " + l.Name + "; " + addLoginAgain(a, l)
	before := len(*f)
	u, err := lookupUser(l.Name)
	switch {
	case err != nil:
		f.fail(check, err.Error(), "look whether the machine's users can be read")
		return
	case u == nil:
		f.fail(check, "the machine has no Unix user "+l.Name+". Made anew it gets a new password and, if it had one, needs its key again", anew)
		return
	case !u.isLoginOf(a.Name): // and its comment is right, or misfits would have said so
		f.fail(check, "the shell of its Unix user was changed to "+u.shell+", so picday leaves it alone", "usermod -s "+nologin+" "+l.Name)
		return
	}
	now := time.Now()
	open := a.Enabled && !l.Ended(now)
	switch {
	case l.Ended(now.Add(-time.Hour)) && !u.closed():
		f.fail(check, "its last day, "+l.Until.String()+", is over, and it is not closed", "run \"picday account login expire\", and see that "+loginsTimer+" runs")
	case open && u.closed():
		f.fail(check, "its account is enabled but its Unix user is expired: it cannot log in", enable)
	case open && !u.open():
		f.fail(check, "its Unix user does not expire after its last day, "+l.Until.String(), enable)
	case !a.Enabled && !u.closed():
		f.fail(check, "its account is disabled but its Unix user is not expired: it can log in", "run \"picday account disable "+a.Name+"\"")
	}
	if u.uid != of.uid || u.gid != of.gid {
		f.fail(check, "its Unix user has another uid or group than "+a.Name+"'s, so it does not own the same files", enable)
	}
	if g, err := lookupGroup(l.Name); err == nil && (g == nil || !slices.Contains(g.members, l.Name)) {
		f.fail(check, "it is in no group of its own, by which its sessions are told from those of "+a.Name, enable)
	}
	s.checkEntrance(ctx, f, check, entrance{l.Name, a}, u, open, enable, r)
	if !open && u.closed() && exists(s.keyFile(l.Name)) {
		f.fail(check, "it is closed but its keys are in place", "run \"picday account login expire\", or disable the account again")
	}
	switch {
	case len(*f) > before:
	case open:
		f.ok(check, "jailed with "+a.Name+", and reachable as it should be")
	case a.Enabled:
		f.ok(check, "its last day was "+l.Until.String())
	default:
		f.ok(check, "closed with its account")
	}
}

// loginsTimer is the unit that ends log-ins on their last day.
const loginsTimer = "picday-logins.timer"

// checkTimer looks whether anything will end the log-ins that have a last day. Without
// systemd nobody can tell: it may be cron's work.
func (s *System) checkTimer(ctx context.Context, f *findings, accounts []store.Account) {
	limited := func(a store.Account) bool {
		return slices.ContainsFunc(a.Logins, func(l store.Login) bool { return !l.Until.IsZero() })
	}
	if !exists("/run/systemd/system") || !slices.ContainsFunc(accounts, limited) {
		return
	}
	if _, err := s.run(ctx, "", "systemctl", "is-active", loginsTimer); err != nil {
		f.warn("log-ins", loginsTimer+" does not run: when the last day of a log-in is over, sshd refuses it up to two days later, and its open sessions go on", "systemctl enable --now "+loginsTimer)
	}
}

// addLoginAgain returns the command that makes a known log-in anew.
func addLoginAgain(a store.Account, l store.Login) string {
	add := []string{"picday", "account", "login", "add", a.Name, l.Name}
	if !l.Until.IsZero() {
		add = append(add, "--until", l.Until.String())
	}
	return shell.Line(add...)
}

// checkMatchBlocks reports which Match blocks of the admin keep an entrance out that
// is jailed, and which could not be checked.
func (s *System) checkMatchBlocks(ctx context.Context, f *findings, check string, e entrance, r *askedClasses) {
	specs, unclear, class, err := s.connSpecsFor(e)
	if err != nil {
		f.fail(check, err.Error(), "look whether sshd's configuration can be read")
		return
	}
	class += fmt.Sprint(e.acct.AllowFrom)
	if r.admitted[class] {
		return
	}
	for _, b := range unclear {
		if !b.first { // otherwise provenIn has said so
			f.warn(check, fmt.Sprintf("%s could not be tried: %s", b, b.unclear), "see for yourself that it lets nobody in or out, or write it with User, Group, Host and Address")
		}
	}
	groups, err := e.groups()
	if err != nil {
		f.fail(check, err.Error(), "look whether the machine's groups can be read")
		return
	}
	for _, p := range specs {
		if p.addr != "" && !allowed(e.acct, p.addr) {
			continue
		}
		got, err := s.effective(ctx, e.name, p)
		if err != nil {
			f.fail(check, err.Error(), "look for what is wrong in sshd's configuration")
			return
		}
		if why := got.denies(e.name, groups, p); why != "" && !(p.addr == "" && len(e.acct.AllowFrom) > 0) {
			f.warn(check, fmt.Sprintf("it cannot log in from %s, because of \"%s\" (see %s)", p, why, p.block), "take it out of there, if that is not as it should be")
			return
		}
	}
	r.admitted[class] = len(unclear) == 0
}

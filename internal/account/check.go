package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"picday/internal/shell"
	"picday/store"
)

// A Finding is one check of doctor's.
type Finding struct {
	Check   string `json:"check"`
	Status  string `json:"status"` // ok, warn or fail
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

type findings []Finding

func (f *findings) ok(check, message string) {
	*f = append(*f, Finding{check, "ok", message, ""})
}

func (f *findings) warn(check, message, fix string) {
	*f = append(*f, Finding{check, "warn", message, fix})
}

func (f *findings) fail(check, message, fix string) {
	*f = append(*f, Finding{check, "fail", message, fix})
}

// Check looks at everything the package owns and changes nothing. It needs root.
// known is false if the catalogue cannot say what accounts there are; then nothing
// is said about any, because every one of them would look like a stranger.
func (s *System) Check(ctx context.Context, accounts []store.Account, known bool) []Finding {
	var f findings
	s.checkShared(&f)
	if s.checkSSHD(ctx, &f, accounts, known) && known {
		s.checkPenalties(ctx, &f, accounts)
		bad, err := misfits(accounts)
		if err != nil {
			f.fail("accounts", err.Error(), "look whether the machine's users can be read")
		}
		s.checkTimer(ctx, &f, accounts)
		r := newAskedClasses()
		for _, a := range accounts {
			if err := bad[a.Name]; err != nil && a.Flawed() == nil {
				f.fail("account "+a.Name, err.Error(), "do what the message says")
				continue
			}
			s.checkAccount(ctx, &f, a, r)
		}
	}
	if known {
		s.checkUnowned(&f, accounts)
	}
	return f
}

func (s *System) checkShared(f *findings) {
	const initFix = "run \"picday init\""
	if g, err := lookupGroup(JailGroup); err != nil || g == nil {
		f.fail("jail group", "the Unix group "+JailGroup+" is missing", initFix)
	} else {
		f.ok("jail group", JailGroup+" is there")
	}
	if u, err := lookupUser(DaemonUser); err != nil || u == nil {
		f.fail("daemon user", "the Unix user "+DaemonUser+" is missing", initFix)
	} else if u.uid == 0 || u.jailed {
		f.fail("daemon user", fmt.Sprintf("the Unix user %s has uid %d or is in the group %s", DaemonUser, u.uid, JailGroup), "make it a plain system user")
	} else {
		f.ok("daemon user", DaemonUser+" is there")
	}
	if exists(noHome) {
		f.fail("home", noHome+", which is the accounts' home directory because it does not exist, exists", "look what made it, perhaps pam_mkhomedir, and remove it")
	}
	for _, d := range []struct{ check, path string }{{"upload_dir", s.Config.UploadDir}, {"keys_dir", s.Config.SSHD.KeysDir}} {
		if err := rootOnly(d.path); err != nil {
			f.fail(d.check, err.Error(), "do what the message says, or "+initFix)
		} else {
			f.ok(d.check, d.path+" and all above it can be changed by root only")
		}
	}
	if cmd := s.Config.SSHD.Reload; len(cmd) == 0 {
		f.warn("reload", "sshd is not reloaded by picday: changes to allowlists wait until you do it", "set sshd.reload in the configuration")
	} else if _, err := exec.LookPath(program(cmd[0])); err != nil {
		f.fail("reload", fmt.Sprintf("the command to reload sshd, %q, is not there", cmd[0]), "correct sshd.reload in the configuration")
	}
}

// checkSSHD tells whether sshd can be asked about accounts.
func (s *System) checkSSHD(ctx context.Context, f *findings, accounts []store.Account, known bool) bool {
	const check = "sshd"
	if err := s.testConfig(ctx); err != nil {
		f.fail(check, "sshd does not accept its configuration: "+err.Error(), "correct it: sshd will not start again as it is")
		return false
	}
	read := s.provenRead(ctx)
	if known {
		s.checkDropIn(f, accounts, read)
	} else if read != nil {
		f.fail(check, read.Error(), "do what the message says, then \"picday init\"")
	}
	return read == nil
}

// checkDropIn compares the drop-in with what picday would write. read is the error
// of provenRead; it is reported after what is wrong with the file, which may be its
// cause.
func (s *System) checkDropIn(f *findings, accounts []store.Account, read error) {
	if old, _ := readFile(s.oldDropIn()); old != nil {
		f.fail("drop-in", "a change to "+s.Config.SSHD.DropIn+" was interrupted and is unproven", "run \"picday init\"")
		return
	}
	have, err := readFile(s.Config.SSHD.DropIn)
	var want []entry
	if err == nil { // damaged rows are reported with their accounts
		accounts, err = sound(accounts)
	}
	if err == nil {
		want, err = entries(accounts)
	}
	if err == nil {
		want, err = keepRestricted(want, have, "")
	}
	switch {
	case err != nil:
		f.fail("drop-in", err.Error(), "look whether "+s.Config.SSHD.DropIn+" and the Unix users can be read, then run \"picday init\"")
	case have == nil:
		f.fail("drop-in", s.Config.SSHD.DropIn+" is not there, so sshd jails no account", "run \"picday init\"")
	case !bytes.Equal(have, dropIn(s.Config, want)):
		f.fail("drop-in", s.Config.SSHD.DropIn+" is not what picday would write: it was edited, or the configuration or the accounts changed", "run \"picday init\"")
	case read != nil:
		f.fail("sshd", read.Error(), "do what the message says, then \"picday init\"")
	case !writableByRootOnly(s.Config.SSHD.DropIn):
		f.fail("drop-in", s.Config.SSHD.DropIn+" can be changed by others than root, and with it who is jailed",
			fmt.Sprintf("chown root:root %s; chmod 644 %[1]s", s.Config.SSHD.DropIn))
	default:
		f.ok("drop-in", "sshd reads "+s.Config.SSHD.DropIn+" and it is as it should be")
	}
}

// writableByRootOnly tells whether nobody but root can change a file.
func writableByRootOnly(name string) bool {
	fi, err := os.Stat(name)
	if err != nil {
		return false
	}
	uid, _ := owner(fi)
	return uid == 0 && fi.Mode().Perm()&0o022 == 0
}

func (s *System) checkAccount(ctx context.Context, f *findings, a store.Account, r *askedClasses) {
	check := "account " + a.Name
	enable := "run \"picday account enable " + a.Name + "\""
	if !a.Enabled {
		enable += ", then \"picday account disable " + a.Name + "\" again"
	}
	before := len(*f)
	if err := a.Flawed(); err != nil {
		if a.Name == "" {
			check = fmt.Sprintf("account number %d", a.ID)
		}
		f.fail(check, err.Error(), "do what the message says")
		return
	}
	u, err := ownUser(a.Name)
	if errors.Is(err, ErrNoAccount) {
		f.fail(check, "the machine has no Unix user "+a.Name+". Made anew it gets a new password and, if it had one, needs its key again; its photos stay", addAgain(a))
		return
	}
	if errors.Is(err, ErrRefused) { // another user has its name, or its user was changed
		message, fix := err.Error(), fmt.Sprintf("usermod -l OTHER %s; groupmod -n OTHER %[1]s; ", a.Name)+addAgain(a)
		if u, lerr := lookupUser(a.Name); lerr == nil && u != nil && u.uid >= 100 && strings.HasPrefix(u.comment, markPrefix) {
			message = "the shell of its Unix user was changed to " + u.shell + ", so picday leaves it alone"
			fix = "usermod -s " + nologin + " " + a.Name
		}
		f.fail(check, message, fix)
		return
	}
	if err != nil {
		f.fail(check, err.Error(), "look whether the machine's users can be read")
		return
	}
	for _, dir := range s.dirsOf(a) {
		if !exists(dir) {
			f.fail(check, dir+" is not there: nothing is taken in, and its photos stay as they are",
				"bring the folder back from where it went; only if its photos may end: picday account enable "+a.Name+" makes an empty one"+closeAgain(a))
			return
		}
	}
	if u.closed() == a.Enabled {
		if a.Enabled {
			f.fail(check, "the account is enabled but its Unix user is expired: it cannot log in", enable)
		} else {
			f.fail(check, "the account is disabled but its Unix user is not expired: it can log in", "run \"picday account disable "+a.Name+"\"")
		}
	}
	if err := rootOnly(s.Base(a.Name)); err != nil {
		f.fail(check, err.Error(), enable)
	} else {
		for _, st := range s.treeSteps(a) {
			if ok, err := st.satisfied(ctx); err != nil {
				f.fail(check, err.Error(), enable)
			} else if !ok {
				f.fail(check, "somebody has changed the owner or the mode of what picday has "+st.what, enable)
			}
		}
	}
	s.checkEntrance(ctx, f, check, own(a), u, a.Enabled, enable, r)
	if !a.Enabled && exists(s.keyFile(a.Name)) {
		f.fail(check, "the account is disabled but its keys are in place", "run \"picday account disable "+a.Name+"\"")
	}
	switch {
	case len(*f) > before:
	case a.Enabled:
		f.ok(check, "jailed, and reachable as it should be")
	default:
		f.ok(check, "disabled: jailed, and closed as it should be")
	}
	for _, l := range a.Logins {
		s.checkLogin(ctx, f, a, l, u, enable, r)
	}
}

// addAgain returns the commands that make the Unix user of a known account anew.
func addAgain(a store.Account) string {
	add := []string{"picday", "account", "add", a.Name, "--layout", string(a.Layout)}
	if a.IDPattern != "" {
		add = append(add, "--id-pattern", a.IDPattern)
	}
	for _, network := range a.AllowFrom {
		add = append(add, "--allow-from", network.String())
	}
	fix := "picday account remove " + a.Name + " --keep; " + shell.Line(add...)
	for _, l := range a.Logins {
		if !l.Ended(time.Now()) {
			fix += "; " + addLoginAgain(a, l)
		}
	}
	return fix + closeAgain(a)
}

// closeAgain returns what a fix that opens an account has to end with: if the
// account is disabled, a command that closes it.
func closeAgain(a store.Account) string {
	if a.Enabled {
		return ""
	}
	return "; picday account disable " + a.Name
}

// checkUnowned reports jailed Unix users and key files that belong to no account.
func (s *System) checkUnowned(f *findings, accounts []store.Account) {
	known := func(name string) bool {
		return slices.ContainsFunc(accounts, func(a store.Account) bool {
			return slices.ContainsFunc(entrances(a), func(e entrance) bool { return e.name == name })
		})
	}
	if g, err := lookupGroup(JailGroup); err == nil && g != nil {
		for _, name := range g.members {
			if !known(name) {
				f.warn("strays", fmt.Sprintf("the Unix user %s is in the group %s but is no account", name, JailGroup), s.unownedFix(name, len(accounts)))
			}
		}
	}
	entries, _ := os.ReadDir(s.Config.SSHD.KeysDir)
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".disabled")
		if ValidName(name) == nil && !known(name) {
			f.warn("strays", s.Config.SSHD.KeysDir+"/"+e.Name()+" are keys of no account", "delete the file")
		}
	}
}

// unownedFix says what to do about a Unix user of no account. If the catalogue knows
// no account at all, it is probably not the right catalogue.
func (s *System) unownedFix(name string, accounts int) string {
	if u, err := lookupUser(name); err == nil && u != nil && u.isLogin() {
		return fmt.Sprintf("run \"picday account login remove %s %s\"; if the account is gone too: gpasswd -d %[2]s %s; userdel -f %[2]s", u.login.account, name, JailGroup)
	}
	end := "userdel " + name
	if tree := s.Base(name); exists(tree) { // the uid may be given to another user later
		end = fmt.Sprintf("chown root:root %s; chmod 700 %[1]s; %s", tree, end)
	}
	stay := "\"gpasswd -d " + name + " " + JailGroup + "\""
	if u, err := lookupUser(name); err == nil && u != nil && u.ours() { // it has to stay jailed
		stay = "\"picday account add " + name + "\" with its layout"
	}
	fix := "if nobody needs it run \"" + end + "\", else " + stay
	if accounts == 0 {
		fix = fmt.Sprintf("first see that the right catalogue is in %s: it knows no account at all. Is its disk mounted? Is a backup to be restored? Then, %s", s.Config.DataDir, fix)
	}
	return fix
}

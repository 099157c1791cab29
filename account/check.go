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

	"picday/contract"
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
func (s *System) Check(ctx context.Context, accounts []store.Account) []Finding {
	var f findings
	s.checkShared(&f)
	if s.checkSSHD(ctx, &f, accounts) {
		for _, a := range accounts {
			s.checkAccount(ctx, &f, a)
		}
	}
	s.checkStrays(&f, accounts)
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

// checkSSHD tells whether there is any sense in asking sshd about accounts.
func (s *System) checkSSHD(ctx context.Context, f *findings, accounts []store.Account) bool {
	const check = "sshd"
	if err := s.testConfig(ctx); err != nil {
		f.fail(check, "sshd does not accept its configuration: "+err.Error(), "correct it: sshd will not start again as it is")
		return false
	}
	read := s.provenRead(ctx) // judged after the drop-in: without it, it cannot be read
	if old, _ := readFile(s.oldDropIn()); old != nil {
		f.fail("drop-in", "a change to "+s.Config.SSHD.DropIn+" was interrupted and is unproven", "run \"picday init\"")
		return read == nil
	}
	have, err := readFile(s.Config.SSHD.DropIn)
	if err == nil {
		accounts, err = keepRestricted(accounts, have, "")
	}
	switch {
	case err != nil:
		f.fail("drop-in", err.Error(), "look whether "+s.Config.SSHD.DropIn+" and the Unix users can be read, then run \"picday init\"")
	case have == nil:
		f.fail("drop-in", s.Config.SSHD.DropIn+" is not there, so sshd jails no account", "run \"picday init\"")
	case !bytes.Equal(have, dropIn(s.Config, accounts)):
		f.fail("drop-in", s.Config.SSHD.DropIn+" is not what picday would write: it was edited, or the configuration or the accounts changed", "run \"picday init\"")
	case read != nil:
		f.fail(check, read.Error(), "do what the message says, then \"picday init\"")
	case !onlyRoots(s.Config.SSHD.DropIn):
		f.fail("drop-in", s.Config.SSHD.DropIn+" can be changed by others than root, and with it who is jailed",
			fmt.Sprintf("chown root:root %s; chmod 644 %[1]s", s.Config.SSHD.DropIn))
	default:
		f.ok("drop-in", "sshd reads "+s.Config.SSHD.DropIn+" and it is as it should be")
	}
	return read == nil
}

// onlyRoots tells whether nobody but root can change a file.
func onlyRoots(name string) bool {
	fi, err := os.Stat(name)
	if err != nil {
		return false
	}
	uid, _ := owner(fi)
	return uid == 0 && fi.Mode().Perm()&0o022 == 0
}

func (s *System) checkAccount(ctx context.Context, f *findings, a store.Account) {
	check := "account " + a.Name
	enable := "run \"picday account enable " + a.Name + "\""
	before := len(*f)
	u, err := mine(a.Name)
	if errors.Is(err, ErrNoAccount) {
		f.fail(check, "the machine has no Unix user "+a.Name+". Made anew it gets a new password and, if it had one, needs its key again; its photos stay", addAgain(a))
		return
	}
	if err != nil {
		message, fix := err.Error(), "rename it with \"usermod -l NEWNAME "+a.Name+"\", then: "+addAgain(a)
		if u, lerr := lookupUser(a.Name); lerr == nil && u != nil && u.uid >= 100 && strings.HasPrefix(u.comment, markPrefix) {
			message = "the shell of its Unix user was changed to " + u.shell + ", so picday leaves it alone"
			fix = "usermod -s " + nologin + " " + a.Name
		}
		f.fail(check, message, fix)
		return
	}
	for _, dir := range s.dirsOf(a) {
		if !exists(dir) {
			f.fail(check, dir+" is not there: nothing is taken in, and its photos stay as they are",
				"bring the folder back from where it went; only if its photos may end: picday account enable "+a.Name+" makes an empty one")
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
	if u.ages() {
		f.fail(check, "its password expires, and SFTP clients cannot set a new one", enable)
	}
	if !u.jailed {
		f.fail(check, "its Unix user is not in the group "+JailGroup+", so sshd does not jail it", "gpasswd -a "+a.Name+" "+JailGroup)
	}
	if u.home != contract.StartDir(a) {
		f.fail(check, fmt.Sprintf("its Unix user was changed: the home directory is %q, so uploads start in the wrong place", u.home), enable)
	}
	if err := rootOnly(s.Base(a.Name)); err != nil {
		f.fail(check, err.Error(), enable)
	} else {
		for _, st := range s.treeSteps(a) {
			if ok, err := st.done(ctx); err != nil {
				f.fail(check, err.Error(), enable)
			} else if !ok {
				f.fail(check, "somebody has changed the owner or the mode of what picday has "+st.what, enable)
			}
		}
	}
	proofs := []func(context.Context, store.Account) error{s.provenAllowlist}
	if u.jailed { // else sshd cannot jail it, and no Match block is to blame
		proofs = append(proofs, s.provenJailed)
	}
	for _, proven := range proofs {
		if err := proven(ctx, a); err != nil {
			f.fail(check, err.Error(), "look for the file in sshd's configuration that says so, then run \"picday init\"")
		}
	}
	hasKeys := exists(s.keyFile(a.Name))
	if a.Enabled && !u.hasPassword() && !hasKeys {
		f.warn(check, "it has neither a password nor a key: nobody can log in", "run \"picday account passwd "+a.Name+"\" or \"picday account key "+a.Name+" FILE\"")
	}
	if !a.Enabled && hasKeys {
		f.fail(check, "the account is disabled but its keys are in place", "run \"picday account disable "+a.Name+"\"")
	}
	if len(*f) > before {
		return
	}
	if a.Enabled {
		f.ok(check, "jailed, and reachable as it should be")
	} else {
		f.ok(check, "disabled: jailed, and closed as it should be")
	}
}

// addAgain are the commands that make the Unix user of a known account anew.
func addAgain(a store.Account) string {
	again := fmt.Sprintf("picday account remove %s --keep; picday account add %[1]s --layout %s", a.Name, a.Layout)
	if a.IDPattern != "" {
		again += fmt.Sprintf(" --id-pattern '%s'", a.IDPattern)
	}
	for _, network := range a.AllowFrom {
		again += " --allow-from " + network
	}
	return again
}

// strayFix says what to do about a user of no account. Where the catalogue
// knows no account at all it is more likely that the catalogue is not there.
func (s *System) strayFix(name string, accounts int) string {
	end := "userdel " + name
	if tree := s.Base(name); exists(tree) { // his number is given to somebody else one day
		end = fmt.Sprintf("chown root:root %s; chmod 700 %[1]s; %s", tree, end)
	}
	fix := fmt.Sprintf("if nobody needs it run \"%s\", else \"gpasswd -d %s %s\"", end, name, JailGroup)
	if accounts == 0 {
		fix = fmt.Sprintf("first see that the right catalogue is in %s: it knows no account at all. Is its disk mounted? Is a backup to be restored? Then, %s", s.Config.DataDir, fix)
	}
	return fix
}

// Users are the Unix users on this machine that picday made for accounts.
func (s *System) Users() (names []string, err error) {
	g, err := lookupGroup(JailGroup)
	if err != nil || g == nil {
		return nil, err
	}
	for _, name := range g.members {
		u, err := lookupUser(name)
		if err != nil {
			return nil, err
		}
		if u != nil && u.ours() {
			names = append(names, name)
		}
	}
	return names, nil
}

// checkStrays looks for what belongs to no account.
func (s *System) checkStrays(f *findings, accounts []store.Account) {
	known := func(name string) bool {
		return slices.ContainsFunc(accounts, func(a store.Account) bool { return a.Name == name })
	}
	if g, err := lookupGroup(JailGroup); err == nil && g != nil {
		for _, name := range g.members {
			if !known(name) {
				f.warn("strays", fmt.Sprintf("the Unix user %s is in the group %s but is no account", name, JailGroup), s.strayFix(name, len(accounts)))
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

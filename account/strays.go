package account

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"picday/store"
)

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

// strayFix says what to do about a user of no account. Where the catalogue
// knows no account at all it is more likely that the catalogue is not there.
func (s *System) strayFix(name string, accounts int) string {
	end := "userdel " + name
	if tree := s.Base(name); exists(tree) { // his number is given to somebody else one day
		end = fmt.Sprintf("chown root:root %s; chmod 700 %[1]s; %s", tree, end)
	}
	stay := "\"gpasswd -d " + name + " " + JailGroup + "\""
	if u, err := lookupUser(name); err == nil && u != nil && u.ours() { // never out of its jail
		stay = "\"picday account add " + name + "\" with its layout"
	}
	fix := "if nobody needs it run \"" + end + "\", else " + stay
	if accounts == 0 {
		fix = fmt.Sprintf("first see that the right catalogue is in %s: it knows no account at all. Is its disk mounted? Is a backup to be restored? Then, %s", s.Config.DataDir, fix)
	}
	return fix
}

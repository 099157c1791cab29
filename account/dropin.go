package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"picday/internal/config"
	"picday/store"
)

// A setting is one line of the jail, and what sshd -T must show for it.
type setting struct{ key, value string }

// jail is what holds for every member of the jail group, from any address.
func jail(cfg config.Config) []setting {
	return []setting{
		{"ChrootDirectory", cfg.UploadDir + "/%u"},
		{"ForceCommand", "internal-sftp -u 0027"},
		// A global AllowGroups or AllowUsers would keep the accounts out.
		{"AllowGroups", JailGroup},
		{"AllowUsers", "*"},
		// Who logs in, and how: the key file below or a password, and nothing
		// else that the machine may accept from its own people. (For a key that
		// fits nowhere OpenSSH 9.2 then logs that it skips AuthorizedKeysCommand.)
		{"AuthenticationMethods", "any"},
		{"PubkeyAuthentication", "yes"},
		{"AuthorizedKeysFile", cfg.SSHD.KeysDir + "/%u"},
		{"AuthorizedKeysCommand", "none"},
		{"AuthorizedPrincipalsFile", "none"},
		{"AuthorizedPrincipalsCommand", "none"},
		{"TrustedUserCAKeys", "none"},
		{"PasswordAuthentication", "yes"},
		{"PermitEmptyPasswords", "no"},
		{"KbdInteractiveAuthentication", "no"},
		{"HostbasedAuthentication", "no"},
		{"GSSAPIAuthentication", "no"},
		// Before OpenSSH 10 DisableForwarding alone forgot X11 and agents.
		{"DisableForwarding", "yes"},
		{"AllowTcpForwarding", "no"},
		{"AllowStreamLocalForwarding", "no"},
		{"AllowAgentForwarding", "no"},
		{"X11Forwarding", "no"},
		{"GatewayPorts", "no"},
		{"PermitTunnel", "no"},
		{"PermitTTY", "no"},
		{"PermitUserRC", "no"},
		// A connection that dies silently would keep its file open for good.
		{"ClientAliveInterval", "30"},
		{"ClientAliveCountMax", "4"},
	}
}

// dropIn is the whole drop-in: deterministic, and nothing but Match blocks, so
// that it cannot change a setting of the machine's own users.
func dropIn(cfg config.Config, accounts []store.Account) []byte {
	var b strings.Builder
	b.WriteString("# Written by picday, which owns this file: changes made here are lost.\n" +
		"# Nothing but Match blocks: other users of this machine are not concerned.\n\n")
	fmt.Fprintf(&b, "# The daemon's user never logs in. This also shows picday that sshd reads this file.\n"+
		"Match User %s\n\tDenyUsers %[1]s\n\n", DaemonUser)

	sorted := slices.SortedFunc(slices.Values(accounts), func(x, y store.Account) int { return strings.Compare(x.Name, y.Name) })
	for _, a := range sorted {
		if len(a.AllowFrom) > 0 {
			fmt.Fprintf(&b, "# %s: refused, except from its networks.\nMatch User %[1]s Address %s\n\tDenyUsers %[1]s\n\n", a.Name, except(a.AllowFrom))
		}
	}

	fmt.Fprintf(&b, "# The jail of every account, from whatever address.\nMatch Group %s\n", JailGroup)
	for _, line := range jail(cfg) {
		fmt.Fprintf(&b, "\t%s %s\n", line.key, line.value)
	}
	b.WriteString("\n# Whatever is appended here is for everybody again.\nMatch all\n")
	return []byte(b.String())
}

// except is the pattern of all addresses outside the networks.
func except(networks []string) string {
	return "*,!" + strings.Join(networks, ",!")
}

var allowBlock = regexp.MustCompile(`(?m)^Match User ([a-z][a-z0-9-]+) Address \*,!(\S+)$`)

// restricted reads the allowlists back out of a drop-in.
func restricted(text []byte) []store.Account {
	var out []store.Account
	for _, m := range allowBlock.FindAllSubmatch(text, -1) {
		out = append(out, store.Account{Name: string(m[1]), AllowFrom: strings.Split(string(m[2]), ",!")})
	}
	return out
}

// with returns the accounts with a put in the place of its namesake.
func with(all []store.Account, a store.Account) []store.Account {
	return append(without(all, a.Name), a)
}

func without(all []store.Account, name string) []store.Account {
	return slices.DeleteFunc(slices.Clone(all), func(x store.Account) bool { return x.Name == name })
}

// keepRestricted adds the allowlists in force of accounts that the catalogue
// does not name though their Unix user is there, as after a run that was
// killed: forgetting one would let the account in from everywhere.
func keepRestricted(all []store.Account, current []byte, except string) ([]store.Account, error) {
	for _, r := range restricted(current) {
		if r.Name == except || slices.ContainsFunc(all, func(x store.Account) bool { return x.Name == r.Name }) {
			continue
		}
		u, err := lookupUser(r.Name)
		if err != nil {
			return nil, err
		}
		if u != nil && u.ours() {
			all = append(all, r)
		}
	}
	return all, nil
}
